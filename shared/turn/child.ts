import { newId } from '../core/id.ts';
import type { Line } from '../events/event.ts';
import { startPatch } from '../threads/start.ts';
import { addUsage } from '../sessions/add-usage.ts';
import { billOf, usageNow } from '../sessions/session-usage.ts';
import type { SessionHead } from '../sessions/session.ts';
import type { Change, Other, OtherChange } from '../threads/change.ts';
import { statusLine, threadIdleLine, type Stop } from '../threads/status-lines.ts';
import { isWoken, runningSince, sessionWorks, withMember } from '../threads/team.ts';
import type { Member, ThreadHead, Usage } from '../threads/thread.ts';
import { restPatch, restSession, terminatedLines, terminatedPatch } from './settle.ts';

/** What a child's end tells to whoever started it. */
export interface Report {
  readonly content: readonly { readonly type: 'text'; readonly text: string }[];
}

export function reportOf(text: string): Report {
  return { content: [{ type: 'text', text }] };
}

/** What is told of a child that could not go on. */
export function stoppedReport({ agent_name }: ThreadHead): Report {
  return reportOf(
    `[${agent_name} could not go on and was stopped; its thread takes no more messages. What it has written to files is still there. Start another agent if the work is still needed.]`,
  );
}

/** At what moment, and what the change beside this one adds to the session's sums. */
export interface ChildRest {
  readonly now: Date;
  readonly charged?: Partial<Usage>;
  /** @default - none: it was interrupted, waits for an answer, or rests at the budget */
  readonly report?: Report | undefined;
}

/**
 * End a child's turn: its own log, what the primary's says of it, the report that wakes the primary,
 * and the session at rest when no thread is left at work: all or nothing.
 */
export function settleChild(head: ThreadHead, stop: Stop, rest: ChildRest): Change {
  const ended: Ended = {
    ...rest,
    head,
    member: { status: 'idle', stop_reason: stop.reason },
    lines: [threadIdleLine(head, stop)],
  };
  return {
    lines: [...sentLines(head, rest.report), threadIdleLine(head, stop)],
    patch: restPatch(head, stop, rest.now),
    others: [tellPrimary(ended)],
    settled: stop.reason.type,
  };
}

/** End a child for good: it cannot go on, and whoever started it is told why. */
export function failChild(head: ThreadHead, stop: Stop | undefined, rest: ChildRest): Change {
  const idle = stop === undefined ? [] : [stop];
  const said = (): Line[] => [
    ...idle.map((one) => threadIdleLine(head, one)),
    ...terminatedLines(head),
  ];
  const ended: Ended = { ...rest, head, member: undefined, lines: said() };
  return {
    lines: [...sentLines(head, rest.report), ...said()],
    patch: terminatedPatch(head, rest.now),
    others: [tellPrimary(ended)],
    settled: stop?.reason.type ?? 'terminated',
  };
}

/** A child's status, where nothing but it changes: on its own log and on its primary's. */
export function tellStatus(
  head: ThreadHead,
  type: 'session.thread_status_running' | 'session.thread_status_rescheduled',
): Other {
  const status = type === 'session.thread_status_running' ? 'running' : 'rescheduling';
  return {
    thread_id: head.parent_thread_id ?? '',
    change: (primary) => ({
      lines: [statusLine(type, head)],
      patch: withMember(primary, head.thread_id, { status, stop_reason: null }),
    }),
  };
}

interface Ended extends ChildRest {
  readonly head: ThreadHead;
  /** What the primary knows of it from now on; undefined: nothing, it is gone. */
  readonly member: Partial<Member> | undefined;
  /** What the primary's log says of it. */
  readonly lines: readonly Line[];
}

function tellPrimary(ended: Ended): Other {
  return {
    thread_id: ended.head.parent_thread_id ?? '',
    change: (primary, session) => noteEnd(primary, session, ended),
  };
}

function noteEnd(primary: ThreadHead, session: SessionHead, ended: Ended): OtherChange {
  const { head, report, now } = ended;
  const lines = [...ended.lines, ...(report === undefined ? [] : [receivedLine(head, report)])];
  const told: Partial<ThreadHead> = {
    ...withMember(primary, head.thread_id, ended.member),
    ...(report === undefined ? {} : { unread: (primary.unread ?? 0) + 1 }),
  };
  const next = { ...primary, ...told };
  if (isWoken(next, report !== undefined)) {
    const run = next.run + 1;
    return {
      lines,
      patch: { ...told, ...startPatch(run, now.toISOString()) },
      session: { start: { run } },
      starts: run,
    };
  }
  if (sessionWorks(next)) return { lines, patch: told };
  const rest = restSession(next, {
    bill: billWith(session, ended),
    now,
    since: runningSince(primary),
  });
  return { ...rest, lines: [...lines, ...rest.lines], patch: { ...told, ...rest.patch } };
}

function billWith(session: SessionHead, { now, charged = {} }: Ended) {
  const usage = usageNow(addUsage(session.usage, charged), session.running_since, now);
  return billOf({ usage, budget: session.budget });
}

function sentLines({ parent_thread_id = '' }: ThreadHead, report: Report | undefined): Line[] {
  if (report === undefined) return [];
  const to_session_thread_id = parent_thread_id;
  const content = [...report.content];
  const id = newId('event');
  return [{ event: { id, type: 'agent.thread_message_sent', to_session_thread_id, content } }];
}

function receivedLine({ thread_id, agent_name }: ThreadHead, { content }: Report): Line {
  return {
    event: {
      id: newId('event'),
      type: 'agent.thread_message_received',
      from_session_thread_id: thread_id,
      from_agent_name: agent_name,
      content: [...content],
    },
  };
}
