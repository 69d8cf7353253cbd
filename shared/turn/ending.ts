import type { BetaManagedAgentsSessionErrorEvent } from '@anthropic-ai/sdk/resources/beta/sessions/events';
import { newId } from '../core/id.ts';
import { limits } from '../core/limits.ts';
import { interruptedResult } from '../events/call-lines.ts';
import type { Line } from '../events/event.ts';
import { answeredWrite } from '../events/send-plan.ts';
import type { ModelError } from '../models/model-error.ts';
import { idleLines, type Stop } from '../threads/status-lines.ts';
import type { OpenCall, ThreadHead } from '../threads/thread.ts';
import { after, merge } from './change.ts';
import { lineOf } from './begin.ts';
import { settle, terminate } from './settle.ts';
import type { Turn } from './turn.ts';
import type { Change } from './writer.ts';

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
  billing: 'billing_error',
  context_too_long: 'compaction_limit_reached_error',
  aborted: 'unknown_error',
};

type RetryStatus = SessionError['retry_status']['type'];

function errorLine(type: ErrorType, message: string, retry: RetryStatus): Line {
  const error = { type, message, retry_status: { type: retry } } as SessionError;
  return { event: { id: newId('event'), type: 'session.error', error } };
}

/** Close the span of a request that brought nothing. */
export function closeSpan(head: ThreadHead): Change {
  if (head.open_span === null) return { lines: [] };
  return {
    lines: [
      {
        event: {
          id: newId('event'),
          type: 'span.model_request_end',
          model_request_start_id: head.open_span,
          is_error: true,
          model_usage: {
            input_tokens: 0,
            output_tokens: 0,
            cache_read_input_tokens: 0,
            cache_creation_input_tokens: 0,
          },
        },
      },
    ],
    patch: { open_span: null },
  };
}

/** Close every call without an answer; the model must find one for each of them. */
function closeCalls(head: ThreadHead, lineFor: (call: OpenCall) => Line): Change {
  const open = head.calls.filter(({ state }) => state !== 'answered');
  const waiting = open.filter(({ state }) => state === 'ask' || state === 'custom');
  return {
    lines: open.map(lineFor),
    patch: { calls: [], phase: 'take' },
    writes: waiting.map(({ event_id }) => answeredWrite(head.session_id, event_id)),
  };
}

/** Rest for a reason of the loop's own. */
export async function rest(turn: Turn, stop: Stop): Promise<void> {
  turn.ports.observe({ type: 'settled', reason: stop.reason.type });
  await turn.writer.append((head) => restChange(turn, head, stop, { lines: [] }));
}

function restChange(turn: Turn, head: ThreadHead, stop: Stop, first: Change): Change {
  const next = after(head, first);
  return merge(first, settle(next, stop, turn.bill(next), turn.ports.clock.now()));
}

/**
 * A client's interrupt: it comes first, whatever is open is closed, the turn ends as if it had
 * ended by itself. Messages that wait begin a new turn at once.
 */
export async function interrupt(turn: Turn): Promise<void> {
  const { writer } = turn;
  const asked = turn.head.queue.filter(({ type }) => type === 'user.interrupt');
  const events = await turn.queued(asked);
  const taken = new Set(events.map(({ id }) => id));
  const logged = await writer.append((head) => {
    const queue = head.queue.filter(({ id }) => !taken.has(id));
    const heard: Change = { lines: events.map(lineOf), patch: { queue } };
    const closed = merge(closeCalls(head, interruptedResult), closeSpan(head));
    const change = merge(heard, closed);
    const stop: Stop = { reason: { type: 'end_turn' } };
    if (queue.length === 0) return restChange(turn, head, stop, change);
    const next = after(head, change);
    return merge(change, {
      lines: idleLines(next, stop, turn.bill(next)),
      patch: { announced: false, attempts: 0, rounds: 0 },
    });
  });
  turn.context.take(logged);
}

/** Wait before the next try: twice as long each time, or as long as the provider asks. */
function retryWaitMs(attempt: number, error: ModelError, random: () => number): number {
  const backoff = limits.retry_wait_base_ms * 2 ** attempt * (0.75 + random() / 2);
  return Math.min(limits.retry_wait_max_ms, Math.max(backoff, error.retry_after_ms ?? 0));
}

/**
 * A model request failed.
 * @returns how long to wait before the next try; undefined when the turn is over.
 */
export async function failRequest(turn: Turn, error: ModelError): Promise<number | undefined> {
  const { attempts } = turn.head;
  const type = errorTypes[error.kind];
  if (error.retryable && attempts < limits.turn_retries_max) {
    await turn.writer.append((head) =>
      reschedule(head, errorLine(type, error.message, 'retrying')),
    );
    return retryWaitMs(attempts, error, turn.ports.random);
  }
  // The request itself is refused: this conversation, or its model, will be refused every time.
  const hopeless = error.kind === 'failed' && (error.status === 400 || error.status === 404);
  if (hopeless) await abandon(turn, errorLine(type, error.message, 'terminal'));
  else await exhaust(turn, type, error.message);
  return undefined;
}

function reschedule(head: ThreadHead, line: Line): Change {
  const rescheduled: Change = {
    lines: [
      line,
      { event: { id: newId('event'), type: 'session.status_rescheduled' } },
      {
        event: {
          id: newId('event'),
          type: 'session.thread_status_rescheduled',
          agent_name: head.agent_name,
          session_thread_id: head.thread_id,
        },
      },
    ],
    patch: { status: 'rescheduling', announced: false, attempts: head.attempts + 1 },
    session: { status: 'rescheduling' },
  };
  return merge(closeSpan(head), rescheduled);
}

async function abandon(turn: Turn, line: Line): Promise<void> {
  turn.ports.observe({ type: 'settled', reason: 'terminated' });
  await turn.writer.append((head) => {
    const closed = merge(closeSpan(head), { lines: [line] });
    return merge(closed, terminate(after(head, closed), turn.ports.clock.now()));
  });
}

/**
 * The turn cannot go on: say why, flush what waits into the history, and rest. The next message
 * starts anew.
 */
export async function exhaust(turn: Turn, type: ErrorType, message: string): Promise<void> {
  const { ports, writer } = turn;
  ports.observe({ type: 'settled', reason: 'retries_exhausted' });
  const events = await turn.queued(turn.head.queue);
  const taken = new Set(events.map(({ id }) => id));
  const logged = await writer.append((head) => {
    const queue = head.queue.filter(({ id }) => !taken.has(id));
    const closed = merge(closeCalls(head, interruptedResult), closeSpan(head));
    const flushed: Change = {
      lines: [errorLine(type, message, 'exhausted'), ...events.map(lineOf)],
      patch: { queue },
    };
    const stop: Stop = { reason: { type: 'retries_exhausted' } };
    return restChange(turn, head, stop, merge(closed, flushed));
  });
  turn.context.take(logged);
}
