/**
 * What is streamed is whole or visibly broken. Method: one route of our own behind the door of the
 * stream function, over HTTP; its chunks end, fail, stall or never end.
 */
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Fault } from '#shared/core/fault.ts';
import { limits } from '#shared/core/limits.ts';
import { Keyring } from '#shared/keys/keyring.ts';
import { serveStreams } from '../../../functions/stream/serve-streams.ts';
import type { StreamRoute, Streamed } from '../../../functions/stream/stream-route.ts';
import { admin_key, startDoor, type StartedDoor } from '../api/door.ts';

let door: StartedDoor;
let server: Server;
let url: string;
let route: StreamRoute;
let time_ms = 60_000;
/** Of the newest request, as Lambda makes it. */
let context = {} as Context;
/** What the handler told Lambda, in order. */
const outcomes: (string | undefined)[] = [];

beforeAll(async () => {
  door = await startDoor();
  const { ports } = door;
  const table = {
    'GET /v1/sessions/{session_id}/events/stream': (...given: Parameters<StreamRoute>) =>
      route(...given),
  } as unknown as Parameters<typeof serveStreams>[0];
  const handle = serveStreams(
    table,
    {
      ports,
      keyring: new Keyring(ports.table, ports.clock, async () => admin_key),
      logger: new Logger({ logLevel: 'SILENT' }),
    },
    (response, { statusCode, headers }) =>
      (response as ServerResponse).writeHead(statusCode, headers),
  );
  server = createServer((incoming, outgoing) => {
    const event = {
      httpMethod: incoming.method ?? '',
      path: incoming.url ?? '',
      headers: { 'x-api-key': String(incoming.headers['x-api-key']) },
    };
    const getRemainingTimeInMillis = (): number => time_ms;
    context = { callbackWaitsForEmptyEventLoop: true, getRemainingTimeInMillis } as Context;
    handle(event, outgoing, context).then(
      () => outcomes.push(undefined),
      (error: Error) => {
        outcomes.push(error.name);
        outgoing.destroy();
      },
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/sessions/s/events/stream`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await door.stop();
});

const streamed = (chunks: Streamed['chunks'], more: Partial<Streamed> = {}): StreamRoute => {
  return async () => ({ headers: { 'content-type': 'text/plain' }, chunks, ...more });
};
const get = async (headers: Record<string, string> = { 'x-api-key': admin_key }) =>
  await fetch(url, { headers });

async function* chunksOf(...chunks: readonly (string | Error)[]): AsyncGenerator<string> {
  for (const chunk of chunks) {
    if (chunk instanceof Error) throw chunk;
    yield chunk;
    await sleep(5);
  }
}

async function* endless(ended: () => void): AsyncGenerator<string> {
  try {
    for (;;) {
      yield 'x'.repeat(65_536);
      await sleep(1);
    }
  } finally {
    ended();
  }
}

test('chunks come as one body, with the headers of the route and the id of the request', async () => {
  route = streamed(chunksOf('a', 'ü', 'c'));
  const answer = await get();
  expect([answer.status, await answer.text()]).toEqual([200, 'aüc']);
  expect(answer.headers.get('content-type')).toBe('text/plain');
  expect(answer.headers.get('request-id')).toMatch(/^req_/);
  expect(answer.headers.get('access-control-allow-origin')).toBe('*');
});

test('Lambda is not to wait for what is left in the process, like sockets that are kept', async () => {
  route = streamed(chunksOf('a'));
  await (await get()).text();
  expect(context.callbackWaitsForEmptyEventLoop).toBe(false);
});

test('an empty body is an answer', async () => {
  route = streamed(chunksOf());
  const answer = await get();
  expect([answer.status, await answer.text()]).toEqual([200, '']);
});

test.each<[string, StreamRoute, number]>([
  ['the route refuses', async () => await Promise.reject(new Fault('missing', 'None.')), 404],
  ['the first chunk fails', streamed(chunksOf(new Error('no object'))), 500],
  ['the first chunk is refused', streamed(chunksOf(new Fault('conflict', 'Moved.') as Error)), 409],
])('when %s, that is an ordinary answer', async (_, failing, status) => {
  route = failing;
  const answer = await get();
  expect(answer.status).toBe(status);
  expect(await answer.json()).toMatchObject({ type: 'error', request_id: expect.any(String) });
});

test('without a key nothing is begun', async () => {
  route = streamed(chunksOf('secret'));
  expect((await get({})).status).toBe(401);
});

test('an error after the first byte breaks the connection', async () => {
  route = streamed(chunksOf('first', new Error('cut')));
  const answer = await get();
  expect(answer.status).toBe(200);
  await expect(answer.text()).rejects.toThrow(/terminated|aborted/);
  expect(outcomes.at(-1)).toBe('StreamBroken');
});

test('when the time is up what is not whole is broken, and what can be taken up again just ends', async () => {
  time_ms = limits.stream_reserve_ms + 100;
  route = streamed(endless(() => undefined));
  await expect((await get()).text()).rejects.toThrow(/terminated|aborted/);
  expect(outcomes.at(-1)).toBe('StreamBroken');
  route = streamed(
    endless(() => undefined),
    { resumable: true },
  );
  expect((await (await get()).text()).length).toBeGreaterThan(0);
  expect(outcomes.at(-1)).toBeUndefined();
  time_ms = 60_000;
});

test('who reads slowly holds the source back, and who goes ends it', async () => {
  let given = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  async function* counted(): AsyncGenerator<string> {
    for await (const chunk of endless(resolve)) {
      given += chunk.length;
      yield chunk;
    }
  }
  route = streamed(counted());
  const answer = await get();
  await expect.poll(() => given).toBeGreaterThan(0);
  // Once the buffers between them are full nothing more is taken, however long that takes.
  let held = -1;
  const isHeld = (): boolean => {
    const stands = given === held;
    held = given;
    return stands;
  };
  await expect.poll(isHeld, { interval: 300, timeout: 15_000 }).toBe(true);
  const before = outcomes.length;
  await answer.body?.cancel();
  await promise;
  await expect.poll(() => outcomes.length).toBeGreaterThan(before);
  expect(outcomes.at(-1)).toBeUndefined();
});
