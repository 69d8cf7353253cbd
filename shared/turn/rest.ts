import { dueReport } from '../outcome-reports/due.ts';
import type { Stop } from '../threads/status-lines.ts';
import type { ThreadHead } from '../threads/thread.ts';
import { settle } from './settle.ts';
import type { ThreadPorts } from './turn-ports.ts';
import type { Turn } from './turn.ts';
import type { Change } from './writer.ts';

/** Bring a thread to rest, with the report on it that is due where its agent has an outcome model. */
export function restOf(turn: Turn<ThreadPorts>, head: ThreadHead, stop: Stop): Change {
  const now = turn.ports.clock.now();
  const change = settle(head, stop, turn.bill(head), now);
  if (!isReported(turn, stop.reason)) return change;
  return { ...change, writes: [dueReport(head, change.lines, now.toISOString())] };
}

/** Whether a head as a turn left it is at a rest that is reported on. */
export function reportsRest(turn: Turn<ThreadPorts>, { status, stop_reason }: ThreadHead): boolean {
  return status === 'idle' && stop_reason !== null && isReported(turn, stop_reason);
}

function isReported({ config }: Turn<ThreadPorts>, reason: Stop['reason']): boolean {
  return config.has_outcome_model === true && reason.type === 'end_turn';
}
