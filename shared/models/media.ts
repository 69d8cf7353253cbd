import type { BetaContentBlockParam } from '@anthropic-ai/sdk/resources/beta/messages/messages';

/**
 * A block with words in the place of each picture and document in it, also of those that a tool gave; the
 * same block where it has none.
 */
export function withoutMedia(
  block: BetaContentBlockParam,
  wordsFor: (type: 'image' | 'document') => string,
): BetaContentBlockParam {
  if (block.type === 'tool_result' && Array.isArray(block.content)) {
    const { content } = block;
    const inner = content.map((one) => withoutMedia(one as BetaContentBlockParam, wordsFor));
    if (inner.every((one, index) => one === content[index])) return block;
    return { ...block, content: inner as typeof content };
  }
  if (block.type !== 'image' && block.type !== 'document') return block;
  const { type, cache_control } = block;
  return { type: 'text', text: wordsFor(type), ...(cache_control ? { cache_control } : {}) };
}
