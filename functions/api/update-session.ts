import { parseId } from '#shared/core/id.ts';
import { parseBody } from '#shared/core/parse.ts';
import type { SessionPorts } from '#shared/sessions/session-ports.ts';
import { SessionUpdate } from '#shared/sessions/session-wire.ts';
import { updateSession as update } from '#shared/sessions/update-session.ts';
import type { Route } from '#shared/door/route.ts';

/** POST /v1/sessions/{session_id}: 200 with the session as it is now, 400 or 404. */
export function updateSession(ports: SessionPorts): Route {
  return async ({ path, body, call }) => {
    const id = parseId('session', path['session_id']);
    return { status: 200, body: await update(ports, call, id, parseBody(SessionUpdate, body)) };
  };
}
