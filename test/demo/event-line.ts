import type {
  BetaManagedAgentsSessionEvent,
  BetaManagedAgentsStreamSessionEvents,
} from '@anthropic-ai/sdk/resources/beta/sessions';

export type Colour = 'cyan' | 'green' | 'red' | 'yellow' | 'dim' | 'bold';

/** One event for a person: its type, what it says in one line, and the colour of its kind. */
export interface EventLine {
  readonly type: string;
  readonly text: string;
  readonly colour: Colour;
}

type Event = BetaManagedAgentsSessionEvent | BetaManagedAgentsStreamSessionEvents;

type Told = readonly [text: string, colour: Colour];

/** Events that have something to say; of the others the type is enough. */
const tellers: { readonly [T in Event['type']]?: (event: Extract<Event, { type: T }>) => Told } = {
  'agent.tool_use': ({ name, input }) => [`${name} ${summary(input)}`, 'cyan'],
  'agent.tool_result': ({ content, is_error }) => [
    textOf(content ?? []),
    is_error === true ? 'red' : 'dim',
  ],
  'agent.message': ({ content }) => [textOf(content), 'bold'],
  // It comes twice: once when it is accepted, once when the turn takes it.
  'user.message': ({ content, processed_at }) =>
    (processed_at ?? null) === null ? ['accepted', 'dim'] : [textOf(content), 'green'],
  'user.define_outcome': ({ description }) => [description, 'green'],
  'span.outcome_evaluation_end': ({ result }) => [
    result,
    result === 'satisfied' ? 'green' : 'yellow',
  ],
  'session.thread_created': ({ agent_name }) => [agent_name, 'yellow'],
  'session.thread_status_running': ({ agent_name }) => [agent_name, 'dim'],
  'session.thread_status_idle': ({ agent_name, stop_reason }) => [
    `${agent_name}: ${stop_reason.type}`,
    'dim',
  ],
  'agent.thread_message_sent': ({ to_agent_name, content }) => [
    `to ${to_agent_name ?? 'an agent'}: ${textOf(content)}`,
    'cyan',
  ],
  'agent.thread_message_received': ({ from_agent_name, content }) => [
    `from ${from_agent_name ?? 'the primary agent'}: ${textOf(content)}`,
    'green',
  ],
  'session.error': ({ error }) => [`${error.type}: ${error.message}`, 'red'],
  'session.status_idle': ({ stop_reason }) => [
    stop_reason.type,
    stop_reason.type === 'end_turn' ? 'green' : 'yellow',
  ],
  'span.model_request_end': ({ model_usage: usage }) => [
    `${usage.input_tokens} in, ${usage.cache_read_input_tokens} from cache, ${usage.output_tokens} out`,
    'dim',
  ],
};

/** What one event says; of long things their beginning. */
export function eventLine(event: Event, chars: number): EventLine {
  const tell = tellers[event.type] as ((event: Event) => Told) | undefined;
  const [text, colour] = tell?.(event) ?? ['', 'dim'];
  return { type: event.type, text: oneLine(text, chars), colour };
}

/** What stands in the text blocks, and the titles of the documents. */
export function textOf(content: readonly object[]): string {
  return content
    .map((block) => {
      if ('text' in block) return String(block.text);
      return 'title' in block ? `[${String(block.title)}]` : '';
    })
    .join(' ');
}

/** The part of a tool's input that says what it does. */
function summary(input: Readonly<Record<string, unknown>>): string {
  const said = input['command'] ?? input['file_path'] ?? input['pattern'] ?? input['url'];
  return typeof said === 'string' ? said : JSON.stringify(input);
}

function oneLine(text: string, chars: number): string {
  const flat = text.replace(/\s+/g, ' ').trim();
  const points = Array.from(flat);
  return points.length > chars ? `${points.slice(0, chars - 1).join('')}…` : flat;
}
