import type { BetaManagedAgentsSessionThread } from '@anthropic-ai/sdk/resources/beta/sessions/threads/threads';
import * as z from 'zod';
import type { UsageSnapshot } from '../sessions/session-usage.ts';

export const TraceQuery = z.strictObject({ thread_id: z.string().optional() });
export type TraceQuery = z.output<typeof TraceQuery>;

type Thread = BetaManagedAgentsSessionThread;

/** Which agent did what in a session, in which order, and why: its threads, each with what it did. */
export interface SessionTrace {
  readonly type: 'session_trace';
  readonly session_id: string;
  readonly status: Thread['status'];
  readonly created_at: string;
  /** Of the whole session. */
  readonly usage: UsageSnapshot;
  /** In the order in which they were started, so a thread stands behind its parent. */
  readonly threads: readonly ThreadTrace[];
}

export interface ThreadTrace {
  readonly thread_id: string;
  /** Null for the primary thread. */
  readonly parent_thread_id: string | null;
  readonly agent_name: string;
  /** Who started it, and with which message; null for the primary thread. */
  readonly started_by: StartedBy | null;
  readonly status: Thread['status'];
  readonly stop_reason: { readonly type: string } | null;
  readonly created_at: string;
  readonly archived_at: string | null;
  /** Sums of the whole thread, as its resource has them. */
  readonly usage: UsageSnapshot;
  readonly model_requests_count: number;
  readonly model_errors_count: number;
  /** In the order in which they were first called. */
  readonly tools: readonly ToolTrace[];
  /** The newest `trace_turns_max`, oldest first; `turns_count` counts all. */
  readonly turns: readonly TurnTrace[];
  readonly turns_count: number;
  /** Between threads; the newest `trace_messages_max`, oldest first. */
  readonly messages: readonly MessageTrace[];
  readonly messages_count: number;
  /** Versions of files that it wrote and what it removed; the newest `trace_files_max`, oldest first. */
  readonly files: readonly FileTrace[];
  readonly files_count: number;
  /** Evaluations of the session's outcomes: of the primary thread alone. */
  readonly verdicts: readonly VerdictTrace[];
}

export interface StartedBy {
  readonly thread_id: string;
  /** Of `session.thread_created`. */
  readonly event_id: string;
  readonly at: string;
  /** The delegating message; null while there is none, as for an advisor. */
  readonly message: Excerpt | null;
}

/** The beginning of a text, up to `trace_text_chars_max` characters; the log has the whole. */
export interface Excerpt {
  readonly event_id: string;
  readonly text: string;
  readonly truncated: boolean;
}

export interface ToolTrace {
  readonly name: string;
  readonly type: 'built_in' | 'mcp' | 'custom';
  readonly calls_count: number;
  readonly errors_count: number;
}

/** From running to idle. */
export interface TurnTrace {
  readonly started_at: string;
  /** Null while it runs. */
  readonly ended_at: string | null;
  readonly stop_reason: string | null;
  /** The events that it began with or took in: messages of users and of threads, answers to calls. */
  readonly input_event_ids: readonly string[];
  readonly model_requests_count: number;
  readonly model_errors_count: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_input_tokens: number;
  readonly cache_creation_input_tokens: number;
  readonly tool_calls_count: number;
  readonly tool_errors_count: number;
}

export interface MessageTrace extends Excerpt {
  readonly direction: 'sent' | 'received';
  /** The other one. */
  readonly thread_id: string;
  readonly at: string;
}

export interface FileTrace {
  readonly path: string;
  readonly change: 'written' | 'removed';
  /** The tool call that did it. */
  readonly event_id: string;
  readonly at: string;
  /** Null for what is not a file, and for a removal. */
  readonly size_bytes: number | null;
  /** Whether the path still holds this; false for a removal. */
  readonly is_current: boolean;
}

export interface VerdictTrace {
  readonly event_id: string;
  readonly outcome_id: string;
  readonly iteration: number;
  readonly result: string;
  readonly explanation: string;
  readonly at: string;
}
