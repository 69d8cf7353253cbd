import type { Member, StopReason, Team, ThreadHead, ThreadStatus } from './thread.ts';

/** Whether a thread of this status is at work. */
export function isAtWork(status: ThreadStatus): boolean {
  return status === 'running' || status === 'rescheduling';
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
