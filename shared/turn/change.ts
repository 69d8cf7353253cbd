import type { StopReason, ThreadHead } from '../threads/thread.ts';
import { decide } from './decide.ts';
import { beginEvaluation } from './outcome.ts';
import { restOf } from './rest.ts';
import type { ThreadPorts } from './turn-ports.ts';
import type { Turn } from './turn.ts';
import type { Change } from './writer.ts';

/** Two changes as one: the lines in order, the later patch and the later sums on top. */
export function merge(first: Change, second: Change): Change {
  return {
    lines: [...first.lines, ...second.lines],
    patch: { ...first.patch, ...second.patch },
    ...sessionOf(first.session, second.session),
    writes: [...(first.writes ?? []), ...(second.writes ?? [])],
    ...settledOf(second.settled ?? first.settled),
  };
}

/** The session's head is left alone when neither change touches it: each write costs. */
function sessionOf(first: Change['session'], second: Change['session']): Pick<Change, 'session'> {
  if (first === undefined || second === undefined) {
    const session = first ?? second;
    return session === undefined ? {} : { session };
  }
  return { session: { ...first, ...second, usage: { ...first.usage, ...second.usage } } };
}

/** The head as a change will leave it. */
export function after(head: ThreadHead, change: Change): ThreadHead {
  return { ...head, ...change.patch };
}

/**
 * Let a change also end the turn when nothing is left to do behind it: one transaction less, and
 * no moment at which the answer is there and the session still runs.
 */
export function andRest(turn: Turn<ThreadPorts>, head: ThreadHead, change: Change): Change {
  const next = after(head, change);
  if (decide(next) === 'evaluate') return merge(change, beginEvaluation(next));
  const reason = restReason(next);
  if (reason === undefined) return change;
  return merge(change, restOf(turn, next, { reason }));
}

function settledOf(settled: string | undefined): Pick<Change, 'settled'> {
  return settled === undefined ? {} : { settled };
}

/** Why the thread would rest now; undefined when it has something to do. */
function restReason(head: ThreadHead): StopReason | undefined {
  const action = decide(head);
  if (action === 'settle') return { type: 'end_turn' };
  if (action !== 'await') return undefined;
  const open = head.calls.filter(({ state }) => state === 'ask' || state === 'custom');
  return { type: 'requires_action', event_ids: open.map(({ event_id }) => event_id) };
}
