import { parseId } from '#shared/core/id.ts';
import { NoQuery, parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import { retrieveSession } from '#shared/sessions/read-session.ts';
import type { Route } from '#shared/door/route.ts';

/** GET /v1/sessions/{session_id}: 200 or 404. */
export function readSession(ports: Ports): Route {
  return async ({ path, query, call }) => {
    const id = parseId('session', path['session_id']);
    parseQuery(NoQuery, query);
    return { status: 200, body: await retrieveSession(ports, call, id) };
  };
}
