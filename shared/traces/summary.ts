import { limits } from '../core/limits.ts';
import type { SessionEvent, SessionEventType } from '../events/event.ts';
import type { Excerpt, MessageTrace, ToolTrace, TurnTrace, VerdictTrace } from './trace-wire.ts';

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };
type Turn = Writable<Omit<TurnTrace, 'input_event_ids'>> & { readonly input_event_ids: string[] };

/** How a thread came to be, as the log of its parent says it. */
export interface Birth {
  readonly event_id: string;
  readonly at: string;
  message: Excerpt | null;
}

/** What a trace is made from; everything else of a log need not be fetched. */
export const traced: ReadonlySet<SessionEventType> = new Set<SessionEventType>([
  'session.thread_created',
  'session.thread_status_running',
  'session.thread_status_idle',
  'session.thread_status_terminated',
  'agent.thread_message_sent',
  'agent.thread_message_received',
  'agent.tool_use',
  'agent.tool_result',
  'agent.mcp_tool_use',
  'agent.mcp_tool_result',
  'agent.custom_tool_use',
  'user.custom_tool_result',
  'user.message',
  'user.define_outcome',
  'span.model_request_end',
  'span.outcome_evaluation_end',
]);

/** What each type of event adds; of the others nothing is told. */
export type Takers = { readonly [Type in SessionEventType]?: (event: Of<Type>) => void };

/** A thread's log in sums, taken in event by event, in order. */
export class Summary {
  readonly tools = new Map<string, Writable<ToolTrace>>();
  readonly verdicts: VerdictTrace[] = [];
  /** By the id of the thread that was started. */
  readonly births = new Map<string, Birth>();
  readonly turns: Turn[] = [];
  readonly messages: MessageTrace[] = [];
  turns_count = 0;
  messages_count = 0;
  model_requests_count = 0;
  model_errors_count = 0;
  readonly #thread_id: string;
  /** What was said while no turn ran: the next one begins with it. */
  #heard: string[] = [];
  /** Calls without an answer so far, by their event. */
  readonly #open = new Map<string, { tool: Writable<ToolTrace>; turn: Turn | undefined }>();

  constructor(thread_id: string) {
    this.#thread_id = thread_id;
  }

  add(event: SessionEvent): void {
    const take = this.#takers[event.type] as ((event: SessionEvent) => void) | undefined;
    take?.(event);
  }

