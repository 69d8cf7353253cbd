import type { ContentBlock, Message } from '@anthropic-ai/sdk/resources/messages';

/** What a script has to say of a message; `completeMessage` fills in the rest. */
export type ScriptedMessage = Pick<Message, 'content'> & {
  readonly [Field in Exclude<keyof Message, 'content' | 'usage'>]?: Message[Field];
} & { readonly usage?: Partial<Message['usage']> };

export interface Encoding {
  /** Characters in one delta. @default 24 */
  readonly chunk_chars?: number;
}

/** One event of the stream, before it is a frame. */
interface StreamEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** One frame of server-sent events, as the Messages API sends it: name, data, empty line. */
export function encodeFrame(event: {
  readonly type: string;
  readonly [field: string]: unknown;
}): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** The error frame that may end a stream that had begun with status 200. */
export function encodeError(type: string, message: string): string {
  return encodeFrame({ type: 'error', error: { type, message } });
}

/** The frames of one message, in the order of the wire: start, each block, delta, stop. */
export function encodeMessage(message: Message, { chunk_chars = 24 }: Encoding = {}): string[] {
  const { stop_reason, stop_sequence, stop_details, container, usage } = message;
  const started = {
    ...message,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    usage: { ...usage, output_tokens: Math.min(1, usage.output_tokens) },
  };
  const delta = { stop_reason, stop_sequence, stop_details, container };
  return [
    { type: 'message_start', message: started },
    { type: 'ping' },
    ...message.content.flatMap((block, index) => {
      const is_cut = stop_reason === 'max_tokens' && index === message.content.length - 1;
      return cutEvents(blockEvents(block, index, chunk_chars), is_cut);
    }),
    { type: 'message_delta', delta, usage: deltaUsage(usage) },
    { type: 'message_stop' },
  ].map(encodeFrame);
}

/** A whole message from what a script says of it: `stop_reason` follows from the last block. */
export function completeMessage(scripted: ScriptedMessage): Message {
  const calls = scripted.content.some((block) => block.type === 'tool_use');
  return {
    id: 'msg_offline',
    type: 'message',
    role: 'assistant',
    model: 'offline-model',
    container: null,
    diagnostics: null,
    stop_reason: calls ? 'tool_use' : 'end_turn',
    stop_sequence: null,
    stop_details: null,
    ...scripted,
    usage: {
      input_tokens: 0,
      output_tokens: 0,
      output_tokens_details: null,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
      inference_geo: null,
      server_tool_use: null,
      service_tier: 'standard',
      speed: null,
      ...scripted.usage,
    },
  };
}

/** The last frame's usage is cumulative; the breakdown by cache lifetime stands only in the first. */
function deltaUsage(usage: Message['usage']): object {
  const { input_tokens, output_tokens, output_tokens_details, server_tool_use } = usage;
  const { cache_creation_input_tokens, cache_read_input_tokens } = usage;
  return {
    input_tokens,
    output_tokens,
    output_tokens_details,
    cache_creation_input_tokens,
    cache_read_input_tokens,
    server_tool_use,
  };
}

interface Opened {
  readonly content_block: object;
  readonly deltas: readonly object[];
}

function blockEvents(block: ContentBlock, index: number, chars: number): StreamEvent[] {
  const { content_block, deltas } = openBlock(block, chars);
  return [
    { type: 'content_block_start', index, content_block },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
    { type: 'content_block_stop', index },
  ];
}

/** Half a call, where the answer's length ends it: the last piece of its input never comes. */
function cutEvents(events: StreamEvent[], is_cut: boolean): StreamEvent[] {
  const is_input = (event: StreamEvent): boolean =>
    (event['delta'] as { type?: string } | undefined)?.type === 'input_json_delta';
  const last = events.findLast(is_input);
  return is_cut && last !== undefined ? events.filter((event) => event !== last) : events;
}

/** How a block begins and what then arrives of it. A block without deltas arrives whole. */
function openBlock(block: ContentBlock, chars: number): Opened {
  if (block.type === 'text') {
    return {
      content_block: { ...block, text: '' },
      deltas: pieces(block.text, chars).map((text) => ({ type: 'text_delta', text })),
    };
  }
  if (block.type === 'thinking') {
    const thinking = pieces(block.thinking, chars);
    return {
      content_block: { ...block, thinking: '', signature: '' },
      deltas: [
        ...thinking.map((text) => ({ type: 'thinking_delta', thinking: text })),
        { type: 'signature_delta', signature: block.signature },
      ],
    };
  }
  if (block.type === 'tool_use' || block.type === 'server_tool_use') {
    const json = pieces(JSON.stringify(block.input), chars);
    return {
      content_block: { ...block, input: {} },
      deltas: json.map((partial_json) => ({ type: 'input_json_delta', partial_json })),
    };
  }
  return { content_block: block, deltas: [] };
}

/** Cut by code points, so that no piece ends in half a surrogate pair. */
function pieces(text: string, chars: number): string[] {
  const points = Array.from(text);
  const count = Math.ceil(points.length / chars);
  return Array.from({ length: count }, (_, n) => points.slice(n * chars, (n + 1) * chars).join(''));
}
