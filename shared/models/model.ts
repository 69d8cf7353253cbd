import type { BetaManagedAgentsModelConfig } from '@anthropic-ai/sdk/resources/beta/agents/agents';
import type {
  BetaContentBlock,
  BetaMessageParam,
  BetaStopReason,
  BetaTextBlockParam,
  BetaToolUnion,
  BetaToolUseBlock,
} from '@anthropic-ai/sdk/resources/beta/messages/messages';

/** How the deployment reaches Claude: the environment variable MODEL_PROVIDER. */
export const providers = ['anthropic', 'claude-platform-aws', 'bedrock'] as const;
export type Provider = (typeof providers)[number];

/** What the request is for. `turn` and `compaction` share a prefix, so they share its cache. */
export type Purpose = 'turn' | 'compaction' | 'judge' | 'search' | 'grade' | 'dream';

export type ModelMessage = BetaMessageParam;
export type ModelTool = BetaToolUnion;

export interface ModelRequest {
  /** As the agent has it: id, effort, speed, inference_geo. */
  readonly model: BetaManagedAgentsModelConfig;
  readonly system: string | readonly BetaTextBlockParam[];
  /** The API's own shapes; consecutive roles are merged and checked by `normalise`. */
  readonly messages: readonly ModelMessage[];
  readonly tools: readonly ModelTool[];
  readonly purpose: Purpose;
  /** Opaque to the provider: an id of ours, no name and no address. */
  readonly thread_id: string;
  /** @default - what the model can say at most, up to limits.model_output_tokens_max */
  readonly max_tokens?: number;
  /** JSON Schema of the answer. Ignored where the provider cannot hold a model to it. */
  readonly output_schema?: Readonly<Record<string, unknown>>;
}

/** Tokens of one request. All input is the sum of `input_tokens` and the three of the cache. */
export interface RequestUsage {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_input_tokens: number;
  readonly cache_creation_5m_input_tokens: number;
  readonly cache_creation_1h_input_tokens: number;
  readonly web_search_requests: number;
}

export interface StopDetails {
  readonly type: 'refusal';
  readonly category: string | null;
  readonly explanation: string | null;
}

/** One whole answer. */
export interface ModelReply {
  /** As it came, signatures and all: send it back unchanged. */
  readonly content: readonly BetaContentBlock[];
  /** The call, without its input, that the answer's own length has cut in half: it is not in `content`. */
  readonly cut?: BetaToolUseBlock;
  readonly stop_reason: BetaStopReason | null;
  readonly stop_details: StopDetails | null;
  readonly usage: RequestUsage;
  /** The speed that the request really ran at; null where the provider does not say. */
  readonly speed: 'standard' | 'fast' | null;
  /** It came by the Message Batches API, at half the price. @default false */
  readonly is_batched?: boolean;
}

export type BlockKind = 'text' | 'thinking' | 'tool_use' | 'other';

/** What arrives while the model answers. `index` is the block's place in the answer. */
export type ModelPart =
  | { readonly type: 'start'; readonly block: BlockKind; readonly index: number }
  | {
      readonly type: 'delta';
      readonly block: BlockKind;
      readonly index: number;
      readonly text: string;
    }
  | { readonly type: 'done'; readonly message: ModelReply };

export interface Model {
  /**
   * Ask, and hear the answer as it is said. Ends with exactly one `done`, or throws. Nothing is
   * repeated here: the caller's loop owns the retries. Leaving the loop early stops the request.
   *
   * @throws ModelError for everything that the provider or the network can do to us.
   */
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelPart>;
}

/** The whole answer of a request whose parts nobody watches. @throws ModelError */
export async function ask(
  model: Model,
  request: ModelRequest,
  signal: AbortSignal,
): Promise<ModelReply> {
  for await (const part of model.stream(request, signal)) {
    if (part.type === 'done') return part.message;
  }
  throw new Error('the model ended without an answer');
}

/** What an answer says in words: its text blocks, joined. */
export function textOf(content: readonly BetaContentBlock[]): string {
  return content.map((block) => (block.type === 'text' ? block.text : '')).join('');
}

/** Nothing used. */
export const noRequestUsage: RequestUsage = {
  input_tokens: 0,
  output_tokens: 0,
  cache_read_input_tokens: 0,
  cache_creation_5m_input_tokens: 0,
  cache_creation_1h_input_tokens: 0,
  web_search_requests: 0,
};

/** As the end of a request's span shows it. */
export function shownUsage(usage: RequestUsage) {
  return {
    input_tokens: usage.input_tokens,
    output_tokens: usage.output_tokens,
    cache_read_input_tokens: usage.cache_read_input_tokens,
    cache_creation_input_tokens:
      usage.cache_creation_5m_input_tokens + usage.cache_creation_1h_input_tokens,
  };
}

/** Sums of two requests. */
export function addRequestUsage(a: RequestUsage, b: RequestUsage): RequestUsage {
  return {
    input_tokens: a.input_tokens + b.input_tokens,
    output_tokens: a.output_tokens + b.output_tokens,
    cache_read_input_tokens: a.cache_read_input_tokens + b.cache_read_input_tokens,
    cache_creation_5m_input_tokens:
      a.cache_creation_5m_input_tokens + b.cache_creation_5m_input_tokens,
    cache_creation_1h_input_tokens:
      a.cache_creation_1h_input_tokens + b.cache_creation_1h_input_tokens,
    web_search_requests: a.web_search_requests + b.web_search_requests,
  };
}
