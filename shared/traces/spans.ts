import { createHash } from 'node:crypto';
import type { SessionEvent, SessionEventType } from '../events/event.ts';
import { callOf, type Takers } from './summary.ts';

/**
 * One span, by the GenAI semantic conventions (open-telemetry/semantic-conventions-genai, 0.1): agents,
 * models, tools, tokens and errors, and nothing of what anybody said.
 */
export interface Span {
  readonly name: string;
  readonly kind: 'internal' | 'client';
  readonly trace_id: string;
  readonly span_id: string;
  readonly parent_span_id: string | undefined;
  readonly started_at: string;
  readonly ended_at: string;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly is_error: boolean;
}

/** Whose spans they are. */
export interface Traced {
  readonly session_id: string;
  readonly thread_id: string;
  readonly agent_name: string;
  readonly model_id: string;
  /** `gen_ai.provider.name` */
  readonly provider: string;
}

/** A call whose result is not in the log yet: it may wait for a person, beyond the end of its turn. */
export interface OpenCall {
  readonly event_id: string;
  readonly name: string;
  readonly type: 'extension' | 'function';
  readonly at: string;
  readonly turn_id: string;
}

/** What spans are made from; everything else of a log need not be fetched. */
export const spanned: ReadonlySet<SessionEventType> = new Set<SessionEventType>([
  'session.thread_status_running',
  'session.thread_status_idle',
  'session.thread_status_terminated',
  'agent.thread_message_received',
  'agent.tool_use',
  'agent.tool_result',
  'agent.mcp_tool_use',
  'agent.mcp_tool_result',
  'agent.custom_tool_use',
  'user.custom_tool_result',
  'span.model_request_start',
  'span.model_request_end',
]);

/** Ids follow from those of the log, so whatever is sent twice is the same span. */
export function traceIdOf(session_id: string): string {
  return createHash('sha256').update(`trace ${session_id}`).digest('hex').slice(0, 32);
}

export function spanIdOf(event_id: string): string {
  return createHash('sha256').update(`span ${event_id}`).digest('hex').slice(0, 16);
}

interface Turn {
  readonly event_id: string;
  readonly at: string;
  parent_span_id: string | undefined;
  input_tokens: number;
  output_tokens: number;
  cache_read_input_tokens: number;
  cache_creation_input_tokens: number;
}

type Of<Type extends SessionEventType> = Extract<SessionEvent, { type: Type }>;
type Call = Of<'agent.tool_use' | 'agent.mcp_tool_use' | 'agent.custom_tool_use'>;
type Result = Of<'agent.tool_result' | 'agent.mcp_tool_result' | 'user.custom_tool_result'>;

/** The spans of one thread, made from its events in their order. A turn's are complete when it ends. */
export class Spans {
  /** Complete so far. */
  readonly done: Span[] = [];
  readonly #traced: Traced;
  readonly #open: Map<string, OpenCall>;
  readonly #requests = new Map<string, string>();
  /** A message stands before the turn that it begins, or in it. */
  #received: string | undefined;
  #turn: Turn | undefined;

  /** @param open Calls that earlier turns left without a result. */
  constructor(traced: Traced, open: readonly OpenCall[]) {
    this.#traced = traced;
    this.#open = new Map(open.map((call) => [call.event_id, call]));
  }

  get open(): readonly OpenCall[] {
    return [...this.#open.values()];
  }

  /** @param parent_span_id Of a message of another thread: the turn that sent it. */
  add(event: SessionEvent, parent_span_id?: string): void {
    if (event.type === 'agent.thread_message_received') {
      this.#received = parent_span_id;
      if (this.#turn !== undefined) this.#turn.parent_span_id ??= parent_span_id;
    }
    const take = this.#takers[event.type] as ((event: SessionEvent) => void) | undefined;
    take?.(event);
  }

  readonly #takers: Takers = {
    'session.thread_status_running': (event) => this.#begin(event),
    'session.thread_status_idle': (event) => this.#end(event, event.stop_reason.type),
    'session.thread_status_terminated': (event) => this.#end(event, 'terminated'),
    'agent.tool_use': (event) => this.#call(event),
    'agent.mcp_tool_use': (event) => this.#call(event),
    'agent.custom_tool_use': (event) => this.#call(event),
    'agent.tool_result': (event) => this.#result(event),
    'agent.mcp_tool_result': (event) => this.#result(event),
    'user.custom_tool_result': (event) => this.#result(event),
    'span.model_request_start': ({ id, processed_at }) => void this.#requests.set(id, processed_at),
    'span.model_request_end': (event) => this.#request(event),
  };

  #begin({ id, session_thread_id, processed_at }: Of<'session.thread_status_running'>): void {
    if (session_thread_id !== this.#traced.thread_id || this.#turn !== undefined) return;
    this.#turn = {
      event_id: id,
      at: processed_at,
      parent_span_id: this.#received,
      input_tokens: 0,
      output_tokens: 0,
      cache_read_input_tokens: 0,
      cache_creation_input_tokens: 0,
    };
    this.#received = undefined;
  }

