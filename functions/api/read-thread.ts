import { parseId } from '#shared/core/id.ts';
import { NoQuery, parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import { retrieveThread } from '#shared/threads/list-threads.ts';
import type { Route } from '#shared/door/route.ts';

/** GET /v1/sessions/{session_id}/threads/{thread_id}: 200 or 404. */
export function readThread(ports: Ports): Route {
  return async ({ path, query, call }) => {
    const session_id = parseId('session', path['session_id']);
    const thread_id = parseId('thread', path['thread_id']);
    parseQuery(NoQuery, query);
    return { status: 200, body: await retrieveThread(ports, call, session_id, thread_id) };
  };
}
