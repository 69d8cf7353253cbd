import { parseId } from '#shared/core/id.ts';
import { NoBody, parseBody } from '#shared/core/parse.ts';
import {
  archiveThread as archive,
  type ThreadArchivePorts,
} from '#shared/threads/archive-thread.ts';
import type { Route } from '#shared/door/route.ts';

/** POST /v1/sessions/{session_id}/threads/{thread_id}/archive: 400 for the primary one, or 404. */
export function archiveThread(ports: ThreadArchivePorts): Route {
  return async ({ path, body, call }) => {
    const session_id = parseId('session', path['session_id']);
    const thread_id = parseId('thread', path['thread_id']);
    parseBody(NoBody, body);
    return { status: 200, body: await archive(ports, call, session_id, thread_id) };
  };
}
