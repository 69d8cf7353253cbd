import type { APIError } from '@anthropic-ai/sdk/error';
import type {
  BetaContentBlockParam,
  BetaMessageParam,
  MessageCreateParamsStreaming,
} from '@anthropic-ai/sdk/resources/beta/messages/messages';
import { toldBy } from './model-error.ts';

/** Only its words tell that a picture or a PDF is meant, and mostly which message holds it. */
const MEDIA = /\b(images?|pdfs?|documents?)\b/i;
const PLACE = /^messages\.(\d+)\./;

/**
 * The request without what the provider has refused to look at: damaged, too large, with too many
 * pages, one too many. It stands in the conversation for good, so that each further request would be
 * refused, and there is no knowing all rules beforehand.
 *
 * @returns undefined when the refusal is about something else, or nothing is left to leave out
 */
export function withoutRefusedMedia(
  params: MessageCreateParamsStreaming,
  error: APIError,
): MessageCreateParamsStreaming | undefined {
  const told = toldBy(error);
  if (error.status !== 400 || !MEDIA.test(told)) return undefined;
  const place = PLACE.exec(told)?.[1];
  const named = place === undefined ? undefined : withoutMedia(params, Number(place));
  return named ?? withoutMedia(params);
}

/** @param at The only message that loses its pictures and documents. @default - all do */
function withoutMedia(
  params: MessageCreateParamsStreaming,
  at?: number,
): MessageCreateParamsStreaming | undefined {
  const messages = params.messages.map((message, index) =>
    at === undefined || index === at ? withoutMediaIn(message) : message,
  );
  const is_same = messages.every((message, index) => message === params.messages[index]);
  return is_same ? undefined : { ...params, messages };
}

function withoutMediaIn(message: BetaMessageParam): BetaMessageParam {
  const { content } = message;
  if (!Array.isArray(content)) return message;
  const blocks = content.map(withoutMediaOf);
  return blocks.every((block, index) => block === content[index])
    ? message
    : ({ ...message, content: blocks } as BetaMessageParam);
}

function withoutMediaOf(block: BetaContentBlockParam): BetaContentBlockParam {
  if (block.type === 'tool_result' && Array.isArray(block.content)) {
    const { content } = block;
    const inner = content.map((one) => withoutMediaOf(one as BetaContentBlockParam));
    if (inner.every((one, index) => one === content[index])) return block;
    return { ...block, content: inner as typeof content };
  }
  if (block.type !== 'image' && block.type !== 'document') return block;
  const { type, cache_control } = block;
  const text = `[The ${type} that stood here was left out: the model provider refused it.]`;
  return { type: 'text', text, ...(cache_control ? { cache_control } : {}) };
}
