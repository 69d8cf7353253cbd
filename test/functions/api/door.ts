import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';
import { newId, newName } from '#shared/core/id.ts';
import type { ProxyEvent } from '#shared/core/http.ts';
import { systemClock, type Clock } from '#shared/core/clock.ts';
import { serve, type ProxyResult } from '#shared/door/serve.ts';
import { Keyring } from '#shared/keys/keyring.ts';
import { routes } from '#shared/routes.ts';
import type { Provider } from '#shared/models/model.ts';
import { Tail } from '#shared/threads/tail.ts';
import type { MemoryPorts } from '#shared/memory/memory-ports.ts';
import { routeTable, type ApiPorts } from '../../../functions/api/route-table.ts';
import { routeTable as memoryTable } from '../../../functions/memory/route-table.ts';
import { routeTable as streamTable } from '../../../functions/stream/route-table.ts';
import {
  serveStreams,
  type Prelude,
  type ResponseStream,
} from '../../../functions/stream/serve-streams.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';
import { MemoryBlobs } from '../../memory-blobs.ts';
import { MemoryCipher } from '../../memory-cipher.ts';
import { DirectFiring } from '../../firing.ts';
import { MemoryExecutions } from '../../executions.ts';
import { MemoryRuns } from '../../sessions.ts';

export const admin_key = 'the-admin-key-of-this-test';

/** Time that moves with the system's, from wherever a test has put it. */
export class ShiftedClock implements Clock {
  shift_ms = 0;

  now(): Date {
    return new Date(systemClock.now().getTime() + this.shift_ms);
  }
}

export interface StartedDoor {
  readonly baseURL: string;
  readonly ports: ApiPorts &
    MemoryPorts & {
      readonly blobs: MemoryBlobs;
      readonly clock: ShiftedClock;
      readonly runs: MemoryRuns;
      readonly dreams: MemoryExecutions;
      readonly firing: DirectFiring;
      model_provider: Provider;
    };
  readonly table: StartedTable;
  /** Everything that the door has logged, parsed. */
  readonly log: Record<string, unknown>[];
  readonly handle: (event: ProxyEvent) => Promise<ProxyResult>;
  stop(): Promise<void>;
}

/** The api, memory and stream functions behind HTTP, over a real table: what the SDK needs, without the local host. */
export async function startDoor({ memories_max = 2_000 } = {}): Promise<StartedDoor> {
  const table = await startTable();
  const clock = new ShiftedClock();
  const log: Record<string, unknown>[] = [];
  const note = (error: unknown): void => void log.push({ level: 'ERROR', error });
  const firing: DirectFiring = new DirectFiring(() => ports);
  const ports = {
    table: table.table,
    blobs: new MemoryBlobs(),
    clock,
    newId,
    newName,
    runs: new MemoryRuns(),
    dreams: new MemoryExecutions(),
    prices: {},
    cipher: new MemoryCipher(),
    model_provider: 'anthropic' as Provider,
    memories_max,
    version_days: 0,
    transcript_days: 0,
    startLost: note,
    sweepLost: note,
    firing,
    firingLost: note,
    transcriptLost: note,
  };
  const door = {
    ports,
    keyring: new Keyring(ports.table, clock, async () => admin_key),
    logger: loggerInto(log),
  };
  const serveApi = serve(routeTable(ports), door);
  const serveMemory = serve(memoryTable(ports), door);
  const handle = (event: ProxyEvent): Promise<ProxyResult> =>
    MEMORY.test(event.path) ? serveMemory(event) : serveApi(event);
  const streams = streamTable({ ...ports, tail: new Tail(ports.table) });
  const stream = serveStreams(streams, door, respond);
  const server = createServer(async (incoming, outgoing) => {
    const event = await eventOf(incoming);
    if (isStreamed(event)) {
      await stream(event, outgoing, inLambda).catch(() => outgoing.destroy());
      return;
    }
    const result = await handle(event);
    outgoing.writeHead(result.statusCode, result.headers).end(result.body);
  });
  // A test on a busy machine may be silent for longer than a client keeps its connection.
  server.keepAliveTimeout = 300_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    baseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ports,
    table,
    log,
    handle,
    async stop() {
      server.closeAllConnections();
      server.close();
      await table.stop();
    },
  };
}

/** What API Gateway sends to the stream function. */
const streamed = Object.entries(routes)
  .filter(([, rule]) => 'served_by' in rule && rule.served_by === 'stream')
  .map(([name]) => new RegExp(`^${name.replaceAll(/\{\w+\}/g, '[^/]+')}$`));

function isStreamed({ httpMethod, path }: ProxyEvent): boolean {
  return streamed.some((pattern) => pattern.test(`${httpMethod} ${path}`));
}

const MEMORY = /^\/v1\/(reverie\/)?(memory_stores|dreams|dream_schedules)(\/|$)/;

/** Of Lambda's context only the time is used. */
const inLambda = { getRemainingTimeInMillis: () => 900_000 } as Context;

function respond(response: ResponseStream, { statusCode, headers }: Prelude): ResponseStream {
  (response as ServerResponse).writeHead(statusCode, headers);
  return response;
}

function loggerInto(log: Record<string, unknown>[]): Logger {
  const logger = new Logger({ serviceName: 'api', logLevel: 'DEBUG' });
  const write = (line: string): void => void log.push(JSON.parse(line) as Record<string, unknown>);
  Object.assign(logger, { console: { info: write, debug: write, error: write, warn: write } });
  return logger;
}

/** What API Gateway's REST proxy makes of a request. */
async function eventOf(incoming: IncomingMessage): Promise<ProxyEvent> {
  const url = new URL(incoming.url ?? '/', 'http://host');
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const query: Record<string, string[]> = {};
  for (const [name, value] of url.searchParams) (query[name] ??= []).push(value);
  const headers = incoming.headersDistinct;
  return {
    httpMethod: incoming.method ?? 'GET',
    path: url.pathname,
    multiValueHeaders: headers,
    multiValueQueryStringParameters: Object.keys(query).length === 0 ? null : query,
    body: chunks.length === 0 ? null : Buffer.concat(chunks).toString('base64'),
    isBase64Encoded: true,
  };
}

/** Everything that an automatically paging list gives. */
export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