  readonly #takers: Takers = {
    'session.thread_created': ({ id, session_thread_id, processed_at: at }) =>
      void this.births.set(session_thread_id, { event_id: id, at, message: null }),
    'session.thread_status_running': (event) => this.#status(event),
    'session.thread_status_idle': (event) => this.#status(event),
    'session.thread_status_terminated': (event) => this.#status(event),
    'agent.thread_message_sent': (event) => this.#message(event),
    'agent.thread_message_received': (event) => this.#message(event),
    'agent.tool_use': (event) => this.#call(event),
    'agent.mcp_tool_use': (event) => this.#call(event),
    'agent.custom_tool_use': (event) => this.#call(event),
    'agent.tool_result': (event) => this.#answer(event),
    'agent.mcp_tool_result': (event) => this.#answer(event),
    'user.custom_tool_result': (event) => this.#answer(event),
    'user.message': (event) => this.#hear(event),
    'user.define_outcome': (event) => this.#hear(event),
    'span.model_request_end': (event) => this.#request(event),
    'span.outcome_evaluation_end': (event) => void this.verdicts.push(verdictOf(event)),
  };

  /** The turn that runs. */
  get #turn(): Turn | undefined {
    const last = this.turns.at(-1);
    return last?.ended_at === null ? last : undefined;
  }

  #hear({ id }: Pick<SessionEvent, 'id'>): void {
    (this.#turn?.input_event_ids ?? this.#heard).push(id);
  }

  #status(
    event: Of<
      | 'session.thread_status_running'
      | 'session.thread_status_idle'
      | 'session.thread_status_terminated'
    >,
  ): void {
    // A primary thread's log also says how its children are.
    if (event.session_thread_id !== this.#thread_id) return;
    if (event.type === 'session.thread_status_running') {
      // Running again after a wait for the provider is the same turn.
      if (this.#turn !== undefined) return;
      this.turns_count += 1;
      keep(this.turns, newTurn(event.processed_at, this.#heard), limits.trace_turns_max);
      this.#heard = [];
      return;
    }
    const turn = this.#turn;
    if (turn === undefined) return;
    turn.ended_at = event.processed_at;
    turn.stop_reason =
      event.type === 'session.thread_status_idle' ? event.stop_reason.type : 'terminated';
  }

  #message(event: Of<'agent.thread_message_sent' | 'agent.thread_message_received'>): void {
    const is_sent = event.type === 'agent.thread_message_sent';
    const thread_id = is_sent ? event.to_session_thread_id : event.from_session_thread_id;
    const excerpt = excerptOf(event.id, textOf(event.content));
    const birth = is_sent ? this.births.get(thread_id) : undefined;
    if (birth?.message === null) birth.message = excerpt;
    if (!is_sent) this.#hear(event);
    this.messages_count += 1;
    const direction = is_sent ? 'sent' : 'received';
    const message = { ...excerpt, direction, thread_id, at: event.processed_at } as const;
    keep(this.messages, message, limits.trace_messages_max);
  }

  #call(event: Of<'agent.tool_use' | 'agent.mcp_tool_use' | 'agent.custom_tool_use'>): void {
    // A copy of a child's call, shown here for whoever must answer it.
    if ((event.session_thread_id ?? this.#thread_id) !== this.#thread_id) return;
    const type = toolTypes[event.type];
    const name =
      event.type === 'agent.mcp_tool_use' ? `${event.mcp_server_name}/${event.name}` : event.name;
    const tool = this.tools.get(name) ?? { name, type, calls_count: 0, errors_count: 0 };
    this.tools.set(name, tool);
    tool.calls_count += 1;
    const turn = this.#turn;
    if (turn !== undefined) turn.tool_calls_count += 1;
    this.#open.set(event.id, { tool, turn });
  }

  #answer(
    event: Of<'agent.tool_result' | 'agent.mcp_tool_result' | 'user.custom_tool_result'>,
  ): void {
    const call_id = callOf(event);
    const open = this.#open.get(call_id);
    if (open === undefined) return;
    this.#open.delete(call_id);
    if (event.type === 'user.custom_tool_result') this.#hear(event);
    if (event.is_error !== true) return;
    open.tool.errors_count += 1;
    if (open.turn !== undefined) open.turn.tool_errors_count += 1;
  }

  #request({ is_error, model_usage }: Of<'span.model_request_end'>): void {
    const failed = is_error === true ? 1 : 0;
    this.model_requests_count += 1;
    this.model_errors_count += failed;
    const turn = this.#turn;
    if (turn === undefined) return;
    turn.model_requests_count += 1;
    turn.model_errors_count += failed;
    turn.input_tokens += model_usage.input_tokens;
    turn.output_tokens += model_usage.output_tokens;
    turn.cache_read_input_tokens += model_usage.cache_read_input_tokens;
    turn.cache_creation_input_tokens += model_usage.cache_creation_input_tokens;
  }
}

type Of<Type extends SessionEventType> = Extract<SessionEvent, { type: Type }>;

const toolTypes = {
  'agent.tool_use': 'built_in',
  'agent.mcp_tool_use': 'mcp',
  'agent.custom_tool_use': 'custom',
} as const;

/** The event of the call that a result answers. */
export function callOf(
  event: Of<'agent.tool_result' | 'agent.mcp_tool_result' | 'user.custom_tool_result'>,
): string {
  if (event.type === 'agent.tool_result') return event.tool_use_id;
  return event.type === 'agent.mcp_tool_result' ? event.mcp_tool_use_id : event.custom_tool_use_id;
}

function newTurn(started_at: string, input_event_ids: string[]): Turn {
  return {
    started_at,
    ended_at: null,
    stop_reason: null,
    input_event_ids,
    model_requests_count: 0,
    model_errors_count: 0,
    input_tokens: 0,
    output_tokens: 0,
    cache_read_input_tokens: 0,
    cache_creation_input_tokens: 0,
    tool_calls_count: 0,
    tool_errors_count: 0,
  };
}

function verdictOf(event: Of<'span.outcome_evaluation_end'>): VerdictTrace {
  const { id, outcome_id, iteration, result, explanation, processed_at } = event;
  const { text } = excerptOf(id, explanation);
  return { event_id: id, outcome_id, iteration, result, explanation: text, at: processed_at };
}

/** The newest `max` of a list. */
function keep<Item>(list: Item[], item: Item, max: number): void {
  list.push(item);
  if (list.length > max) list.shift();
}

function textOf(content: readonly { readonly type: string }[]): string {
  const texts = content.map((block) =>
    'text' in block && typeof block.text === 'string' ? block.text : `[${block.type}]`,
  );
  return texts.join('\n');
}

function excerptOf(event_id: string, text: string): Excerpt {
  const max = limits.trace_text_chars_max;
  return { event_id, text: text.slice(0, max), truncated: text.length > max };
}
