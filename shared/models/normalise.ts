import type {
  BetaContentBlockParam,
  BetaMessageParam,
} from '@anthropic-ai/sdk/resources/beta/messages/messages';
import { invariant } from '../core/invariant.ts';
import type { ModelMessage } from './model.ts';
import { alikeResults } from './search-results.ts';

type Role = ModelMessage['role'];
type Block = BetaContentBlockParam;

interface Turn {
  readonly role: Role;
  readonly blocks: Block[];
}

/**
 * Messages as the API demands them: one message a role in a row, results of tools before anything
 * else in theirs, no empty text, search results alike. Appending messages never changes what stands before the last one.
 *
 * @throws Error when a call is not answered exactly once, in the message after it; or when the first
 *   message is not the user's: our own bug, found before the provider finds it.
 */
export function normalise(messages: readonly ModelMessage[]): BetaMessageParam[] {
  const turns: Turn[] = [];
  for (const { role, content } of alikeResults(messages)) {
    const blocks = spokenOf(blocksOf(content)).map(withoutEmptyResult);
    if (blocks.length === 0) continue;
    const last = turns.at(-1);
    if (last?.role === role) last.blocks.push(...blocks);
    else turns.push({ role, blocks });
  }
  const spoken = foldBack(turns).map((turn) => ({ ...turn, blocks: resultsFirst(turn) }));
  check(spoken);
  return spoken.map(({ role, blocks }) => ({ role, content: blocks }) as BetaMessageParam);
}

/**
 * A system message follows the user's and stands before the assistant's or at the end: what the user
 * says after it belongs before it, also where it was sent first of all or behind an answer. Source:
 * placement rules of mid-conversation system messages.
 */
function foldBack(turns: readonly Turn[]): Turn[] {
  const folded: Turn[] = [];
  for (const { role, blocks } of turns) {
    const previous = folded.at(-1);
    const before = folded.at(-2);
    if (previous?.role !== 'system' || role === 'assistant') {
      folded.push({ role, blocks: [...blocks] });
    } else if (role === 'system') previous.blocks.push(...blocks);
    else if (before?.role === 'user') before.blocks.push(...blocks);
    else folded.splice(-1, 0, { role, blocks: [...blocks] });
  }
  return folded;
}

function check(turns: readonly Turn[]): void {
  invariant(turns[0]?.role === 'user', 'the first message is the user’s');
  const spoken = turns.filter(({ role }) => role !== 'system');
  for (const [index, { role, blocks }] of spoken.entries()) {
    if (role === 'user') {
      const asked = index === 0 ? [] : callsOf(spoken[index - 1]?.blocks ?? []);
      const answered = blocks.flatMap((b) => (b.type === 'tool_result' ? [b.tool_use_id] : []));
      const stray = answered.find((id, at) => !asked.includes(id) || answered.indexOf(id) !== at);
      invariant(
        stray === undefined,
        `the result of ${stray} answers one call of the message before`,
      );
      const open = asked.find((id) => !answered.includes(id));
      invariant(open === undefined, `the call ${open} is answered in the message after it`);
    } else if (index === spoken.length - 1) {
      invariant(callsOf(blocks).length === 0, 'the last calls are answered');
    }
  }
}

function callsOf(blocks: readonly Block[]): string[] {
  return blocks.flatMap((block) => (block.type === 'tool_use' ? [block.id] : []));
}

function resultsFirst({ role, blocks }: Turn): Block[] {
  if (role !== 'user') return blocks;
  const results = blocks.filter(({ type }) => type === 'tool_result');
  return [...results, ...blocks.filter(({ type }) => type !== 'tool_result')];
}

function blocksOf(content: ModelMessage['content']): Block[] {
  if (content === undefined) return [];
  return typeof content === 'string' ? [{ type: 'text', text: content }] : (content as Block[]);
}

function spokenOf<Any extends { readonly type: string }>(blocks: readonly Any[]): Any[] {
  return blocks.filter(
    (block) => block.type !== 'text' || !('text' in block) || String(block.text).trim() !== '',
  );
}

/** A tool that printed nothing has a result without content: an empty text is refused there, too. */
function withoutEmptyResult(block: Block): Block {
  if (block.type !== 'tool_result' || !Array.isArray(block.content)) return block;
  return { ...block, content: spokenOf(block.content) };
}
