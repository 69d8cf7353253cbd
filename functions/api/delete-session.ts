import { parseId } from '#shared/core/id.ts';
import { NoQuery, parseQuery } from '#shared/core/parse.ts';
import { deleteSession as remove, type DeletePorts } from '#shared/sessions/delete-session.ts';
import type { Route } from '#shared/door/route.ts';

/** DELETE /v1/sessions/{session_id}: 200 with its id, 400 while it runs, or 404. */
export function deleteSession(ports: DeletePorts): Route {
  return async ({ path, query, call }) => {
    const id = parseId('session', path['session_id']);
    parseQuery(NoQuery, query);
    return { status: 200, body: await remove(ports, call, id) };
  };
}
