import { parseBody } from '#shared/core/parse.ts';
import { createSession as create } from '#shared/sessions/create-session.ts';
import type { SessionPorts } from '#shared/sessions/session-ports.ts';
import { SessionCreate } from '#shared/sessions/session-wire.ts';
import type { Route } from '#shared/door/route.ts';

/** POST /v1/sessions: 200 with the session, 400, or 404 for its agent or environment. */
export function createSession(ports: SessionPorts): Route {
  return async ({ body, call }) => ({
    status: 200,
    body: await create(ports, call, parseBody(SessionCreate, body)),
  });
}
