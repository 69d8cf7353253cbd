import { parseId } from '#shared/core/id.ts';
import { NoBody, parseBody } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import { archiveSession as archive } from '#shared/sessions/archive-session.ts';
import type { Route } from '#shared/door/route.ts';

/** POST /v1/sessions/{session_id}/archive: 200 with the session, 400 while it runs, or 404. */
export function archiveSession(ports: Ports): Route {
  return async ({ path, body, call }) => {
    const id = parseId('session', path['session_id']);
    parseBody(NoBody, body);
    return { status: 200, body: await archive(ports, call, id) };
  };
}
