import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { checkedClient, operationOf, type CheckedClient } from './checked-client.ts';

let server: Server | undefined;
afterEach(() => {
  server?.close();
  server?.closeAllConnections();
});

interface Canned {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body: string | object;
}

async function answering(canned: Canned): Promise<CheckedClient & { count: () => number }> {
  let count = 0;
  const own = createServer((_, outgoing) => {
    count += 1;
    const headers = {
      'content-type': 'application/json',
      'request-id': 'req_1',
      ...canned.headers,
    };
    outgoing.writeHead(canned.status ?? 200, headers);
    outgoing.end(typeof canned.body === 'string' ? canned.body : JSON.stringify(canned.body));
  });
  server = own;
  own.listen(0, '127.0.0.1');
  await once(own, 'listening');
  const { port } = own.address() as AddressInfo;
  return { ...checkedClient(`http://127.0.0.1:${port}`, 'key'), count: () => count };
}

const deleted = { id: 'sesn_1', type: 'session_deleted' };

test('an answer as declared goes through and its call is recorded', async () => {
  const { client, calls } = await answering({ body: deleted });
  expect(await client.beta.sessions.delete('sesn_1')).toMatchObject(deleted);
  expect(calls).toEqual([
    {
      method: 'DELETE',
      path: '/v1/sessions/sesn_1',
      status: 200,
      call: 'client.beta.sessions.delete',
    },
  ]);
});

test.each([
  ['a field too many', { body: { ...deleted, x: 1 } }, 'must NOT have additional properties'],
  ['no request id', { body: deleted, headers: { 'request-id': '' } }, 'request-id'],
  ['HTML', { body: '<p>', headers: { 'content-type': 'text/html' } }, 'content-type is text/html'],
  ['no JSON', { body: '{' }, 'not JSON'],
])('%s fails the call once, with the reason', async (_, canned, says) => {
  const { client, violations, count } = await answering(canned);
  await expect(client.beta.sessions.delete('sesn_1')).rejects.toThrow(says);
  expect(violations).toHaveLength(1);
  expect(count()).toBe(1);
});

const conflict = {
  type: 'error',
  error: { type: 'invalid_request_error', message: 'no' },
  request_id: 'req_1',
};

test('a conflict must say whether to repeat it', async () => {
  const silent = await answering({ status: 409, body: conflict });
  await expect(silent.client.beta.sessions.archive('sesn_1')).rejects.toThrow('x-should-retry');
  const spoken = await answering({
    status: 409,
    body: conflict,
    headers: { 'x-should-retry': 'false' },
  });
  await expect(spoken.client.beta.sessions.archive('sesn_1')).rejects.toMatchObject({
    status: 409,
  });
  expect(spoken.violations).toEqual([]);
});

const good = { id: 'sevt_1', type: 'session.status_running', processed_at: '2026-11-21T00:00:00Z' };
const more = JSON.stringify({ ...good, x: 1 });
const event_stream = { 'content-type': 'text/event-stream' };

/** What a client hears of a stream with this body, up to its end or its first fault. */
async function heardOf({ client }: CheckedClient): Promise<string[]> {
  const heard: string[] = [];
  for await (const event of await client.beta.sessions.events.stream('sesn_1'))
    heard.push(event.type);
  return heard;
}

test('a stream with comments, ids and good frames is heard', async () => {
  const body = `: hello\n\nevent: ${good.type}\nid: 1\ndata: ${JSON.stringify(good)}\n\n`;
  const checked = await answering({ body, headers: event_stream });
  expect(await heardOf(checked)).toEqual([good.type]);
  expect(checked.violations).toEqual([]);
});

test.each([
  ['more fields', `event: ${good.type}\ndata: ${more}\n\n`, 'additional properties'],
  ['no name', `data: ${JSON.stringify(good)}\n\n`, 'event: undefined'],
  ['another name', `event: message\ndata: ${JSON.stringify(good)}\n\n`, 'event: message'],
])('a frame with %s breaks the stream', async (_, body, says) => {
  const checked = await answering({ body, headers: event_stream });
  await expect(heardOf(checked)).rejects.toThrow(says);
  expect(checked.violations[0]).toContain(says);
});

test.each([
  ['GET', '/v1/environments/env_1/work/poll', 'client.beta.environments.work.poll'],
  ['GET', '/v1/environments/env_1/work/work_1', 'client.beta.environments.work.retrieve'],
  [
    'GET',
    '/v1/sessions/sesn_1/threads/sthr_1/stream',
    'client.beta.sessions.threads.events.stream',
  ],
  ['GET', '/v1/reverie/api_keys', undefined],
])('%s %s is %s', (method, path, call) => {
  expect(operationOf(method, path)?.call).toBe(call);
});
