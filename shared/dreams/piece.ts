/** Who said what stands in a line: a tool's output and the web are strangers, whatever they claim. */
export type Speaker = 'user' | 'agent' | 'tool' | 'grader' | 'platform';

/** What a verdict on a session's work came to. */
export interface SessionVerdict {
  readonly event_id: string;
  readonly at: string;
  readonly result: 'success' | 'failure' | 'unsure';
  /** The result and the grader's reasons, as the event has them. */
  readonly text: string;
}

/** What is known of a session before a word of it is read: what reflection looks at first. */
export interface SessionFacts {
  readonly session_id: string;
  readonly agent_id: string;
  readonly agent_version: number;
  readonly model_id: string;
  readonly created_at: string;
  readonly verdicts: readonly SessionVerdict[];
  /** What the reports on its runs say, by the outcome model of its agent. */
  readonly reports: readonly SessionVerdict[];
  /** Ids of the events, in order; likewise the next three. */
  readonly errors: readonly string[];
  readonly denials: readonly string[];
  readonly interrupts: readonly string[];
  /** Messages of the user that came after the agent had answered. */
  readonly corrections: readonly string[];
  /** Null when a model had no price. */
  readonly cost_microcents: number | null;
}

/** An event, or an ordered part of a long one, as the model is shown it. */
export interface PieceLine {
  readonly event_id: string;
  readonly thread_id: string;
  readonly at: string;
  /** The event's type on the wire. */
  readonly type: string;
  readonly speaker: Speaker;
  /** The event of the call that it answers. */
  readonly call_id?: string;
  /** Its part, where an event is too long for one line: `n` counts from 1. */
  readonly part?: { readonly n: number; readonly of: number };
  readonly text: string;
}

/** What one request of reflection reads. Neighbouring pieces share their last and first lines. */
export interface Piece {
  readonly session_id: string;
  /** From 0. */
  readonly n: number;
  readonly facts: SessionFacts;
  readonly lines: readonly PieceLine[];
}
