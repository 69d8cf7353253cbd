import { parseId } from '#shared/core/id.ts';
import { parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import { EventListQuery, listEvents as list } from '#shared/events/list-events.ts';
import { readThread } from '#shared/threads/read-thread.ts';
import type { Route } from '#shared/door/route.ts';

/**
 * GET /v1/sessions/{session_id}/events and …/threads/{thread_id}/events: 200 with a page, 400 or
 * 404. Without a thread in the path it is the primary one's.
 */
export function listEvents(ports: Ports): Route {
  return async ({ path, query, call }) => {
    const session_id = parseId('session', path['session_id']);
    const { thread_id } = path;
    const wanted = parseQuery(EventListQuery, query);
    const head = await readThread(
      ports.table,
      call,
      session_id,
      thread_id === undefined ? undefined : parseId('thread', thread_id),
    );
    return { status: 200, body: await list(ports, head, wanted) };
  };
}
