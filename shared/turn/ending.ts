import type { BetaManagedAgentsSessionErrorEvent } from '@anthropic-ai/sdk/resources/beta/sessions/events';
import { newId } from '../core/id.ts';
import { limits } from '../core/limits.ts';
import { interruptedResult } from '../events/call-lines.ts';
import type { Line } from '../events/event.ts';
import { lineOf } from '../events/inbox.ts';
import type { ModelError } from '../models/model-error.ts';
import { noRequestUsage, shownUsage, type RequestUsage } from '../models/model.ts';
import { idleLines, statusLine, type Stop } from '../threads/status-lines.ts';
import { interrupted, isChild, teamWorks } from '../threads/team.ts';
import type { ThreadHead } from '../threads/thread.ts';
import { closeConsult } from './advise.ts';
import { andRest, begunFirst } from './and-rest.ts';
import { after, merge } from './change.ts';
import { tellStatus } from './child.ts';
import { giveOutcomeUp } from './outcome.ts';
import { abandonChild, restOf } from './rest.ts';
import { terminate } from './settle.ts';
import type { ThreadPorts } from './turn-ports.ts';
import type { Turn } from './turn.ts';
import type { Change } from '../threads/change.ts';

type SessionError = BetaManagedAgentsSessionErrorEvent['error'];

/** The errors that the model and its loop can end a turn with; repositories and MCP have others. */
export type ErrorType = Extract<
  SessionError['type'],
  | 'unknown_error'
  | 'model_overloaded_error'
  | 'model_rate_limited_error'
  | 'model_request_failed_error'
  | 'billing_error'
  | 'tool_use_limit_reached_error'
  | 'compaction_limit_reached_error'
>;

const errorTypes: Readonly<Record<ModelError['kind'], ErrorType>> = {
  overloaded: 'model_overloaded_error',
  rate_limited: 'model_rate_limited_error',
  failed: 'model_request_failed_error',
  unauthorized: 'model_request_failed_error',
  billing: 'billing_error',
  context_too_long: 'compaction_limit_reached_error',
  aborted: 'unknown_error',
};

type RetryStatus = SessionError['retry_status']['type'];

function errorLine(type: ErrorType, message: string, retry: RetryStatus): Line {
  const error = { type, message, retry_status: { type: retry } } as SessionError;
  return { event: { id: newId('event'), type: 'session.error', error } };
}

/** Close the span of a request that brought no answer. @param spent What it has used all the same */
export function closeSpan(head: ThreadHead, spent: RequestUsage = noRequestUsage): Change {
  if (head.open_span === null) return { lines: [] };
  return {
    lines: [
      {
        event: {
          id: newId('event'),
          type: 'span.model_request_end',
          model_request_start_id: head.open_span,
          is_error: true,
          model_usage: shownUsage(spent),
        },
      },
    ],
    patch: { open_span: null },
  };
}

/** Close every call without an answer; the model must find one for each of them. */
function closeCalls(head: ThreadHead, now: Date): Change {
  const open = head.calls.filter(({ state }) => state !== 'answered');
  const shown = open.filter(({ thread_id }) => thread_id === undefined);
  const consults = open.filter(({ thread_id }) => thread_id !== undefined);
  const members = head.team?.members.filter(({ is_advisor }) => is_advisor !== true);
  const closed: Change = {
    lines: shown.map(interruptedResult),
    patch: {
      calls: [],
      phase: 'take',
      ...(consults.length > 0 && head.team && members ? { team: { ...head.team, members } } : {}),
    },
  };
  return consults.map((call) => closeConsult(call, now)).reduce(merge, closed);
}

/**
 * Rest, when the head still says so at the moment of writing: a message, an answer or an interrupt
 * that came meanwhile is work, and the loop goes on with it.
 */
export async function rest(turn: Turn<ThreadPorts>): Promise<void> {
  await turn.writer.append((head) => andRest(turn, head, { lines: [] }));
}