  #end(
    {
      session_thread_id,
      processed_at,
    }: Of<'session.thread_status_idle' | 'session.thread_status_terminated'>,
    stop_reason: string,
  ): void {
    const turn = this.#turn;
    if (session_thread_id !== this.#traced.thread_id || turn === undefined) return;
    this.#turn = undefined;
    const failed = stop_reason === 'retries_exhausted' || stop_reason === 'terminated';
    const { agent_name, model_id } = this.#traced;
    this.#add({
      name: `invoke_agent ${agent_name}`,
      kind: 'internal',
      span_id: spanIdOf(turn.event_id),
      parent_span_id: turn.parent_span_id,
      started_at: turn.at,
      ended_at: processed_at,
      attributes: {
        'gen_ai.operation.name': 'invoke_agent',
        'gen_ai.request.model': model_id,
        'reverie.stop_reason': stop_reason,
        ...usageAttributes(turn),
        ...(failed ? { 'error.type': stop_reason } : {}),
      },
      is_error: failed,
    });
  }

  #request(event: Of<'span.model_request_end'>): void {
    const started_at = this.#requests.get(event.model_request_start_id);
    const turn = this.#turn;
    if (started_at === undefined || turn === undefined) return;
    this.#requests.delete(event.model_request_start_id);
    const { model_usage, is_error } = event;
    turn.input_tokens += model_usage.input_tokens;
    turn.output_tokens += model_usage.output_tokens;
    turn.cache_read_input_tokens += model_usage.cache_read_input_tokens;
    turn.cache_creation_input_tokens += model_usage.cache_creation_input_tokens;
    this.#add({
      name: `chat ${this.#traced.model_id}`,
      kind: 'client',
      span_id: spanIdOf(event.model_request_start_id),
      parent_span_id: spanIdOf(turn.event_id),
      started_at,
      ended_at: event.processed_at,
      attributes: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.request.model': this.#traced.model_id,
        ...usageAttributes(model_usage),
        ...(is_error === true ? { 'error.type': 'model_error' } : {}),
      },
      is_error: is_error === true,
    });
  }

  #call(event: Call): void {
    const turn = this.#turn;
    // A copy of a child's call belongs to the child.
    if ((event.session_thread_id ?? this.#traced.thread_id) !== this.#traced.thread_id) return;
    if (turn === undefined) return;
    this.#open.set(event.id, {
      event_id: event.id,
      name:
        event.type === 'agent.mcp_tool_use' ? `${event.mcp_server_name}/${event.name}` : event.name,
      type: event.type === 'agent.custom_tool_use' ? 'function' : 'extension',
      at: event.processed_at,
      turn_id: turn.event_id,
    });
  }

  #result(event: Result): void {
    const call = this.#open.get(callOf(event));
    if (call === undefined) return;
    this.#open.delete(call.event_id);
    const failed = event.is_error === true;
    this.#add({
      name: `execute_tool ${call.name}`,
      kind: 'internal',
      span_id: spanIdOf(call.event_id),
      parent_span_id: spanIdOf(call.turn_id),
      started_at: call.at,
      ended_at: event.processed_at ?? call.at,
      attributes: {
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.tool.name': call.name,
        'gen_ai.tool.call.id': call.event_id,
        'gen_ai.tool.type': call.type,
        ...(failed ? { 'error.type': 'tool_error' } : {}),
      },
      is_error: failed,
    });
  }

  #add({ attributes, ...span }: Omit<Span, 'trace_id'>): void {
    const { session_id, thread_id, agent_name, provider } = this.#traced;
    this.done.push({
      ...span,
      trace_id: traceIdOf(session_id),
      attributes: {
        ...attributes,
        'gen_ai.provider.name': provider,
        'gen_ai.conversation.id': session_id,
        'gen_ai.agent.name': agent_name,
        'reverie.thread_id': thread_id,
      },
    });
  }
}

/** The conventions count what was read from and written to a cache as input, too. */
function usageAttributes(usage: Pick<Turn, `${string}_tokens` & keyof Turn>) {
  const { input_tokens, output_tokens, cache_read_input_tokens, cache_creation_input_tokens } =
    usage;
  return {
    'gen_ai.usage.input_tokens':
      input_tokens + cache_read_input_tokens + cache_creation_input_tokens,
    'gen_ai.usage.output_tokens': output_tokens,
    'gen_ai.usage.cache_read.input_tokens': cache_read_input_tokens,
    'gen_ai.usage.cache_creation.input_tokens': cache_creation_input_tokens,
  };
}
