import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Logger } from '@aws-lambda-powertools/logger';
import { newId } from '#shared/core/id.ts';
import type { ProxyEvent } from '#shared/core/http.ts';
import { systemClock, type Clock } from '#shared/core/clock.ts';
import type { Ports } from '#shared/core/ports.ts';
import { Keyring } from '#shared/keys/keyring.ts';
import { routeTable } from '../../../functions/api/route-table.ts';
import { serve, type ProxyResult } from '../../../functions/api/serve.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';
import { MemoryBlobs } from '../../memory-blobs.ts';

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
  readonly ports: Ports & { readonly blobs: MemoryBlobs; readonly clock: ShiftedClock };
  readonly table: StartedTable;
  /** Everything that the door has logged, parsed. */
  readonly log: Record<string, unknown>[];
  readonly handle: (event: ProxyEvent) => Promise<ProxyResult>;
  stop(): Promise<void>;
}

/** The api function behind HTTP, over a real table: what the SDK needs, without the local host. */
export async function startDoor(): Promise<StartedDoor> {
  const table = await startTable();
  const clock = new ShiftedClock();
  const ports = { table: table.table, blobs: new MemoryBlobs(), clock, newId };
  const log: Record<string, unknown>[] = [];
  const door = {
    ports,
    keyring: new Keyring(ports.table, clock, async () => admin_key),
    logger: loggerInto(log),
  };
  const handle = serve(routeTable(ports), door);
  const server = createServer(async (incoming, outgoing) => {
    const result = await handle(await eventOf(incoming));
    outgoing.writeHead(result.statusCode, result.headers).end(result.body);
  });
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
    pathParameters: { proxy: url.pathname.slice(1) },
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
