import type { SessionEvent } from '../events/event.ts';
import type { UsageSnapshot } from '../sessions/session-usage.ts';

/** What one tool was called for, by count. */
export interface ToolFacts {
  readonly name: string;
  readonly calls_count: number;
  readonly errors_count: number;
}

/** What a session's log says by numbers, from its beginning to the rest that a report is about. */
export interface SessionFacts {
  readonly turns_count: number;
  /** Of each turn, in order; the newest 100. */
  readonly stop_reasons: readonly string[];
  readonly elapsed_seconds: number;
  readonly model_requests_count: number;
  readonly model_requests_failed_count: number;
  /** Waits for a model that did not answer. */
  readonly retries_count: number;
  readonly errors: readonly { readonly type: string; readonly count: number }[];
  /** By name. */
  readonly tools: readonly ToolFacts[];
  readonly interrupts_count: number;
  /** Tool calls that a client refused. */
  readonly denials_count: number;
  readonly compactions_count: number;
  /** Messages of the user behind the first: corrections and further wishes. */
  readonly later_messages_count: number;
  readonly outcome_evaluations: readonly string[];
  /** The session's sums at its rest. */
  readonly usage: UsageSnapshot | null;
}

const LISTED_MAX = 100;

type Count<T extends SessionEvent['type']> = (
  counts: FactCounter,
  event: Extract<SessionEvent, { type: T }>,
) => void;

/** What each type of event counts for; others count for nothing. */
const counters: { readonly [T in SessionEvent['type']]?: Count<T> } = {
  'user.message': (counts) => void counts.messages++,
  'user.interrupt': (counts) => void counts.interrupts++,
  'user.tool_confirmation': (counts, { result }) =>
    void (counts.denials += Number(result === 'deny')),
  'agent.tool_use': (counts, { id, name }) => counts.called(id, name),
  'agent.custom_tool_use': (counts, { id, name }) => counts.called(id, name),
  'agent.mcp_tool_use': (counts, { id, name }) => counts.called(id, name),
  'agent.tool_result': (counts, { tool_use_id, is_error }) =>
    counts.answered(tool_use_id, is_error),
  'agent.mcp_tool_result': (counts, { mcp_tool_use_id, is_error }) =>
    counts.answered(mcp_tool_use_id, is_error),
  'user.custom_tool_result': (counts, { custom_tool_use_id, is_error }) =>
    counts.answered(custom_tool_use_id, is_error),
  'agent.thread_context_compacted': (counts) => void counts.compactions++,
  'session.error': ({ errors }, { error }) =>
    void errors.set(error.type, (errors.get(error.type) ?? 0) + 1),
  'session.status_rescheduled': (counts) => void counts.retries++,
  'session.status_idle': (counts, { stop_reason }) => void counts.stops.push(stop_reason.type),
  'session.usage': (counts, { usage }) => void (counts.usage = usage),
  'span.model_request_end': (counts, { is_error }) => {
    counts.requests++;
    counts.failed_requests += Number(is_error === true);
  },
  'span.outcome_evaluation_end': ({ evaluations }, { result }) => void evaluations.push(result),
};

/** Types whose events must be loaded to be counted. */
export const countedTypes: ReadonlySet<string> = new Set(Object.keys(counters));

/** Counts a session's events, one after the other. */
export class FactCounter {
  messages = 0;
  interrupts = 0;
  denials = 0;
  compactions = 0;
  retries = 0;
  requests = 0;
  failed_requests = 0;
  usage: UsageSnapshot | null = null;
  readonly errors = new Map<string, number>();
  readonly stops: string[] = [];
  readonly evaluations: string[] = [];
  readonly #names = new Map<string, string>();
  readonly #tools = new Map<string, { calls_count: number; errors_count: number }>();
  #first_ms: number | undefined;
  #last_ms = 0;

  add(event: SessionEvent): void {
    const at_ms = Date.parse(event.processed_at ?? '');
    this.#first_ms ??= at_ms;
    this.#last_ms = at_ms;
    // The key and the event are of one type, which an indexed record cannot say.
    const count = counters[event.type] as ((c: FactCounter, e: SessionEvent) => void) | undefined;
    count?.(this, event);
  }

  called(event_id: string, name: string): void {
    this.#names.set(event_id, name);
    const tool = this.#tools.get(name) ?? { calls_count: 0, errors_count: 0 };
    tool.calls_count++;
    this.#tools.set(name, tool);
  }

  answered(event_id: string, is_error: boolean | null | undefined): void {
    const tool = this.#tools.get(this.toolOf(event_id) ?? '');
    if (tool !== undefined && is_error === true) tool.errors_count++;
  }

  /** The name of the tool that an event called. */
  toolOf(event_id: string): string | undefined {
    return this.#names.get(event_id);
  }

  facts(): SessionFacts {
    const tools = [...this.#tools].map(([name, counts]) => ({ name, ...counts }));
    return {
      turns_count: this.stops.length,
      stop_reasons: this.stops.slice(-LISTED_MAX),
      elapsed_seconds: (this.#last_ms - (this.#first_ms ?? this.#last_ms)) / 1_000,
      model_requests_count: this.requests,
      model_requests_failed_count: this.failed_requests,
      retries_count: this.retries,
      errors: [...this.errors].map(([type, count]) => ({ type, count })),
      tools: tools.toSorted((a, b) => (a.name < b.name ? -1 : 1)).slice(0, LISTED_MAX),
      interrupts_count: this.interrupts,
      denials_count: this.denials,
      compactions_count: this.compactions,
      later_messages_count: Math.max(0, this.messages - 1),
      outcome_evaluations: this.evaluations.slice(-LISTED_MAX),
      usage: this.usage,
    };
  }
}
