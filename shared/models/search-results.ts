import type {
  BetaContentBlockParam,
  BetaSearchResultBlockParam,
} from '@anthropic-ai/sdk/resources/beta/messages/messages';
import type { ModelMessage } from './model.ts';

type Block = BetaContentBlockParam;

/**
 * Search results as the API demands them: each says something, and all have citations or none has.
 * Ours have them, a client's as it likes. The first one's word counts for all: what comes later
 * changes nothing before it. Source: search results guide.
 */
export function alikeResults(messages: readonly ModelMessage[]): readonly ModelMessage[] {
  const [first] = messages.flatMap(({ content }) => resultsIn(content));
  if (first === undefined) return messages;
  const citations = { enabled: first.citations?.enabled === true };
  return messages.map((message) =>
    resultsIn(message.content).length === 0
      ? message
      : ({ ...message, content: alike(message.content, citations) } as ModelMessage),
  );
}

function resultsIn(content: unknown): BetaSearchResultBlockParam[] {
  if (!Array.isArray(content)) return [];
  return content.flatMap((block: Block) => {
    if (block.type === 'tool_result') return resultsIn(block.content);
    return block.type === 'search_result' ? [block] : [];
  });
}

function alike(content: unknown, citations: { readonly enabled: boolean }): unknown {
  if (!Array.isArray(content)) return content;
  return content.map((block: Block) => {
    if (block.type === 'tool_result') return { ...block, content: alike(block.content, citations) };
    if (block.type !== 'search_result') return block;
    const said = block.content.filter(({ text }) => text.trim() !== '');
    return { ...block, citations, content: said.length === 0 ? [placeOf(block)] : said };
  });
}

/** All that is known of a result without a word. */
function placeOf({ source }: BetaSearchResultBlockParam) {
  return { type: 'text' as const, text: source };
}
