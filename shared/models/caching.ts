import type {
  BetaCacheControlEphemeral,
  BetaContentBlockParam,
  BetaMessageParam,
  BetaTextBlockParam,
} from '@anthropic-ai/sdk/resources/beta/messages/messages';
import type { ModelTool } from './model.ts';

/** What a request reads in this order: the cache knows prefixes of exactly this. */
export interface Prompt {
  readonly tools: readonly ModelTool[];
  readonly system: readonly BetaTextBlockParam[];
  readonly messages: readonly BetaMessageParam[];
  /** No later request begins as this one does, but for tools and system. @default false */
  readonly is_asked_once?: boolean;
}

const breakpoint: BetaCacheControlEphemeral = { type: 'ephemeral' };

/**
 * Marks at most three of the four breakpoints that the API allows:
 * 1. the end of tools and system: what all threads of one agent share;
 * 2. the end of what the last request ended with: there the cache has its newest entry. A breakpoint
 *    looks back over 20 blocks only, and one round of parallel tools can be longer than that;
 * 3. the end of this request: the entry that the next one reads.
 *
 * Marks are not part of the prefix, and appended messages change nothing before them, so a long
 * session pays each token once and then reads it. Source: prompt caching guide.
 */
export function markBreakpoints({
  tools,
  system,
  messages,
  is_asked_once = false,
}: Prompt): Omit<Prompt, 'is_asked_once'> {
  const last_said = messages.findLastIndex(({ role }) => role === 'assistant');
  const ends = is_asked_once
    ? new Set<number>()
    : new Set([endAt(messages, messages.length - 1), endAt(messages, last_said - 1)]);
  return {
    tools: system.length === 0 ? markLast(tools) : tools,
    system: markLast(system),
    messages: messages.map((message, index) => (ends.has(index) ? markEnd(message) : message)),
  };
}

/** The last message up to `from` with a block that can be marked; -1 when there is none. */
function endAt(messages: readonly BetaMessageParam[], from: number): number {
  return messages.findLastIndex((message, at) => at <= from && markable(message) !== -1);
}

function markEnd(message: BetaMessageParam): BetaMessageParam {
  const blocks = blocksOf(message);
  const marked = blocks.with(markable(message), {
    ...blocks[markable(message)],
    cache_control: breakpoint,
  } as BetaContentBlockParam);
  return { ...message, content: marked } as BetaMessageParam;
}

function markable(message: BetaMessageParam): number {
  return blocksOf(message).findLastIndex(({ type }) => MARKABLE.has(type));
}

/** Thinking cannot be marked; other kinds of blocks never end a message of ours. */
const MARKABLE = new Set(['text', 'image', 'document', 'tool_use', 'tool_result', 'search_result']);

function blocksOf({ content }: BetaMessageParam): BetaContentBlockParam[] {
  return typeof content === 'string' || content === undefined
    ? []
    : (content as BetaContentBlockParam[]);
}

function markLast<Item extends object>(items: readonly Item[]): readonly Item[] {
  const last = items.at(-1);
  return last === undefined
    ? items
    : items.with(-1, { ...last, cache_control: breakpoint } as Item);
}
