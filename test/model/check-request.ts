import type { IncomingHttpHeaders } from 'node:http';
import type { MessageCreateParams } from '@anthropic-ai/sdk/resources/messages';
import { checkFormat } from './check-format.ts';

/** A block of a request, as far as the rules look at it. */
interface Block {
  readonly type: string;
  readonly [field: string]: unknown;
}

interface Turn {
  readonly role: string;
  readonly blocks: readonly Block[];
  readonly at: string;
}

/** What the server remembers of what it said: the API checks these against what comes back. */
export interface Said {
  /** Whether this signature was given to exactly this thinking. */
  signed(thinking: string, signature: string): boolean;
  /** The signatures of the thinking that stood before this call, in order. */
  thoughtBefore(tool_use_id: string): readonly string[];
}

const TOOL_NAME = /^[a-zA-Z0-9_-]{1,128}$/;
const BREAKPOINTS_MAX = 4;

/**
 * The rules of the Messages API that a client can break without noticing.
 * @returns the message of the 400, or undefined when the request is good.
 */
export function checkRequest(
  body: MessageCreateParams,
  headers: IncomingHttpHeaders,
  said: Said,
): string | undefined {
  const turns = turnsOf(body);
  const rules: (() => string | undefined)[] = [
    () => checkHeaders(headers),
    () => checkUnicode(body),
    () => checkEnvelope(body),
    () => checkTools(body),
    () => checkFormat(body),
    () => checkRoles(turns),
    () => first(turns, checkBlocks),
    () => checkResults(turns),
    () => checkSearchResults(turns),
    () => checkThinking(turns, said),
    () => checkBreakpoints(body, turns),
  ];
  return first(rules, (rule) => rule());
}

function first<T>(items: readonly T[], check: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const broken = check(item);
    if (broken !== undefined) return broken;
  }
  return undefined;
}

function turnsOf(body: MessageCreateParams): Turn[] {
  return (Array.isArray(body.messages) ? body.messages : []).map(({ role, content }, index) => ({
    role,
    at: `messages.${index}`,
    blocks: (typeof content === 'string'
      ? [{ type: 'text', text: content }]
      : content) as unknown as Block[],
  }));
}

function checkHeaders(headers: IncomingHttpHeaders): string | undefined {
  const authorized = headers['x-api-key'] ?? headers.authorization;
  if (authorized === undefined) return 'x-api-key: header is required';
  if (headers['anthropic-version'] === undefined) return 'anthropic-version: header is required';
  return undefined;
}

/** What JSON can write and UTF-8 cannot: `JSON.stringify` escapes nothing else so. */
function checkUnicode(body: MessageCreateParams): string | undefined {
  return /(?<!\\)(?:\\\\)*\\ud[89a-f]/.test(JSON.stringify(body))
    ? 'The request body is not valid JSON: no low surrogate in string'
    : undefined;
}

function checkEnvelope(body: MessageCreateParams): string | undefined {
  if (typeof body.model !== 'string' || body.model === '') return 'model: Field required';
  if (!Array.isArray(body.messages)) return 'messages: Field required';
  if (body.messages.length === 0) return 'messages: at least one message is required';
  if (!Number.isInteger(body.max_tokens)) return 'max_tokens: Field required';
  if (body.max_tokens < 1) return 'max_tokens: Input should be greater than or equal to 1';
  const extra = Object.keys(body).find((key) => !known.has(key));
  return extra === undefined ? undefined : `${extra}: Extra inputs are not permitted`;
}

const known = new Set(
  `model messages max_tokens system tools tool_choice stream metadata thinking output_config
  cache_control container diagnostics inference_geo service_tier speed stop_sequences
  context_management mcp_servers`.split(/\s+/),
);

function checkTools(body: MessageCreateParams): string | undefined {
  const names = (body.tools ?? []).map((tool) => ('name' in tool ? tool.name : tool.type));
  const bad = names.find((name) => !TOOL_NAME.test(name));
  if (bad !== undefined) return `tools: '${bad}' does not match ${TOOL_NAME.source}`;
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) return `tools: Tool names must be unique: '${twice}'`;
  const bare = (body.tools ?? []).find((tool) => !('type' in tool) && !('input_schema' in tool));
  return bare === undefined ? undefined : 'tools: input_schema: Field required';
}

/** A system message may stand between turns; without it user and assistant alternate. */
function checkRoles(turns: readonly Turn[]): string | undefined {
  const spoken = turns.filter((turn) => turn.role !== 'system');
  const odd = turns.find((turn) => !['user', 'assistant', 'system'].includes(turn.role));
  if (odd !== undefined) return `${odd.at}.role: unknown role '${odd.role}'`;
  if (turns[0]?.role !== 'user') return 'messages: first message must use the "user" role';
  const repeated = spoken.find((turn, index) => turn.role === spoken[index - 1]?.role);
  if (repeated !== undefined) {
    return `messages: roles must alternate between "user" and "assistant", but found multiple "${repeated.role}" roles in a row (${repeated.at})`;
  }
  const misplaced = turns.find(
    ({ role }, index) =>
      role === 'system' &&
      (turns[index - 1]?.role !== 'user' ||
        (turns[index + 1] !== undefined && turns[index + 1]?.role !== 'assistant')),
  );
  if (misplaced !== undefined) {
    return `${misplaced.at}: a system message must follow a user message and precede an assistant's or end the conversation`;
  }
  if (spoken.at(-1)?.role !== 'user') {
    return 'This model does not support assistant message prefill. The conversation must end with a user message.';
  }
  return undefined;
}

