import type { MessagesRequest } from '../../infra/local/offline-model/server.ts';
import { call, reply, say, type Reply } from './replies.ts';

type Body = MessagesRequest['body'];

/** What a member's model takes to answer. */
const MEMBER_MS = 1_000;
const ROUNDS = 2;

/** The platform says so before the report of an agent: see shared/turn/messages.ts. */
const REPORT = /^Message from an agent of yours: (\{.*\})/;

/**
 * Plays a coordinator that is told `threads=25 items=100`: it starts so many agents, gives each an
 * item, and the next one with each report; it answers at once. And its agents, who take three requests
 * of a second for an item.
 *
 * @returns undefined for every other request
 */
export function teamReply(body: Body): Reply | undefined {
  const texts = textsOf(body);
  const [, threads, items] = /threads=(\d+) items=(\d+)/.exec(texts[0] ?? '') ?? [];
  if (threads !== undefined)
    return led(body, texts, { threads: Number(threads), items: Number(items) });
  const item = texts.findLast((text) => text.startsWith('item='));
  return item === undefined ? undefined : worked(body, item);
}

function led(
  body: Body,
  texts: readonly string[],
  { threads, items }: { readonly threads: number; readonly items: number },
): Reply {
  const calls = blocksOf(body, 'assistant').filter(({ type }) => type === 'tool_use');
  const item = (n: number): string => `item=${n}`;
  if (calls.length === 0) {
    const first = Array.from({ length: Math.min(threads, items) }, (_, n) => n);
    return reply(...first.map((n) => call('start_agent', { agent: 'Member', message: item(n) })));
  }
  const reports = texts.flatMap((text) => REPORT.exec(text)?.[1] ?? []);
  const reporters = reports.map((text) => (JSON.parse(text) as { thread_id: string }).thread_id);
  const told = calls.flatMap(({ input }) => (input as { thread_id?: string }).thread_id ?? []);
  const again = (ids: readonly string[], id: string): number =>
    ids.filter((one) => one === id).length;
  // With its first item a thread was started, so each report but one follows a message.
  const free = [...new Set(reporters)].filter((id) => again(reporters, id) > again(told, id));
  const next = free.slice(0, items - calls.length);
  if (next.length === 0) return say(reports.length < items ? 'I wait.' : 'All is done.');
  return reply(
    ...next.map((thread_id, n) =>
      call('send_to_agent', { thread_id, message: item(calls.length + n) }),
    ),
  );
}

function worked({ messages }: Body, item: string): Reply {
  const at = messages.findLastIndex(
    ({ role, content }) => role === 'user' && JSON.stringify(content).includes(`"${item}"`),
  );
  const round = messages.slice(at).filter(({ role }) => role === 'assistant').length;
  const file_path = `/tmp/${item.replace('=', '-')}-${round}.txt`;
  const answer =
    round < ROUNDS ? call('write', { file_path, content: item }) : say(`${item} is done.`);
  return { ...answer, pace: { before_ms: MEMBER_MS } };
}

interface Block {
  readonly type: string;
  readonly text?: string;
  readonly input?: unknown;
}

function blocksOf({ messages }: Body, wanted: 'user' | 'assistant'): Block[] {
  return messages
    .filter(({ role }) => role === wanted)
    .flatMap(({ content }) =>
      typeof content === 'string' ? [{ type: 'text', text: content }] : (content as Block[]),
    );
}

function textsOf(body: Body): string[] {
  return blocksOf(body, 'user').flatMap(({ type, text }) =>
    type === 'text' && text !== undefined ? [text] : [],
  );
}
