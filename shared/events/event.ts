import type { BetaManagedAgentsSessionEvent } from '@anthropic-ai/sdk/resources/beta/sessions/events';

/** A line of a thread's log, exactly as it goes over the wire. */
export type SessionEvent = BetaManagedAgentsSessionEvent;
export type SessionEventType = SessionEvent['type'];

/** Keys that may be left out of one member of a union stay its own: a plain Omit would merge them. */
type Each<E, K extends PropertyKey> = E extends unknown ? Omit<E, K> : never;

/**
 * An event on its way into a log. It has its id already (a tool result must be able to name its
 * call before both are written); `processed_at` is given by the append, which alone knows the order.
 */
export type NewEvent = Each<SessionEvent, 'processed_at'>;

/**
 * What the log keeps of an event beside its wire form and never shows: the raw reply of the model
 * (thinking with its signatures must go back unchanged), a compaction's summary.
 */
export interface Hidden {
  /** On `span.model_request_end`: the content blocks of the reply, as the model sent them. */
  readonly assistant?: readonly unknown[];
  /** On `agent.thread_context_compacted`: the text that stands for everything before. */
  readonly summary?: string;
  /** Beside it: what no summary stands for. Releases up to 0.1.0 wrote none. */
  readonly carried?: Carried;
  /** On `agent.tool_use` and `agent.custom_tool_use`: the model's own id of the call. */
  readonly tool_use_id?: string;
  /** On `span.model_request_end`: answers to calls of the reply that no event shows. */
  readonly results?: readonly HiddenResult[];
  /** On `session.thread_created`: the call by which an advisor is asked. */
  readonly consult?: { readonly tool_use_id: string; readonly question: string };
  /** On an event that closes such a call: which one, and its answer where the event is none itself. */
  readonly result?: {
    readonly event_id: string;
    readonly content?: readonly { readonly type: 'text'; readonly text: string }[];
    readonly is_error?: boolean;
  };
}

/** What a thread keeps word for word when its context is compacted. */
export interface Carried {
  /** The outcome that it works for. */
  readonly task?: string;
  /** All that the user has said: what permissions and web_fetch judge by. */
  readonly user_texts: readonly string[];
  /** Content blocks that no request has shown the model yet. */
  readonly pending: readonly unknown[];
}

/** The answer to a call that no event shows. */
export interface HiddenResult {
  /** The model's own id of the call. */
  readonly tool_use_id: string;
  readonly text: string;
  readonly is_error: boolean;
}

/** An event to append, with what stays behind the wire. */
export interface Line {
  readonly event: NewEvent;
  readonly hidden?: Hidden;
}

/** An event as read from the log. */
export interface LoggedEvent {
  readonly seq: number;
  readonly event: SessionEvent;
  readonly hidden: Hidden;
}