/**
 * Rest at the budget, unless it was raised or something was sent since the last look: then nothing
 * is written, and the loop decides anew. A request that died with its function has left a span open.
 */
export async function restAtBudget(turn: Turn<ThreadPorts>): Promise<void> {
  await turn.look(true);
  if (!turn.overBudget(turn.head)) return;
  const seen = turn.head.version;
  const stop: Stop = { reason: { type: 'budget_reached' } };
  await turn.writer.append((head) =>
    head.version === seen ? restChange(turn, head, stop, closeSpan(head)) : { lines: [] },
  );
}

function restChange(turn: Turn<ThreadPorts>, head: ThreadHead, stop: Stop, before: Change): Change {
  const first = begunFirst(head, before);
  return merge(first, restOf(turn, after(head, first), { stop, first }));
}

/**
 * End a turn that was cut short. With messages waiting the idle is said and the next turn begins
 * at once: a session that rests has nothing in its inbox.
 */
export function endTurn(
  turn: Turn<ThreadPorts>,
  head: ThreadHead,
  stop: Stop,
  before: Change,
): Change {
  const first = begunFirst(head, before);
  const next = after(head, first);
  if (next.queue.length === 0) return restChange(turn, head, stop, first);
  // An interrupt that came meanwhile ends this turn, and not a next one.
  if (interrupted(next)) return first;
  const { team } = next;
  const said = team === undefined || teamWorks(next) ? team : { ...team, is_announced: false };
  return merge(first, {
    lines: idleLines(next, stop, turn.bill(next)),
    ...(next.status === 'running' ? {} : { session: { status: 'running' as const } }),
    patch: {
      // The next turn has not failed yet: whatever ends it says first that it has begun.
      status: 'running',
      announced: false,
      attempts: 0,
      rounds: 0,
      phase: 'take',
      calls: [],
      ...(said === undefined ? {} : { team: said }),
    },
  });
}

/**
 * A client's interrupt: it comes first, whatever is open is closed, the turn ends as if it had
 * ended by itself. Messages that wait begin a new turn at once.
 */
export async function interrupt(turn: Turn<ThreadPorts>): Promise<void> {
  const { queue: waiting } = turn.head;
  // What asks for no answer is heard with it: else it alone would begin another turn.
  const goes_on = waiting.some(({ type }) => type === 'user.message');
  const asked = waiting.filter(({ type }) => !goes_on || type === 'user.interrupt');
  const events = await turn.queued(asked);
  const taken = new Set(asked.map(({ id }) => id));
  const logged = await turn.writer.append((head) => {
    const queue = head.queue.filter(({ id }) => !taken.has(id));
    const heard: Change = { lines: events.map(lineOf), patch: { queue } };
    const now = turn.ports.clock.now();
    const closed = merge(closeCalls(head, now), closeSpan(head));
    const change = merge(merge(heard, closed), giveOutcomeUp(head, now));
    return endTurn(turn, head, { reason: { type: 'end_turn' } }, change);
  });
  turn.context.take(logged);
}

/**
 * Flush the whole inbox into the history with a change that ends the turn. An event that comes
 * while it is being read makes another round, so that none is left behind in a session at rest.
 */
async function flush(
  turn: Turn<ThreadPorts>,
  change: (head: ThreadHead, flushed: Change) => Change,
): Promise<void> {
  for (;;) {
    const { queue } = turn.head;
    const events = await turn.queued(queue);
    const taken = new Set(queue.map(({ id }) => id));
    let late = false;
    const logged = await turn.writer.append((head) => {
      late = head.queue.some(({ id }) => !taken.has(id));
      if (late) return { lines: [] };
      return change(head, { lines: events.map(lineOf), patch: { queue: [] } });
    });
    turn.context.take(logged);
    if (!late) return;
  }
}

/** Wait before the next try: twice as long each time, or as long as the provider asks. */
function retryWaitMs(attempt: number, error: ModelError, random: () => number): number {
  const backoff = limits.retry_wait_base_ms * 2 ** attempt * (0.75 + random() / 2);
  return Math.min(limits.retry_wait_max_ms, Math.max(backoff, error.retry_after_ms ?? 0));
}

