import { parseId } from '#shared/core/id.ts';
import { parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import { listThreads as list, ThreadListQuery } from '#shared/threads/list-threads.ts';
import type { Route } from '#shared/door/route.ts';

/** GET /v1/sessions/{session_id}/threads: 200 with a page, 400 or 404. */
export function listThreads(ports: Ports): Route {
  return async ({ path, query, call }) => {
    const id = parseId('session', path['session_id']);
    return { status: 200, body: await list(ports, call, id, parseQuery(ThreadListQuery, query)) };
  };
}
