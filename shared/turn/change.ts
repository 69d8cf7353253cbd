import { isChild } from '../threads/team.ts';
import type { StopReason, ThreadHead } from '../threads/thread.ts';
import { reportOf, type Report } from './child.ts';
import { decide } from './decide.ts';
import { beginEvaluation } from './outcome.ts';
import { lastSaid } from './messages.ts';
import { restOf } from './rest.ts';
import type { ThreadPorts } from './turn-ports.ts';
import type { Turn } from './turn.ts';
import { mergeSession, type Change } from '../threads/change.ts';

/** Two changes as one: the lines in order, the later patch and the later sums on top. */
export function merge(first: Change, second: Change): Change {
  return {
    lines: [...first.lines, ...second.lines],
    patch: { ...first.patch, ...second.patch },
    ...sessionOf(mergeSession(first.session, second.session)),
    writes: [...(first.writes ?? []), ...(second.writes ?? [])],
    others: [...(first.others ?? []), ...(second.others ?? [])],
    ...settledOf(second.settled ?? first.settled),
  };
}

/** The session's head is left alone when neither change touches it: each write costs. */
function sessionOf(session: Change['session']): Pick<Change, 'session'> {
  return session === undefined ? {} : { session };
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
  const words = isChild(next) && reason.type === 'end_turn' ? lastWords(turn, change) : undefined;
  const report = words === undefined ? {} : { report: words };
  return merge(change, restOf(turn, next, { stop: { reason }, first: change, ...report }));
}

/** What a child says last is its report: in the change that ends its turn, or already in its context. */
function lastWords({ context }: Turn<ThreadPorts>, { lines }: Change): Report {
  const said = lines.flatMap(({ event }) => (event.type === 'agent.message' ? event.content : []));
  const last = said.length > 0 ? said : lastSaid(context.conversation);
  const text = last.map((block) => ('text' in block ? block.text : '')).join('\n\n');
  return reportOf(text.trim() === '' ? '[The agent ended its turn without a word.]' : text);
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
