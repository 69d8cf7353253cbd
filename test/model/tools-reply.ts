import type { MessagesRequest } from '../../infra/local/offline-model/server.ts';
import { calls, say, type Reply } from './replies.ts';

/**
 * Answers a message with `tools=3 name=x` by so many calls in one reply, and their results by a word.
 *
 * @returns undefined where the last message of the user is none of these
 */
export function toolsReply({ messages }: MessagesRequest['body']): Reply | undefined {
  const texts = messages.map(({ role, content }) =>
    role === 'user' ? JSON.stringify(content) : '',
  );
  const at = texts.findLastIndex((text) => text.includes('tools='));
  const [, count, name] = /tools=(\d+) name=(\w+)/.exec(texts[at] ?? '') ?? [];
  if (count === undefined || name === undefined) return undefined;
  if (messages.slice(at).some(({ role }) => role === 'assistant')) return say(`${name} is done.`);
  const drafts = Array.from({ length: Number(count) }, (_, n) => {
    const file_path = `/tmp/tool-${n}.txt`;
    return ['write', { file_path, content: `${name} ${n}` }] as const;
  });
  return calls(...drafts);
}
