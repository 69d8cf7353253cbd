import { newId } from '../core/id.ts';
import { lineOf, type QueuedEvent } from '../events/inbox.ts';
import { runningLines } from '../threads/status-lines.ts';
import { isChild } from '../threads/team.ts';
import type { ThreadHead } from '../threads/thread.ts';
import { after, merge } from './change.ts';
import { tellStatus } from './child.ts';
import { startWork } from './outcome.ts';
import type { Turn } from './turn.ts';
import type { Change } from '../threads/change.ts';

/** Say that the thread runs, when the log does not say so yet. */
export function announce(head: ThreadHead): Change {
  if (head.announced && head.status === 'running') return { lines: [] };
  const lines = runningLines(head);
  const patch: Partial<ThreadHead> = { announced: true, status: 'running' };
  if (isChild(head)) {
    return { lines, patch, others: [tellStatus(head, 'session.thread_status_running')] };
  }
  const { team } = head;
  const said = team === undefined ? {} : { team: { ...team, is_announced: true } };
  // Whoever set the thread running has set the session so, but for one that waited to try again.
  const session = head.status === 'running' ? {} : { session: { status: 'running' as const } };
  return { lines, patch: { ...patch, ...said }, ...session };
}

/** Open the span of the next model request; a span that a crash left open is used again. */
export function beginRequest(head: ThreadHead): Change {
  if (head.open_span !== null) return announce(head);
  const id = newId('event');
  const begun = merge(announce(head), {
    lines: [{ event: { id, type: 'span.model_request_start' } }],
    patch: {
      open_span: id,
      rounds: head.rounds + 1,
      phase: 'model',
      calls: [],
      // All that has come from other threads is in this request.
      ...(head.unread === undefined ? {} : { unread: 0 }),
    },
  });
  return merge(startWork(head), begun);
}

/** Take what waits in the inbox into the log, and begin the request that answers what the user said. */
export async function takeQueue(turn: Turn): Promise<void> {
  const { writer } = turn;
  const wanted = turn.head.queue.filter(({ type }) => type !== 'user.interrupt');
  const events = await turn.queued(wanted);
  // The ids that were asked for, not those that were found: a row that TTL took must not wait on.
  const taken = new Set(wanted.map(({ id }) => id));
  const logged = await writer.append((head) => takeInto(head, events, taken));
  turn.context.take(logged);
}

/** Events that came after these were read wait for the next time. */
function takeInto(
  head: ThreadHead,
  events: readonly QueuedEvent[],
  taken: ReadonlySet<string>,
): Change {
  const queue = head.queue.filter(({ id }) => !taken.has(id));
  const { team } = head;
  // A client has spoken: its agents may talk to each other again.
  const counted = team === undefined ? {} : { team: { ...team, sent_count: 0 } };
  const heard: Change = { lines: events.map(lineOf), patch: { queue, ...counted } };
  // A system message alone asks for nothing, and no provider takes one right behind the assistant's.
  if (!events.some(({ type }) => type === 'user.message')) return heard;
  return merge(heard, beginRequest(after(head, heard)));
}