function checkBlocks(turn: Turn): string | undefined {
  if (turn.blocks.length === 0) return `${turn.at}: all messages must have non-empty content`;
  return first(turn.blocks, (block) => {
    if (block.type === 'text' && `${block['text'] as string}`.trim() === '') {
      return `${turn.at}: text content blocks must contain non-whitespace text`;
    }
    const own = { tool_use: 'assistant', thinking: 'assistant', tool_result: 'user' }[block.type];
    if (own !== undefined && own !== turn.role) {
      return `${turn.at}: \`${block.type}\` blocks can only be in \`${own}\` messages`;
    }
    if (turn.role === 'system' && block.type !== 'text') return `${turn.at}: text only`;
    return undefined;
  });
}

const idsOf = (turn: Turn | undefined, type: string, field: string): string[] =>
  (turn?.blocks ?? []).filter((block) => block.type === type).map((block) => String(block[field]));

/** Every call is answered once, in the next user message, before anything else in it. */
function checkResults(turns: readonly Turn[]): string | undefined {
  const spoken = turns.filter((turn) => turn.role !== 'system');
  const seen = new Set<string>();
  for (const [index, turn] of spoken.entries()) {
    const asked = idsOf(turn, 'tool_use', 'id');
    const again = asked.find((id, at) => seen.has(id) || asked.indexOf(id) !== at);
    if (again !== undefined) return `${turn.at}: \`tool_use\` ids must be unique: ${again}`;
    for (const id of asked) seen.add(id);
    const answered = idsOf(spoken[index + 1], 'tool_result', 'tool_use_id');
    const open = asked.filter((id) => !answered.includes(id));
    if (open.length > 0) {
      return `${turn.at}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${open.join(', ')}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`;
    }
    const given = idsOf(turn, 'tool_result', 'tool_use_id');
    const expected = idsOf(spoken[index - 1], 'tool_use', 'id');
    const broken = checkGiven(turn, given, expected);
    if (broken !== undefined) return broken;
  }
  return undefined;
}

function checkGiven(
  turn: Turn,
  given: readonly string[],
  expected: readonly string[],
): string | undefined {
  const stray = given.find((id) => !expected.includes(id));
  if (stray !== undefined) {
    return `${turn.at}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${stray}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`;
  }
  if (new Set(given).size !== given.length) {
    return `${turn.at}: each tool_use must have a single result. Found multiple \`tool_result\` blocks`;
  }
  const late = turn.blocks.slice(0, given.length).some((block) => block.type !== 'tool_result');
  return late ? `${turn.at}: \`tool_result\` blocks must come first in the message` : undefined;
}

/** Citations are for all or for none. Source: search results guide. */
function checkSearchResults(turns: readonly Turn[]): string | undefined {
  const given = turns.flatMap(({ blocks }) =>
    blocks.flatMap((block) => (block.type === 'tool_result' ? block['content'] : block)),
  ) as (Block | undefined)[];
  const found = given.filter((block) => block?.type === 'search_result') as unknown as {
    readonly content: readonly { readonly text: string }[];
    readonly citations?: { readonly enabled?: boolean };
  }[];
  if (found.some(({ content }) => content.some(({ text }) => text.trim() === ''))) {
    return 'search_result: text content blocks must be non-empty';
  }
  const settings = new Set(found.map(({ citations }) => citations?.enabled === true));
  return settings.size > 1
    ? 'search_result: citations must be enabled for all search results or for none'
    : undefined;
}

/** Signatures are verified; the thinking of the turn that is still open must be complete. */
function checkThinking(turns: readonly Turn[], said: Said): string | undefined {
  for (const turn of turns) {
    for (const block of turn.blocks.filter(({ type }) => type === 'thinking')) {
      if (said.signed(String(block['thinking']), String(block['signature']))) continue;
      return `${turn.at}: Invalid \`signature\` in \`thinking\` block`;
    }
  }
  const open = turns.findLast((turn) => turn.role === 'assistant');
  const call = idsOf(open, 'tool_use', 'id')[0];
  if (open === undefined || call === undefined) return undefined;
  const sent = idsOf(open, 'thinking', 'signature');
  const same = said.thoughtBefore(call).every((signature, index) => sent[index] === signature);
  return same
    ? undefined
    : `${open.at}: \`thinking\` or \`redacted_thinking\` blocks in the latest assistant message cannot be modified. These blocks must remain as they were in the original response.`;
}

function checkBreakpoints(body: MessageCreateParams, turns: readonly Turn[]): string | undefined {
  const system = typeof body.system === 'string' ? [] : (body.system ?? []);
  const blocks = [...(body.tools ?? []), ...system, ...turns.flatMap((turn) => turn.blocks)];
  const marked = [...blocks, body].filter(
    (block) => 'cache_control' in block && (block.cache_control ?? null) !== null,
  );
  if (marked.length > BREAKPOINTS_MAX) {
    return `A maximum of ${BREAKPOINTS_MAX} blocks with cache_control may be provided. Found ${marked.length}.`;
  }
  const thought = marked.find((block) => 'type' in block && block.type === 'thinking');
  if (thought !== undefined) return 'cache_control cannot be set on `thinking` blocks';
  const lives = marked.map((block) => (block as { cache_control: { ttl?: string } }).cache_control);
  const late = lives.some(({ ttl }, at) => ttl === '1h' && at > 0 && lives[at - 1]?.ttl !== '1h');
  return late ? 'cache_control.ttl: a `1h` block must not come after a `5m` block' : undefined;
}
