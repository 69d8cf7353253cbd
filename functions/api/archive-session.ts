import { parseId } from '#shared/core/id.ts';
import { NoBody, parseBody } from '#shared/core/parse.ts';
import { archiveSession as archive, type ArchivePorts } from '#shared/sessions/archive-session.ts';
import type { Route } from '#shared/door/route.ts';

/** POST /v1/sessions/{session_id}/archive: 200 with the session, 400 while it runs, or 404. */
export function archiveSession(ports: ArchivePorts): Route {
  return async ({ path, body, call }) => {
    const id = parseId('session', path['session_id']);
    parseBody(NoBody, body);
    return { status: 200, body: await archive(ports, call, id) };
  };
}
