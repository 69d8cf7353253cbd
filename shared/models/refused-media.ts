import type { APIError } from '@anthropic-ai/sdk/error';
import type {
  BetaMessageParam,
  MessageCreateParamsStreaming,
} from '@anthropic-ai/sdk/resources/beta/messages/messages';
import { withoutMedia } from './media.ts';
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
  const named = place === undefined ? undefined : lessMedia(params, Number(place));
  return named ?? lessMedia(params);
}

/** @param at The only message that loses its pictures and documents. @default - all do */
function lessMedia(
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
  const blocks = content.map((block) => withoutMedia(block, leftOut));
  return blocks.every((block, index) => block === content[index])
    ? message
    : ({ ...message, content: blocks } as BetaMessageParam);
}

function leftOut(type: string): string {
  return `[The ${type} that stood here was left out: the model provider refused it.]`;
}