/**
 * A model request failed.
 * @param is_graders It was the grader's: its conversation is another one each time, and not the thread's.
 * @returns how long to wait before the next try; undefined when the turn is over, or is to stop.
 */
export async function failRequest(
  turn: Turn<ThreadPorts>,
  error: ModelError,
  is_graders = false,
): Promise<number | undefined> {
  const { attempts } = turn.head;
  const type = errorTypes[error.kind];
  if (error.retryable && attempts < limits.turn_retries_max) {
    // What has been told to stop since waits for nothing: an interrupt that comes later cuts the wait.
    await turn.writer.append((head) =>
      interrupted(head)
        ? { lines: [] }
        : reschedule(head, errorLine(type, error.message, 'retrying')),
    );
    if (interrupted(turn.head)) return undefined;
    return retryWaitMs(attempts, error, turn.ports.random);
  }
  // The request itself is refused: this conversation, or its model, will be refused every time.
  const is_refused = error.kind === 'failed' && (error.status === 400 || error.status === 404);
  if (is_refused && !is_graders) await abandon(turn, errorLine(type, error.message, 'terminal'));
  else await exhaust(turn, type, error.message);
  return undefined;
}

function reschedule(head: ThreadHead, line: Line): Change {
  const told = statusLine('session.thread_status_rescheduled', head);
  const patch: Partial<ThreadHead> = {
    status: 'rescheduling',
    announced: false,
    attempts: head.attempts + 1,
    // Nobody is at work while the machine waits; until when it counts as moving stays.
    lease_holder: null,
  };
  const closed = closeSpan(head);
  if (isChild(head)) {
    const others = [tellStatus(head, 'session.thread_status_rescheduled')];
    return merge(closed, { lines: [line, told], patch, others });
  }
  // As long as another thread runs, so does the session.
  if (teamWorks(head)) return merge(closed, { lines: [line, told], patch });
  const { team } = head;
  const said = team === undefined ? {} : { team: { ...team, is_announced: false } };
  const rescheduled: Change = {
    lines: [line, { event: { id: newId('event'), type: 'session.status_rescheduled' } }, told],
    patch: { ...patch, ...said },
    session: { status: 'rescheduling' },
  };
  return merge(closed, rescheduled);
}

/** The session, or a child, cannot go on: what waits is kept in its history, and it ends. */
async function abandon(turn: Turn<ThreadPorts>, line: Line): Promise<void> {
  await flush(turn, (head, flushed) => {
    const now = turn.ports.clock.now();
    const said = merge(closeSpan(head), { lines: [line] });
    const closed = merge(merge(said, giveOutcomeUp(head, now)), flushed);
    const next = after(head, closed);
    return merge(closed, isChild(head) ? abandonChild(next, closed, now) : terminate(next, now));
  });
}

/**
 * The turn cannot go on: say why, flush what waits into the history, and rest. The next message
 * starts anew.
 */
export async function exhaust(
  turn: Turn<ThreadPorts>,
  type: ErrorType,
  message: string,
): Promise<void> {
  await flush(turn, (head, flushed) => {
    const closed = closeExhausted(head, turn.ports.clock.now(), { type, message });
    return restChange(turn, head, exhausted, merge(closed, flushed));
  });
}

/** Why a turn rests that cannot go on. */
export const exhausted: Stop = { reason: { type: 'retries_exhausted' } };

/** What is closed and said before that; also by reconcile, when no step comes so far. */
export function closeExhausted(
  head: ThreadHead,
  now: Date,
  { type, message }: { readonly type: ErrorType; readonly message: string },
): Change {
  const closed = merge(closeCalls(head, now), closeSpan(head));
  const said: Change = { lines: [errorLine(type, message, 'exhausted')] };
  return merge(merge(closed, said), giveOutcomeUp(head, now, message));
}
