import { newId } from '../core/id.ts';
import type { Change, Other } from '../threads/change.ts';
import { childStartPatch, startPatch } from '../threads/start.ts';
import { statusLine } from '../threads/status-lines.ts';
import { sessionWorks, teamStarts, withMember } from '../threads/team.ts';
import type { Member, ThreadHead } from '../threads/thread.ts';
import { childExecution } from './runs.ts';

export interface Resumed extends Change {
  /** The primary thread's run that begins; undefined when only children go on. */
  readonly run: number | undefined;
}

/** Let every thread go on that rests at the budget, which has been raised or removed. */
export function resume(primary: ThreadHead, at: string): Resumed {
  const capped = (primary.team?.members ?? []).filter(
    ({ stop_reason }) => stop_reason?.type === 'budget_reached',
  );
  const own = ownRun(primary);
  const begun = own.run === undefined ? {} : startPatch(own.run, at);
  const since = sessionWorks(primary) ? {} : { at };
  const team = capped.reduce<ThreadHead>(
    (head, { thread_id }) => {
      const running = { status: 'running' as const, stop_reason: null };
      return { ...head, ...withMember(head, thread_id, running) };
    },
    { ...primary, ...teamStarts(primary, at) },
  ).team;
  const says = capped.length > 0 && team?.is_announced === false;
  return {
    run: own.run,
    lines: [
      ...(says ? [{ event: { id: newId('event'), type: 'session.status_running' as const } }] : []),
      ...capped.map((member) => statusLine('session.thread_status_running', member)),
    ],
    patch: {
      ...begun,
      ...(team === undefined ? {} : { team: says ? { ...team, is_announced: true } : team }),
    },
    session: {
      status: 'running',
      start: { ...own, ...since },
    },
    others: capped.map((member) => goOn(primary, member, capped.length, at)),
  };
}

/** The primary thread's run that begins, where it rests at the budget itself. */
function ownRun({ status, stop_reason, run }: ThreadHead): { readonly run?: number } {
  return status === 'idle' && stop_reason?.type === 'budget_reached' ? { run: run + 1 } : {};
}

function goOn(primary: ThreadHead, { thread_id }: Member, together: number, at: string): Other {
  const { session_id, version } = primary;
  return {
    thread_id,
    change: (child) => {
      const run = child.run + 1;
      const execution = childExecution({ session_id, thread_id, run }, together, version + 1);
      return {
        lines: [statusLine('session.thread_status_running', child)],
        patch: childStartPatch(run, at, execution),
        starts: run,
      };
    },
  };
}
