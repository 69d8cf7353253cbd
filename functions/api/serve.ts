import type { Logger } from '@aws-lambda-powertools/logger';
import { TrieRouter } from 'hono/router/trie-router';
import type { Call, Scope } from '#shared/core/call.ts';
import { recall, requestOf } from '#shared/core/commit.ts';
import { Fault } from '#shared/core/fault.ts';
import {
  checkVersion,
  errorReply,
  fromProxyEvent,
  readJson,
  replyOf,
  type HttpReply,
  type HttpRequest,
  type ProxyEvent,
} from '#shared/core/http.ts';
import type { QueryValues } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Keyring } from '#shared/keys/keyring.ts';
import { routes, type ApiRouteName } from '#shared/routes.ts';

/** A request as a route sees it: named parts of the path, grouped query, parsed JSON. */
export interface Request {
  readonly path: Readonly<Record<string, string>>;
  readonly query: QueryValues;
  /** Undefined when there was none. Unknown until the route has parsed it. */
  readonly body: unknown;
  readonly call: Call;
}

/** A route's whole work: parse, call one use case, say what comes back. */
export type Route = (
  request: Request,
) => Promise<{ readonly status: number; readonly body: unknown }>;

/** What API Gateway expects back. */
export interface ProxyResult {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Door {
  readonly ports: Ports;
  readonly keyring: Keyring;
  readonly logger: Logger;
}

/** The methods of one path, each with its route. */
type Methods = Map<
  string,
  { readonly name: ApiRouteName; readonly scope: Scope; readonly route: Route }
>;

/**
 * The door of the API: everything that is true of every route stands here, and the only catch-all.
 * The Record demands a line for each route of shared/routes.ts.
 */
export function serve(
  table: Readonly<Record<ApiRouteName, Route>>,
  door: Door,
): (event: ProxyEvent) => Promise<ProxyResult> {
  const router = routerOf(table);
  return async (event) => {
    const started_at = door.ports.clock.now().getTime();
    const request_id = door.ports.newId('request');
    const seen: Seen = { request_id };
    const reply = await attempt(event, router, door, seen);
    const duration_ms = door.ports.clock.now().getTime() - started_at;
    door.logger.info('request', { ...seen, status: reply.status, duration_ms });
    return { statusCode: reply.status, headers: reply.headers, body: reply.body };
  };
}

/** What the log may know of a request: never a body, a query or a key. */
interface Seen {
  readonly request_id: string;
  route?: string;
  workspace_id?: string;
  api_key_id?: string;
  replayed?: boolean;
}

function routerOf(table: Readonly<Record<ApiRouteName, Route>>): TrieRouter<Methods> {
  const paths = new Map<string, Methods>();
  for (const [name, route] of Object.entries(table) as [ApiRouteName, Route][]) {
    const [method = '', path = ''] = name.split(' ');
    const methods = paths.get(path) ?? new Map();
    paths.set(path, methods.set(method, { name, scope: routes[name].scope, route }));
  }
  const router = new TrieRouter<Methods>();
  for (const [path, methods] of paths) {
    router.add('ALL', path.replaceAll(/\{(\w+)\}/g, ':$1'), methods);
  }
  return router;
}

/** The only catch-all: a Fault is the caller's to know, anything else is our bug. */
async function attempt(
  event: ProxyEvent,
  router: TrieRouter<Methods>,
  door: Door,
  seen: Seen,
): Promise<HttpReply> {
  try {
    return await answer(fromProxyEvent(event), router, door, seen);
  } catch (error) {
    const reply = errorReply(error, seen.request_id);
    const entry = { ...seen, error: error as Error };
    if (reply.status < 500) door.logger.debug('refused', entry);
    else door.logger.error('failed', entry);
    return reply;
  }
}

async function answer(
  http: HttpRequest,
  router: TrieRouter<Methods>,
  door: Door,
  seen: Seen,
): Promise<HttpReply> {
  // Who asks comes first: a caller without a key learns nothing of what exists.
  const caller = await door.keyring.identify(http.headers);
  Object.assign(seen, { workspace_id: caller.workspace_id, api_key_id: caller.api_key_id });
  checkVersion(http.headers);
  const { entry, path } = find(router, http);
  // The ids of the path: session_id, agent_id and so on.
  Object.assign(seen, { route: entry.name, ...path });
  if (!caller.scopes.includes(entry.scope)) {
    throw new Fault(
      'forbidden',
      `This key lacks the scope '${entry.scope}' that ${entry.name} needs.`,
    );
  }
  const body = http.method === 'POST' ? readJson(http) : undefined;
  const base = { ...caller, request_id: seen.request_id };
  const key = http.method === 'POST' ? http.headers['idempotency-key'] : undefined;
  if (key === undefined)
    return await run(entry.route, { path, query: http.query, body, call: base });

  const idempotency = requestOf(caller.workspace_id, http.path, key, body);
  const request = { path, query: http.query, body, call: { ...base, idempotency } };
  const replay = async (): Promise<HttpReply | undefined> => {
    const earlier = await recall(door.ports, idempotency);
    if (earlier === undefined) return undefined;
    seen.replayed = true;
    return replyOf(200, earlier.answer, seen.request_id);
  };
  const before = await replay();
  if (before !== undefined) return before;
  try {
    return await run(entry.route, request);
  } catch (error) {
    // The first of two racing requests may have made what the second then finds in its way.
    const meanwhile = error instanceof Fault ? await replay() : undefined;
    if (meanwhile !== undefined) return meanwhile;
    throw error;
  }
}

async function run(route: Route, request: Request): Promise<HttpReply> {
  const { status, body } = await route(request);
  return replyOf(status, body, request.call.request_id);
}

function find(router: TrieRouter<Methods>, http: HttpRequest) {
  const match = router.match('ALL', http.path)[0][0];
  if (match === undefined) {
    throw new Fault('missing', `There is nothing at ${http.path.slice(0, 200)}.`);
  }
  const [methods, path] = match as [Methods, Record<string, string>];
  const entry = methods.get(http.method);
  if (entry === undefined) {
    const allowed = [...methods.keys()].join(', ');
    throw new Fault('method', `${http.method} is not allowed at this path. Use ${allowed}.`);
  }
  return { entry, path };
}
