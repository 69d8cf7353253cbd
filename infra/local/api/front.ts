import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { limits } from '#shared/core/limits.ts';
import { AwsError } from '../aws-error.ts';
import { BootError } from '../boot-error.ts';
import type { HostClock } from '../clock.ts';
import type { Counting } from '../counting.ts';
import type { Outcome, Sink } from '../lambda/function.ts';
import type { FunctionPool } from '../lambda/pool.ts';
import { record } from '../template/template.ts';
import { proxyEvent } from './event.ts';
import type { GatewayAnswer, GatewayResponses, GatewayResponseType } from './gateway-responses.ts';
import type { FunctionRoute, Routes } from './routes.ts';

export interface FrontParts {
  readonly api_id: string;
  readonly stage: string;
  readonly routes: Routes;
  readonly responses: GatewayResponses;
  readonly isBinary: (media_type: string | undefined) => boolean;
  readonly pools: readonly FunctionPool[];
  readonly clock: HostClock;
  readonly counting: Counting;
}

export interface Front {
  readonly url: string;
  close(): Promise<void>;
}

/** The REST API on one address. @throws BootError when it cannot listen there. */
export async function openFront(parts: FrontParts, host: string, port: number): Promise<Front> {
  const server = createServer((incoming, outgoing) => {
    void handle(parts, incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.keepAliveTimeout = 60_000;
  server.requestTimeout = 0;
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (cause) {
    throw new BootError(listenFailure(cause, host, port), { cause });
  }
  const address = server.address();
  const bound = address !== null && typeof address === 'object' ? address.port : port;
  const shown = host.includes(':') ? `[${host}]` : host;
  return {
    url: `http://${shown}:${bound}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function listenFailure(cause: unknown, host: string, port: number): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
  if (code === 'EADDRINUSE') {
    return `Port ${port} on ${host} is in use. Set PORT to another, or PORT=0 for any that is free.`;
  }
  if (code === 'EACCES')
    return `Port ${port} needs rights that you do not have. Set PORT above 1023.`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return `${host} is no address of this machine. Set HOST to 127.0.0.1, or to 0.0.0.0 for all that it has.`;
  }
  return `Cannot listen on ${host}:${port} (${code}).`;
}

async function handle(
  parts: FrontParts,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const request_id = randomUUID();
  parts.counting.api_requests += 1;
  outgoing.setHeader('x-amzn-requestid', request_id);
  const refuse = (type: GatewayResponseType): void =>
    sendAnswer(outgoing, parts.responses.answer(type, request_id));
  const [raw_path, query] = split(incoming.url ?? '/');
  const path = withoutStage(raw_path, parts.stage);
  const matched = parts.routes.match(incoming.method ?? 'GET', path);
  if (matched === undefined) return refuse('MISSING_AUTHENTICATION_TOKEN');
  const { route, parameters } = matched;
  if (route.type === 'mock') {
    outgoing.writeHead(route.status, route.headers).end();
    return;
  }
  const pool = parts.pools.find(({ settings }) => settings.arn === route.function_arn);
  const body = await readBody(incoming);
  if (body === undefined) return refuse('REQUEST_TOO_LARGE');
  if (pool === undefined) return refuse('API_CONFIGURATION_ERROR');
  const event = eventOf(parts, { incoming, body, route, parameters, path, query, request_id });
  try {
    const exchange = { pool, event, route, outgoing, refuse };
    if (route.streams) await streamed(exchange);
    else await buffered(exchange);
  } catch (cause) {
    const large = cause instanceof AwsError && cause.name === 'RequestTooLargeException';
    refuse(large ? 'REQUEST_TOO_LARGE' : 'API_CONFIGURATION_ERROR');
  }
}

interface Read {
  readonly incoming: IncomingMessage;
  readonly body: Buffer;
  readonly route: FunctionRoute;
  readonly parameters: Readonly<Record<string, string>>;
  readonly path: string;
  readonly query: string;
  readonly request_id: string;
}

function eventOf({ stage, api_id, clock, isBinary }: FrontParts, read: Read): string {
  const binary = isBinary(read.incoming.headers['content-type']);
  return JSON.stringify(proxyEvent({ ...read, stage, api_id, now: clock.now(), binary }));
}

function split(url: string): [string, string] {
  const at = url.indexOf('?');
  return at === -1 ? [url, ''] : [url.slice(0, at), url.slice(at + 1)];
}

/** On AWS the stage is the first part of the path, but for a custom domain: both are taken. */
function withoutStage(path: string, stage: string): string {
  if (path === `/${stage}`) return '/';
  return path.startsWith(`/${stage}/`) ? path.slice(stage.length + 1) : path;
}

/** The body, or nothing when it is too large: the rest of it is then read and dropped. */
function readBody(incoming: IncomingMessage): Promise<Buffer | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer | undefined>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  incoming.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= limits.gateway_body_bytes_max) chunks.push(chunk);
  });
  incoming.once('end', () => {
    resolve(bytes > limits.gateway_body_bytes_max ? undefined : Buffer.concat(chunks));
  });
  incoming.once('error', reject);
  return promise;
}

interface Exchange {
  readonly pool: FunctionPool;
  readonly event: string;
  readonly route: FunctionRoute;
  readonly outgoing: ServerResponse;
  readonly refuse: (type: GatewayResponseType) => void;
}

async function buffered({ pool, event, route, outgoing, refuse }: Exchange): Promise<void> {
  const { outcome } = pool.invoke(event);
  const timer = Promise.withResolvers<'late'>();
  const handle_timer = setTimeout(() => timer.resolve('late'), route.timeout_ms);
  const result = await Promise.race([outcome, timer.promise]);
  clearTimeout(handle_timer);
  if (result === 'late') return refuse('INTEGRATION_TIMEOUT');
  const answer = proxyResponse(result);
  if (answer === undefined) return refuse('API_CONFIGURATION_ERROR');
  outgoing.writeHead(answer.status, answer.headers);
  outgoing.end(answer.body);
}

interface ProxyResponse {
  readonly status: number;
  readonly headers: Record<string, string | string[]>;
  readonly body: Buffer;
}

/** What a function answered, if it is a proxy response. */
function proxyResponse(outcome: Outcome): ProxyResponse | undefined {
  if (!outcome.ok) return undefined;
  const response = record(JSON.parse(outcome.body));
  const { statusCode, body, isBase64Encoded } = response;
  const status = Number(statusCode);
  if (!Number.isInteger(status) || status < 100 || status > 599) return undefined;
  if (body !== undefined && body !== null && typeof body !== 'string') return undefined;
  const bytes = Buffer.from(body ?? '', isBase64Encoded === true ? 'base64' : 'utf8');
  const headers = headersOf(response);
  return { status, headers: { ...headers, 'content-length': String(bytes.length) }, body: bytes };
}

function headersOf({
  headers,
  multiValueHeaders,
}: Record<string, unknown>): Record<string, string | string[]> {
  const sent: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(record(headers)))
    sent[name.toLowerCase()] = String(value);
  for (const [name, values] of Object.entries(record(multiValueHeaders))) {
    sent[name.toLowerCase()] = Array.isArray(values) ? values.map(String) : String(values);
  }
  return { 'content-type': 'application/json', ...sent };
}

/**
 * A streamed response goes out as it comes. Its function learns when the client has gone, which Lambda
 * never tells: on one machine a run for nobody is dearer.
 */
async function streamed({ pool, event, route, outgoing, refuse }: Exchange): Promise<void> {
  const sink: Sink = {
    prelude({ statusCode = 200, headers, multiValueHeaders, cookies }) {
      const all = headersOf({ headers, multiValueHeaders });
      outgoing.writeHead(statusCode, {
        ...all,
        ...(cookies ? { 'set-cookie': [...cookies] } : {}),
      });
      outgoing.flushHeaders();
    },
    chunk: (chunk, sent) => void outgoing.write(chunk, sent),
    end: () => void outgoing.end(),
  };
  const invocation = pool.invoke(event, { sink });
  outgoing.once('close', () => invocation.cancel());
  const cut = setTimeout(() => {
    invocation.cancel();
    if (outgoing.headersSent) outgoing.destroy();
    else refuse('INTEGRATION_TIMEOUT');
  }, route.timeout_ms);
  const result = await invocation.outcome;
  clearTimeout(cut);
  if (outgoing.writableEnded || outgoing.destroyed) return;
  if (outgoing.headersSent) outgoing.destroy();
  else if (result.ok) outgoing.end();
  else refuse('API_CONFIGURATION_ERROR');
}

function sendAnswer(outgoing: ServerResponse, { status, headers, body }: GatewayAnswer): void {
  if (outgoing.headersSent || outgoing.destroyed) return;
  outgoing.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  outgoing.end(body);
}
