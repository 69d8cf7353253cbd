import { isChild } from '../threads/team.ts';
import type { StopReason, ThreadHead } from '../threads/thread.ts';
import type { Change } from '../threads/change.ts';
import { announce } from './begin.ts';
import { after, merge } from './change.ts';
import { reportOf, type Report } from './child.ts';
import { decide } from './decide.ts';
import { lastSaid } from './messages.ts';
import { beginEvaluation } from './outcome.ts';
import { restOf } from './rest.ts';
import type { ThreadPorts } from './turn-ports.ts';
import type { Turn } from './turn.ts';

/** Each idle in the log ends something: a turn that a change ends and nobody has said to run is said so first. */
export function begunFirst(head: ThreadHead, change: Change): Change {
  const { status, announced } = after(head, change);
  return status === 'running' && !announced ? merge(announce(head), change) : change;
}

/**
 * Let a change also end the turn when nothing is left to do behind it: one transaction less, and
 * no moment at which the answer is there and the session still runs.
 */
export function andRest(turn: Turn<ThreadPorts>, head: ThreadHead, change: Change): Change {
  const next = after(head, change);
  if (decide(next) === 'evaluate') {
    const begun = begunFirst(head, change);
    return merge(begun, beginEvaluation(after(head, begun)));
  }
  const reason = restReason(next);
  if (reason === undefined) return change;
  const first = begunFirst(head, change);
  const words = isChild(next) && reason.type === 'end_turn' ? lastWords(turn, change) : undefined;
  const report = words === undefined ? {} : { report: words };
  return merge(first, restOf(turn, after(head, first), { stop: { reason }, first, ...report }));
}

/** What a child says last is its report: in the change that ends its turn, or already in its context. */
function lastWords({ context }: Turn<ThreadPorts>, { lines }: Change): Report {
  const said = lines.flatMap(({ event }) => (event.type === 'agent.message' ? event.content : []));
  const last = said.length > 0 ? said : lastSaid(context.conversation);
  const text = last.map((block) => ('text' in block ? block.text : '')).join('\n\n');
  return reportOf(text.trim() === '' ? '[The agent ended its turn without a word.]' : text);
}

/** Why the thread would rest now; undefined when it has something to do. */
function restReason(head: ThreadHead): StopReason | undefined {
  const action = decide(head);
  if (action === 'settle') return { type: 'end_turn' };
  if (action !== 'await') return undefined;
  const open = head.calls.filter(({ state }) => state === 'ask' || state === 'custom');
  return { type: 'requires_action', event_ids: open.map(({ event_id }) => event_id) };
}
