import { parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import { listSessions as list } from '#shared/sessions/list-sessions.ts';
import { SessionListQuery } from '#shared/sessions/session-wire.ts';
import type { Route } from '#shared/door/route.ts';

/** GET /v1/sessions: 200 with a page and both its neighbours, or 400. */
export function listSessions(ports: Ports): Route {
  return async ({ query, call }) => ({
    status: 200,
    body: await list(ports, call, parseQuery(SessionListQuery, query)),
  });
}
