import * as z from 'zod';
import { parseId } from '#shared/core/id.ts';
import { limits } from '#shared/core/limits.ts';
import { parseQuery, queryList } from '#shared/core/parse.ts';
import { Follower } from '#shared/events/follow.ts';
import { frameText, opening, ping } from '#shared/events/frame.ts';
import { readThread } from '#shared/threads/read-thread.ts';
import type { StreamPorts, StreamRoute } from './stream-route.ts';

const Query = z.strictObject({
  event_deltas: queryList(z.enum(['agent.message', 'agent.thinking']))
    .refine((types) => types.length <= limits.event_deltas_max, 'has too many values.')
    .optional(),
});

/**
 * GET /v1/sessions/{session_id}/events/stream and …/threads/{thread_id}/stream: 200 and frames until
 * the thread ends, 400 or 404. A reader that was cut connects again with `Last-Event-ID`.
 */
export function streamEvents(ports: StreamPorts): StreamRoute {
  return async ({ path, query, call }, { headers, signal }) => {
    const { event_deltas = [] } = parseQuery(Query, query);
    const session_id = parseId('session', path['session_id']);
    const { thread_id } = path;
    const head = await readThread(
      ports.table,
      call,
      session_id,
      thread_id === undefined ? undefined : parseId('thread', thread_id),
    );
    const after_id = headers['last-event-id'] || undefined;
    const follower = await Follower.open(ports, ports.tail, head, { after_id, event_deltas });
    return {
      headers: {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-cache, no-transform',
      },
      chunks: textOf(follower, signal),
      resumable: true,
    };
  };
}

/** Frames as they come, and a sign of life where none has come for a while. */
async function* textOf(follower: Follower, signal: AbortSignal): AsyncGenerator<string> {
  yield opening;
  let written_ms = performance.now();
  for await (const frames of follower.frames(signal)) {
    const quiet = performance.now() - written_ms >= limits.stream_ping_ms;
    if (frames.length === 0 && !quiet) continue;
    yield frames.length === 0 ? ping : frames.map(frameText).join('');
    written_ms = performance.now();
  }
}
