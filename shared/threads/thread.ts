import type {
  BetaManagedAgentsSessionRefusalStopDetails,
  BetaManagedAgentsSessionStatusIdleEvent,
} from '@anthropic-ai/sdk/resources/beta/sessions/events';
import type { Key, Row } from '../core/table.ts';
import type { OpenOutcome } from '../outcomes/outcome.ts';

export type ThreadStatus = 'idle' | 'running' | 'rescheduling' | 'terminated';
export type StopReason = BetaManagedAgentsSessionStatusIdleEvent['stop_reason'];
export type StopDetails = BetaManagedAgentsSessionRefusalStopDetails | null;

/**
 * What the thread does next. `take`: the queue, else settle. `model`: the context waits for a
 * model request. `tools`: calls are open.
 */
export type Phase = 'take' | 'model' | 'tools';

/**
 * An open tool call. `ask` waits for a confirmation and `custom` for a result from the client;
 * `ready` may run; `started` may have run; `denied` was refused by the client; `answered` has its
 * result in the log.
 */
export interface OpenCall {
  readonly event_id: string;
  readonly tool_use_id: string;
  readonly name: string;
  readonly state: 'ask' | 'custom' | 'ready' | 'started' | 'denied' | 'answered';
  readonly deny_message?: string | null;
  /** Of an advisor that is asked: its thread. No event shows such a call. */
  readonly thread_id?: string;
  /** Of an advisor that is asked: the client has interrupted its thread. @default - it has not */
  readonly is_abandoned?: true;
}

/** An event that waits in the inbox (`I#<n>` holds it). */
export interface Queued {
  readonly n: number;
  readonly id: string;
  readonly type: 'user.message' | 'user.interrupt' | 'system.message';
}

/** Tokens and money of a thread or a session; sums, never reset. */
export interface Usage {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_input_tokens: number;
  readonly cache_creation_5m_input_tokens: number;
  readonly cache_creation_1h_input_tokens: number;
  readonly web_search_requests: number;
  readonly web_fetch_requests: number;
  /** List cost in millionths of a cent (integers add exactly); null once a model has no price. */
  readonly cost_microcents: number | null;
  /** Milliseconds of finished running; the running turn is added when it is shown. */
  readonly active_ms: number;
}

export const noUsage: Usage = {
  input_tokens: 0,
  output_tokens: 0,
  cache_read_input_tokens: 0,
  cache_creation_5m_input_tokens: 0,
  cache_creation_1h_input_tokens: 0,
  web_search_requests: 0,
  web_fetch_requests: 0,
  cost_microcents: 0,
  active_ms: 0,
};

/**
 * The head of a thread: `THREAD#<id>` / `HEAD`. Small, because every append rewrites it under the
 * condition that `version` is the one that was read: appends are serial, gapless and never lost.
 */
export interface ThreadHead extends Row {
  readonly schema: 1;
  readonly version: number;
  readonly thread_id: string;
  readonly session_id: string;
  readonly workspace_id: string;
  readonly agent_name: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly status: ThreadStatus;
  readonly stop_reason: StopReason | null;
  /** Number of the newest event of the log; the first is 1. */
  readonly seq: number;
  /** `processed_at` of the newest event: the next one is never earlier. */
  readonly last_at: string;
  /** Number of the newest row of the inbox. */
  readonly inbox_seq: number;
  readonly queue: readonly Queued[];
  /** False when the thread was set running and the log does not say so yet. */
  readonly announced: boolean;
  readonly phase: Phase;
  readonly calls: readonly OpenCall[];
  /** The `span.model_request_start` without an end, when there is one. */
  readonly open_span: string | null;
  /** Model requests of this turn that failed and are tried again. */
  readonly attempts: number;
  /** Model requests of this turn. */
  readonly rounds: number;
  /** The log from here on is the model's context; what is before is in the compaction's summary. */
  readonly context_from: number;
  /** Tokens of the context at the last model request: what compaction decides by. */
  readonly context_tokens: number;
  readonly usage: Usage;
  /** The outcome that the thread works for. @default - none, as in rows of before there were any */
  readonly outcome?: OpenOutcome | null;
  /** When the running turn began. */
  readonly running_since: string | null;
  /** Number of the newest run; an execution of another run has nothing to do here. */
  readonly run: number;
  /** Whose turn it is to write: every append of a step holds `lease_fence` against the row. */
  readonly lease_fence: number;
  readonly lease_holder: string | null;
  /** Epoch milliseconds. */
  readonly lease_until_ms: number;
  /** The run whose log says which MCP servers are not connected. @default - none does */
  readonly servers_told_run?: number;
  /** Messages of other threads that stand in the log and in no model request. @default 0 */
  readonly unread?: number;
  /** Of a primary thread: those that it has started. @default - none, and it never started one */
  readonly team?: Team;
  /** Of a child: the thread that started it. @default - it is the session's primary one */
  readonly parent_thread_id?: string;
  /** Of a child: the execution that runs it. A primary's is named by its session and run. */
  readonly execution?: string;
  /** The large step has worked on it, and its next runs are that one's, too. @default - it has not */
  readonly is_large?: true;
  /** Of a child: how often reconcile has started its run anew, and when last. @default - never */
  readonly restarts_count?: number;
  readonly restarted_at?: string;
  /** Of a child. @default - it is not archived */
  readonly archived_at?: string;
}

/**
 * What a primary thread knows of its children. Each change of a child's status is one transaction with
 * this, so whether the session runs, and what it waits for, is decided from one head.
 */
export interface Team {
  /** In the order in which they were started; who is terminated or archived is not among them. */
  readonly members: readonly Member[];
  /** Whether the log says that the session runs. */
  readonly is_announced: boolean;
  /** Since when any of its threads runs; null while none does. */
  readonly running_since: string | null;
  /** Messages to children since a client last sent work. */
  readonly sent_count: number;
}

export interface Member {
  readonly thread_id: string;
  readonly agent_name: string;
  readonly status: 'running' | 'idle' | 'rescheduling';
  /** Why it rests; null while it does not. */
  readonly stop_reason: StopReason | null;
  /** @default false */
  readonly is_advisor?: true;
}

export function threadKey(thread_id: string): Key {
  return { pk: `THREAD#${thread_id}`, sk: 'HEAD' };
}

/**
 * `LISTEN#<thread id>` / `HEAD`: somebody reads this thread's deltas until `until_ms`. A row of its
 * own, because the head is rewritten whole by appends that have not seen the listener; and a
 * partition of its own, because IAM tells partitions apart, not rows: it is all that the stream
 * function may write.
 */
export function listenKey(thread_id: string): Key {
  return { pk: `LISTEN#${thread_id}`, sk: 'HEAD' };
}

/** Twelve digits sort as numbers do, up to a trillion events. */
export function padded(n: number): string {
  return String(n).padStart(12, '0');
}

/** `THREAD#<id>` / `I#<n>`: an event in the inbox, kept for a while after it was taken. */
export function inboxKey(thread_id: string, n: number): Key {
  return { pk: `THREAD#${thread_id}`, sk: `I#${padded(n)}` };
}
