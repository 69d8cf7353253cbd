import type { ModelRequest } from './model.ts';
import type { Reply } from './replies.ts';

/** Which requests a script answers: text of the conversation's first message, or anything. */
export type Match = string | ((request: ModelRequest) => boolean);

/** Decides on the reply itself; undefined refuses the request as not scripted. */
export type Script = (request: ModelRequest) => Reply | undefined | Promise<Reply | undefined>;

/** Replies by the number of the assistant's messages; see `ScriptedModel.onTurns`. */
export function repeatable(
  replies: readonly (Reply | readonly Reply[])[],
): (request: ModelRequest) => Reply | undefined {
  const attempts = new Map<number, number>();
  return ({ body }) => {
    const place = body.messages.filter(({ role }) => role === 'assistant').length;
    const entry = replies[place];
    if (entry === undefined || 'blocks' in entry) return entry;
    const attempt = attempts.get(place) ?? 0;
    attempts.set(place, attempt + 1);
    return entry[Math.min(attempt, entry.length - 1)];
  };
}
