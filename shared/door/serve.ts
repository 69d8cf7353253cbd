import type { Logger } from '@aws-lambda-powertools/logger';
import { recall } from '../core/commit.ts';
import { Fault } from '../core/fault.ts';
import {
  errorReply,
  fromProxyEvent,
  replyOf,
  type HttpReply,
  type ProxyEvent,
} from '../core/http.ts';
import type { Ports } from '../core/ports.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { RouteName } from '../routes.ts';
import { admit, type Seen } from './admit.ts';
import type { Request, Route } from './route.ts';
import { routerOf, type Router } from './router.ts';

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

/**
 * The door of a function that answers requests: everything that is true of every route stands
 * here, and the only catch-all.
 *
 * @param table A line for each route of the function: see the route table of each.
 */
export function serve<Name extends RouteName>(
  table: Readonly<Record<Name, Route>>,
  door: Door,
): (event: ProxyEvent) => Promise<ProxyResult> {
  const router = routerOf<Route>(table);
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

/** The only catch-all: a Fault is the caller's to know, anything else is our bug. */
async function attempt(
  event: ProxyEvent,
  router: Router<Route>,
  door: Door,
  seen: Seen,
): Promise<HttpReply> {
  try {
    return await answer(event, router, door, seen);
  } catch (error) {
    const reply = errorReply(error, seen.request_id);
    const entry = { ...seen, error: error as Error };
    if (reply.status < 500) door.logger.debug('refused', entry);
    else door.logger.error('failed', entry);
    return reply;
  }
}

async function answer(
  event: ProxyEvent,
  router: Router<Route>,
  door: Door,
  seen: Seen,
): Promise<HttpReply> {
  const { entry, request } = await admit(fromProxyEvent(event), router, door.keyring, seen);
  const { idempotency } = request.call;
  if (idempotency === undefined) return await run(entry.route, request);

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
