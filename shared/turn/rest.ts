import type { Change } from '../threads/change.ts';
import type { Stop } from '../threads/status-lines.ts';
import { isChild, teamWorks } from '../threads/team.ts';
import type { ThreadHead } from '../threads/thread.ts';
import { dueReport } from '../outcome-reports/due.ts';
import { failChild, reportOf, settleChild, stoppedReport, type Report } from './child.ts';
import { settle } from './settle.ts';
import type { ThreadPorts } from './turn-ports.ts';
import type { Turn } from './turn.ts';

/** What a rest is made from, beside the head as it will stand. */
export interface Resting {
  readonly stop: Stop;
  /** What comes before it in the same append. */
  readonly first: Change;
  /** What a child hands over to whoever started it. @default - what its stop says, or nothing */
  readonly report?: Report;
}

/**
 * Bring a thread to rest: a child with what it reports, a primary one with the report on it that is
 * due where its agent has an outcome model.
 */
export function restOf(turn: Turn<ThreadPorts>, head: ThreadHead, resting: Resting): Change {
  const { stop } = resting;
  const now = turn.ports.clock.now();
  if (isChild(head)) return restChild(head, resting, now);
  const change = settle(head, stop, turn.bill(head), now);
  if (!isReported(turn, head, stop.reason)) return change;
  return { ...change, writes: [dueReport(head, change.lines, now.toISOString())] };
}

function restChild(head: ThreadHead, { stop, first, report }: Resting, now: Date): Change {
  const rest = { now, charged: first.session?.usage ?? {}, report: report ?? reportOn(head, stop) };
  if (stop.reason.type === 'retries_exhausted') return failChild(head, stop, rest);
  return settleChild(head, stop, rest);
}

/** End a child whose model refuses its very conversation. */
export function abandonChild(head: ThreadHead, { session }: Change, now: Date): Change {
  const report = stoppedReport(head);
  return failChild(head, undefined, { now, charged: session?.usage ?? {}, report });
}

/** What the platform tells in a child's place, where it cannot speak for itself. */
function reportOn(head: ThreadHead, { reason, details }: Stop): Report | undefined {
  if (reason.type === 'retries_exhausted') return stoppedReport(head);
  if (reason.type !== 'refusal') return undefined;
  const why = details?.explanation ? ` ${details.explanation}` : '';
  return reportOf(`[${head.agent_name} declined to go on.${why}]`);
}

/** Whether a head as a turn left it is at a rest that is reported on. */
export function reportsRest(turn: Turn<ThreadPorts>, head: ThreadHead): boolean {
  const { status, stop_reason } = head;
  return status === 'idle' && stop_reason !== null && isReported(turn, head, stop_reason);
}

/** While a child works, there is more to come. */
function isReported(
  { config }: Turn<ThreadPorts>,
  head: ThreadHead,
  reason: Stop['reason'],
): boolean {
  if (isChild(head) || teamWorks(head)) return false;
  return config.has_outcome_model === true && reason.type === 'end_turn';
}
