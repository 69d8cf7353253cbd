import type {
  BetaContentBlock,
  BetaMessage,
  BetaMessageDeltaUsage,
  BetaRawContentBlockDelta,
  BetaRawMessageStreamEvent,
  BetaToolUseBlock,
  BetaUsage,
} from '@anthropic-ai/sdk/resources/beta/messages/messages';
import { ModelError } from './model-error.ts';
import type { BlockKind, ModelPart, ModelReply, RequestUsage } from './model.ts';

/**
 * Folds the frames of one answer into parts and, at its last frame, into the whole. The SDK's own
 * accumulator takes a stream without `message_stop` for a whole answer; here it is none.
 */
export class Fold {
  #message: BetaMessage | undefined;
  /** Undefined until `message_stop`. */
  #reply: ModelReply | undefined;
  readonly #json = new Map<number, string>();

  /** The whole answer, once its last frame has come. */
  get reply(): ModelReply | undefined {
    return this.#reply;
  }

  /**
   * What the answer has used so far, once it has begun. How much of the output that is, the provider
   * says only at its end; until then it is what was heard, at four characters a token.
   */
  get spent(): RequestUsage | undefined {
    if (this.#message === undefined) return undefined;
    const { content, usage } = this.#message;
    const heard = [...content.map(saidIn), ...this.#json.values()].join('').length;
    const output_tokens = Math.max(usage.output_tokens, Math.ceil(heard / CHARS_PER_TOKEN));
    return usageOf({ ...usage, output_tokens });
  }

  /** @returns what the frame tells a listener, if anything. @throws ModelError for a broken answer. */
  take(event: BetaRawMessageStreamEvent): ModelPart | undefined {
    if (event.type === 'message_start') {
      this.#message = { ...event.message, content: [] };
      return undefined;
    }
    const message = this.#message;
    if (message === undefined) throw broken(`'${event.type}' came before the start`);
    switch (event.type) {
      case 'content_block_start':
        message.content[event.index] = event.content_block;
        return { type: 'start', block: kindOf(event.content_block), index: event.index };
      case 'content_block_delta':
        return this.#grow(message, event.index, event.delta);
      case 'message_delta':
        message.stop_reason = event.delta.stop_reason;
        message.stop_details = event.delta.stop_details;
        message.usage = { ...message.usage, ...present(event.usage) } as BetaUsage;
        return undefined;
      case 'message_stop':
        this.#reply = this.#finish(message);
        return undefined;
      case 'content_block_stop':
      default:
        // What the API adds one day tells us nothing yet.
        return undefined;
    }
  }

  #grow(
    message: BetaMessage,
    index: number,
    delta: BetaRawContentBlockDelta,
  ): ModelPart | undefined {
    const block = message.content[index];
    if (block === undefined) throw broken(`block ${index} grew before it began`);
    const text = this.#apply(block, index, delta);
    return text === undefined ? undefined : { type: 'delta', block: kindOf(block), index, text };
  }

  #apply(
    block: BetaContentBlock,
    index: number,
    delta: BetaRawContentBlockDelta,
  ): string | undefined {
    if (delta.type === 'text_delta' && block.type === 'text') {
      block.text += delta.text;
      return delta.text;
    }
    if (delta.type === 'thinking_delta' && block.type === 'thinking') {
      block.thinking += delta.thinking;
      return delta.thinking;
    }
    if (delta.type === 'signature_delta' && block.type === 'thinking') {
      block.signature = delta.signature;
      return undefined;
    }
    if (delta.type === 'citations_delta' && block.type === 'text') {
      block.citations = [...(block.citations ?? []), delta.citation];
      return undefined;
    }
    if (delta.type === 'input_json_delta') {
      this.#json.set(index, (this.#json.get(index) ?? '') + delta.partial_json);
      return delta.partial_json;
    }
    return undefined;
  }

  #finish(message: BetaMessage): ModelReply {
    const { stop_reason } = message;
    let cut: BetaToolUseBlock | undefined;
    const content = message.content.flatMap((block, index) => {
      const json = this.#json.get(index);
      if (json === undefined || json === '') return [block];
      const input = parsed(json);
      if (isObject(input)) return [{ ...block, input } as BetaContentBlock];
      // Cut by its own length: half a call can neither be run nor sent back.
      if (stop_reason === 'max_tokens' || stop_reason === 'model_context_window_exceeded') {
        if (block.type === 'tool_use') cut = { ...block, input: {} };
        return [];
      }
      throw broken(`the input of block ${index} is no JSON object`);
    });
    refuseTwins(content);
    const reply = replyOf({ ...message, content });
    return cut === undefined ? reply : { ...reply, cut };
  }
}

/** Two calls of one name for both could not be told apart by their answers: no request could hold them. */
function refuseTwins(content: readonly BetaContentBlock[]): void {
  const ids = content.flatMap((block) => (block.type === 'tool_use' ? [block.id] : []));
  if (new Set(ids).size < ids.length) throw broken('two of its calls have one id');
}

/** A rule of thumb for English; other scripts take more tokens. */
const CHARS_PER_TOKEN = 4;

function saidIn(block: BetaContentBlock): string {
  return block.type === 'text' ? block.text : block.type === 'thinking' ? block.thinking : '';
}

/** A message that came whole. */
export function replyOf({ content, stop_reason, stop_details, usage }: BetaMessage): ModelReply {
  return {
    content,
    stop_reason,
    stop_details:
      stop_details === null || stop_details === undefined
        ? null
        : {
            type: 'refusal',
            category: stop_details.category,
            explanation: stop_details.explanation,
          },
    usage: usageOf(usage),
    speed: usage.speed ?? null,
  };
}

function kindOf({ type }: BetaContentBlock): BlockKind {
  if (type === 'text' || type === 'tool_use') return type;
  return type === 'thinking' || type === 'redacted_thinking' ? 'thinking' : 'other';
}

/** The last usage is cumulative, but leaves out what does not apply. */
function present(usage: BetaMessageDeltaUsage): object {
  return Object.fromEntries(Object.entries(usage).filter(([, value]) => (value ?? null) !== null));
}

function usageOf(usage: BetaUsage): RequestUsage {
  const written = usage.cache_creation_input_tokens ?? 0;
  const one_hour = usage.cache_creation?.ephemeral_1h_input_tokens ?? 0;
  return {
    input_tokens: usage.input_tokens,
    output_tokens: usage.output_tokens,
    cache_read_input_tokens: usage.cache_read_input_tokens ?? 0,
    // Providers that do not split by lifetime write for five minutes, the default.
    cache_creation_5m_input_tokens: Math.max(0, written - one_hour),
    cache_creation_1h_input_tokens: one_hour,
    web_search_requests: usage.server_tool_use?.web_search_requests ?? 0,
  };
}

/** What a call's input must be: with another one, the conversation could not be sent back. */
function isObject(input: unknown): boolean {
  return typeof input === 'object' && input !== null && !Array.isArray(input);
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return undefined;
  }
}

function broken(what: string): ModelError {
  const message = `The model provider's answer is broken: ${what}.`;
  return new ModelError(message, { kind: 'failed', retryable: true });
}
