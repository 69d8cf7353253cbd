import type { Member, Queued, StopReason, Team, ThreadHead, ThreadStatus } from './thread.ts';

/** Whether a thread of this status is at work. */
export function isAtWork(status: ThreadStatus): boolean {
  return status === 'running' || status === 'rescheduling';
}

/**
 * Whether an interrupt is to cut a wait, in which the machine has no step at work: the turn goes on as
 * another run, and the step that comes behind the wait finds its own superseded. Once is enough.
 */
export function cutsWait(head: ThreadHead, sent: readonly Pick<Queued, 'type'>[]): boolean {
  const { status, lease_holder } = head;
  const waits = status === 'rescheduling' && lease_holder === null;
  return waits && sent.some(isInterrupt) && !interrupted(head);
}

/** Whether a client has asked the thread to stop. */
export function interrupted({ queue }: ThreadHead): boolean {
  return queue.some(isInterrupt);
}

function isInterrupt({ type }: Pick<Queued, 'type'>): boolean {
  return type === 'user.interrupt';
}

export function isChild(head: ThreadHead): boolean {
  return head.parent_thread_id !== undefined;
}

/** Whether any child of a primary thread is at work. */
export function teamWorks({ team }: Pick<ThreadHead, 'team'>): boolean {
  return team?.members.some(({ status }) => isAtWork(status)) ?? false;
}

/** Whether a session runs, by the head of its primary thread: while one of its threads does. */
export function sessionWorks(primary: ThreadHead): boolean {
  return isAtWork(primary.status) || teamWorks(primary);
}

/** Since when a session runs, by the head of its primary thread. */
export function runningSince({ team, running_since }: ThreadHead): string | null {
  return team === undefined ? running_since : team.running_since;
}

/**
 * Why a session rests whose threads all do: for all answers that any of them waits for; else at its
 * budget; else as its primary thread does.
 */
export function sessionStop({ stop_reason, team }: ThreadHead): StopReason {
  const reasons = [stop_reason, ...(team?.members ?? []).map((member) => member.stop_reason)];
  const event_ids = reasons.flatMap((reason) =>
    reason?.type === 'requires_action' ? reason.event_ids : [],
  );
  if (event_ids.length > 0) return { type: 'requires_action', event_ids };
  const capped = reasons.find((reason) => reason?.type === 'budget_reached');
  return capped ?? stop_reason ?? { type: 'end_turn' };
}

/** Children that count against the bound: an advisor does not. */
export function countedMembers({ members }: Team): readonly Member[] {
  return members.filter(({ is_advisor }) => is_advisor !== true);
}

export function memberOf({ team }: ThreadHead, thread_id: string): Member | undefined {
  return team?.members.find((member) => member.thread_id === thread_id);
}

/** The primary's head with one child as it is now; with undefined, without it. */
export function withMember(
  { team }: ThreadHead,
  thread_id: string,
  patch: Partial<Member> | undefined,
): Pick<ThreadHead, 'team'> {
  if (team === undefined) return {};
  const members = team.members.flatMap((member) => {
    if (member.thread_id !== thread_id) return [member];
    return patch === undefined ? [] : [{ ...member, ...patch }];
  });
  return { team: { ...team, members } };
}

/** What changes of a team when its session begins to run; nothing when it runs already. */
export function teamStarts(primary: ThreadHead, at: string): Pick<ThreadHead, 'team'> {
  const { team } = primary;
  if (team === undefined || sessionWorks(primary)) return {};
  return { team: { ...team, running_since: at } };
}

/** Whether no child works, or will once it is answered: only then is what all have made judged. */
export function teamIsDone({ team }: Pick<ThreadHead, 'team'>): boolean {
  return !team?.members.some(({ status, stop_reason }) => isAtWork(status) || goesOn(stop_reason));
}

/** Whether a primary thread that rests goes on by itself: with a report, or to have its work judged. */
export function isWoken(primary: ThreadHead, is_told: boolean): boolean {
  const { status, stop_reason, outcome } = primary;
  if (status !== 'idle' || goesOn(stop_reason)) return false;
  // A refusal holds an outcome.
  const is_done = outcome?.stage === 'work' && stop_reason?.type === 'end_turn';
  return is_told || (is_done && teamIsDone(primary));
}

/** Whether a thread that rests has not ended what it was at. */
function goesOn(reason: StopReason | null): boolean {
  return reason?.type === 'requires_action' || reason?.type === 'budget_reached';
}
