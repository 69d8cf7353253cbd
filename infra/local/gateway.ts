import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { AwsError, Crash } from './aws-error.ts';
import type { Authorizer } from './iam/authorizer.ts';
import type { Counting } from './counting.ts';
import type { Plan, Principal, Reply, Service, WireRequest } from './wire.ts';

/** One call of a function to an AWS service, as hooks see it. */
export interface Call {
  /** Short name of the function (`api`, `step` …), or `host`. */
  readonly function_name: string;
  /** As SigV4 names it: `dynamodb`, `s3`, `states`, `lambda`, `secretsmanager`, `kms`, `scheduler`. */
  readonly service: string;
  readonly action: string;
  readonly resource: string;
  /** 1 for the first call that this function ever made, and so on. */
  readonly n: number;
  readonly presigned: boolean;
  /** The parsed body, where the service speaks JSON. */
  readonly body?: unknown;
}

/**
 * Run around every call of a function. `before` sees it when nothing is done yet; `after` when it is
 * done and not yet answered. Either may wait, throw an {@link AwsError}, or throw a {@link Crash}.
 */
export interface Hooks {
  before?(call: Call): void | Promise<void>;
  after?(call: Call): void | Promise<void>;
}

export interface GatewayParts {
  readonly services: Readonly<Record<string, Service>>;
  readonly principals: ReadonlyMap<string, Principal>;
  readonly authorizer: Authorizer;
  readonly counting: Counting;
  readonly hooks: Hooks;
  /** End the workers of a function: a hook threw {@link Crash}. */
  readonly crash: (function_name: string) => void;
}

export interface Gateway {
  readonly url: string;
  close(): Promise<void>;
}

/** The one address of all AWS services: who calls and what is called stand in the signature. */
export async function openGateway(parts: GatewayParts): Promise<Gateway> {
  const server = createServer((incoming, outgoing) => {
    // A handler never rejects; a reply to a caller that died meanwhile is nobody's error.
    void answer(parts, incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.keepAliveTimeout = 600_000;
  server.requestTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the gateway has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  parts: GatewayParts,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const body = await readBody(incoming);
  const { method = 'GET', headers } = incoming;
  const [path = '/', search = ''] = splitUrl(incoming.url ?? '/');
  const query = new URLSearchParams(search);
  const { key, service: name, presigned } = signer(headers.authorization, query);
  const service = parts.services[name];
  const principal = parts.principals.get(key);
  if (service === undefined) return refuse(outgoing, `The local host has no service ${name}.`);
  if (principal === undefined) return refuse(outgoing, `The access key ${key} is unknown.`);
  const request: WireRequest = { principal, method, path, query, headers, body, presigned };
  try {
    const reply = await perform(parts, name, request, service);
    send(outgoing, reply);
  } catch (cause) {
    if (cause instanceof Crash) {
      parts.crash(principal.function_name);
      outgoing.destroy();
      return;
    }
    send(outgoing, service.failure(asAwsError(cause)));
  }
}

async function perform(
  { authorizer, counting, hooks }: GatewayParts,
  service_name: string,
  request: WireRequest,
  service: Service,
): Promise<Reply> {
  const plan: Plan = service.plan(request);
  const { principal, presigned } = request;
  const { action, resource } = plan;
  const { function_name } = principal;
  const n = counting.call(function_name, service_name, action);
  const call = {
    function_name,
    service: service_name,
    action,
    resource,
    n,
    presigned,
    body: plan.body,
  };
  const hooked = function_name !== 'host';
  if (hooked && hooks.before !== undefined) await hooks.before(call);
  for (const permission of plan.permissions) authorizer.check(principal, permission);
  const reply = await plan.run();
  if (hooked && hooks.after !== undefined) await hooks.after(call);
  return reply;
}

function splitUrl(url: string): string[] {
  const at = url.indexOf('?');
  return at === -1 ? [url] : [url.slice(0, at), url.slice(at + 1)];
}

interface Signer {
  readonly key: string;
  readonly service: string;
  readonly presigned: boolean;
}

/** Access key and service out of the SigV4 credential scope, in the header or in the query. */
function signer(authorization: string | undefined, query: URLSearchParams): Signer {
  const presigned = authorization === undefined;
  const scope = presigned
    ? query.get('X-Amz-Credential')
    : authorization
        .slice(authorization.indexOf('Credential=') + 'Credential='.length)
        .split(',')[0];
  const [key = '', , , service = ''] = (scope ?? '').split('/');
  return { key, service, presigned };
}

/** By events: an iterator of the stream takes several times as long. */
function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
  incoming.once('end', () => {
    resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
  });
  incoming.once('error', reject);
  return promise;
}

function send(outgoing: ServerResponse, reply: Reply): void {
  const length = Buffer.byteLength(reply.body);
  // A HEAD answers with the length of what it does not send.
  outgoing.writeHead(reply.status, { 'content-length': length, ...reply.headers });
  outgoing.end(reply.body);
}

function refuse(outgoing: ServerResponse, message: string): void {
  outgoing.writeHead(403, { 'content-type': 'application/json' });
  outgoing.end(JSON.stringify({ __type: 'UnrecognizedClientException', message }));
}

function asAwsError(cause: unknown): AwsError {
  if (cause instanceof AwsError) return cause;
  const message = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  return new AwsError('InternalServerError', message, 500);
}
