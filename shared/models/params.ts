import type {
  BetaMessageParam,
  BetaOutputConfig,
  BetaThinkingConfigParam,
  MessageCreateParamsStreaming,
} from '@anthropic-ai/sdk/resources/beta/messages/messages';
import { limits } from '../core/limits.ts';
import { answerRule } from './answer-rule.ts';
import { markBreakpoints } from './caching.ts';
import { modelFacts, type ModelFacts } from './catalogue.ts';
import type { ModelRequest, Provider } from './model.ts';
import { normalise } from './normalise.ts';
import { wellFormed } from './well-formed.ts';

/** `{"<the API's model id>": "<the provider's>"}` of the environment's MODEL_IDS. */
export type ModelIds = Readonly<Record<string, string>>;

export interface Dialect {
  readonly provider: Provider;
  readonly model_ids: ModelIds;
}

/** What the provider is sent: the body and the headers that the body needs. */
export function toParams(request: ModelRequest, dialect: Dialect): MessageCreateParamsStreaming {
  const { model, thread_id } = request;
  const facts = modelFacts(model.id);
  const output_config = outputConfig(request, facts, dialect);
  const thinking = thinkingConfig(facts, dialect);
  const fast = runsFast(request, facts, dialect);
  const betas = betasFor(thinking, fast);
  const max_tokens = Math.min(
    request.max_tokens ?? limits.model_output_tokens_max,
    facts.max_output_tokens,
  );
  // An older model refuses it, and must: to run somewhere else in silence would break a promise.
  const sends_geo = dialect.provider !== 'bedrock' && (facts.geo || model.inference_geo === 'us');
  return {
    model: providerModelId(model.id, model.inference_geo, dialect),
    max_tokens,
    stream: true,
    ...wellFormed(prompt(request, facts, dialect)),
    // Opaque, and ours: an abuse report by the provider can be traced to a thread, not to a person.
    metadata: { user_id: thread_id },
    ...(thinking === undefined ? {} : { thinking }),
    ...(output_config === undefined ? {} : { output_config }),
    ...(fast ? { speed: 'fast' } : {}),
    ...(sends_geo && model.inference_geo !== undefined
      ? { inference_geo: model.inference_geo }
      : {}),
    ...(betas.length > 0 ? { betas } : {}),
  };
}

function prompt(
  { system, tools, messages, purpose, output_schema }: ModelRequest,
  facts: ModelFacts,
  dialect: Dialect,
) {
  const said = typeof system === 'string' ? textBlocks(system) : system;
  const is_told =
    purpose === 'dream' && output_schema !== undefined && !holdsSchema(facts, dialect);
  const blocks = is_told ? [...said, ...textBlocks(answerRule(output_schema))] : said;
  const marked = markBreakpoints({
    tools,
    system: blocks,
    messages: normalise(messages),
    // Nobody reads a dream's question again: to write it into the cache costs a quarter more.
    is_asked_once: purpose === 'dream',
  });
  return {
    messages: [...marked.messages],
    ...(marked.tools.length > 0 ? { tools: [...marked.tools] } : {}),
    ...(marked.system.length > 0 ? { system: [...marked.system] } : {}),
  };
}

function textBlocks(system: string) {
  return system.trim() === '' ? [] : [{ type: 'text' as const, text: system }];
}

/**
 * The same for every request of a model: what changes between two requests of a thread is read
 * anew instead of from the cache.
 */
function thinkingConfig(
  facts: ModelFacts,
  { provider }: Dialect,
): BetaThinkingConfigParam | undefined {
  if (facts.thinking === 'none') return undefined;
  if (provider === 'bedrock') return { type: 'adaptive' };
  return {
    type: 'adaptive',
    // An agent's tools or prompt may be updated between two turns: older thoughts then no longer count.
    ...(facts.binds_thinking ? { block_binding: { prefix_mismatch_behavior: 'drop_block' } } : {}),
  };
}

function outputConfig(
  { model, output_schema }: ModelRequest,
  facts: ModelFacts,
  dialect: Dialect,
): BetaOutputConfig | undefined {
  const effort = model.effort?.type;
  const differs = effort !== undefined && effort !== facts.default_effort;
  const sends_effort = differs && facts.efforts.includes(effort);
  const sends_schema = output_schema !== undefined && holdsSchema(facts, dialect);
  if (!sends_effort && !sends_schema) return undefined;
  return {
    ...(sends_effort ? { effort } : {}),
    ...(sends_schema ? { format: { type: 'json_schema', schema: output_schema } } : {}),
  };
}

/** Bedrock has structured outputs for older models only. Source: structured outputs, footnote 1. */
function holdsSchema(facts: ModelFacts, { provider }: Dialect): boolean {
  return provider !== 'bedrock' || facts.bedrock_legacy;
}

/** Fast mode exists on Anthropic's own API only; elsewhere the request runs at standard speed. */
function runsFast({ model }: ModelRequest, facts: ModelFacts, { provider }: Dialect): boolean {
  return model.speed === 'fast' && facts.fast && provider === 'anthropic';
}

function betasFor(thinking: BetaThinkingConfigParam | undefined, fast: boolean): string[] {
  const adaptive = thinking?.type === 'adaptive' ? thinking : undefined;
  return [
    ...(fast ? ['fast-mode-2026-02-01'] : []),
    ...(adaptive?.block_binding ? ['thinking-binding-controls-2026-08-01'] : []),
  ];
}

/**
 * The provider's name of a model: MODEL_IDS first. Bedrock serves Claude through inference profiles,
 * and their prefix is where it runs: `us.` for US-only inference, else `global.`.
 */
export function providerModelId(
  id: string,
  inference_geo: string | undefined,
  { provider, model_ids }: Dialect,
): string {
  const mapped = Object.hasOwn(model_ids, id) ? model_ids[id] : undefined;
  if (mapped !== undefined) return mapped;
  if (provider !== 'bedrock' || isBedrockId(id)) return id;
  const { bedrock_id } = modelFacts(id);
  return `${inference_geo === 'us' ? 'us' : 'global'}.${bedrock_id}`;
}

/** An agent may name a Bedrock id or a profile's ARN itself. */
function isBedrockId(id: string): boolean {
  return id.includes('anthropic.') || id.startsWith('arn:');
}

/**
 * The same request without its thoughts: the way out when the provider says that one of them
 * belongs to another conversation, where it cannot be told to drop them itself. Undefined where it
 * has none.
 */
export function withoutThinking(
  params: MessageCreateParamsStreaming,
): MessageCreateParamsStreaming | undefined {
  let is_same = true;
  const messages = params.messages.flatMap((message): BetaMessageParam[] => {
    if (message.role !== 'assistant' || typeof message.content === 'string') return [message];
    const content = message.content.filter(
      ({ type }) => type !== 'thinking' && type !== 'redacted_thinking',
    );
    if (content.length === message.content.length) return [message];
    is_same = false;
    return content.length === 0 ? [] : [{ ...message, content }];
  });
  return is_same ? undefined : { ...params, messages };
}
