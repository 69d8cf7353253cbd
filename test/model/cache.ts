import { createHash } from 'node:crypto';
import type { MessageCreateParams } from '@anthropic-ai/sdk/resources/messages';

/** One cacheable piece of a request, in the order in which the API reads them. */
interface Piece {
  readonly tokens: number;
  /** Hash of everything up to and including this piece. */
  readonly prefix: string;
  /** Lifetime asked for by a breakpoint on this piece, or 0. */
  readonly ttl_ms: number;
}

export interface CacheUsage {
  readonly input_tokens: number;
  readonly cache_read_input_tokens: number;
  readonly cache_creation_input_tokens: number;
  readonly ephemeral_5m_input_tokens: number;
  readonly ephemeral_1h_input_tokens: number;
}

/** Source: prompt caching guide: a breakpoint looks back over at most this many blocks. */
const LOOKBACK_BLOCKS = 20;
/** Source: prompt caching guide: a shorter prefix is not cached, without an error. */
const PREFIX_TOKENS_MIN = 1_024;
const FIVE_MINUTES_MS = 300_000;
const ONE_HOUR_MS = 3_600_000;
/** Characters in a token: near enough, and the same on every machine. */
const TOKEN_CHARS = 4;

/**
 * The prompt cache of the API by its documented rules: the prefix runs tools, system, messages;
 * entries are written at breakpoints only, are found by the longest unchanged prefix, live five
 * minutes or one hour from their last use, and belong to one model and one key.
 */
export class PromptCache {
  readonly #now: () => number;
  readonly #entries = new Map<string, { expires_at: number; ttl_ms: number }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Account for one request, and remember what it wrote. */
  account(body: MessageCreateParams, owner: string): CacheUsage {
    const pieces = piecesOf(body, owner);
    const sums = sumsOf(pieces);
    const marks = pieces.flatMap((piece, index) => (piece.ttl_ms > 0 ? [index] : []));
    const hit = this.#longestHit(pieces, marks);
    const read = hit === -1 ? 0 : (sums[hit] ?? 0);
    const written = { [FIVE_MINUTES_MS]: 0, [ONE_HOUR_MS]: 0 };
    let cached = read;
    for (const mark of marks) {
      const piece = pieces[mark];
      const sum = sums[mark] ?? 0;
      if (piece === undefined || sum < PREFIX_TOKENS_MIN) continue;
      const expires_at = this.#now() + piece.ttl_ms;
      this.#entries.set(piece.prefix, { expires_at, ttl_ms: piece.ttl_ms });
      if (sum <= cached) continue;
      written[piece.ttl_ms as keyof typeof written] += sum - cached;
      cached = sum;
    }
    return {
      input_tokens: (sums.at(-1) ?? 0) - cached,
      cache_read_input_tokens: read,
      cache_creation_input_tokens: cached - read,
      ephemeral_5m_input_tokens: written[FIVE_MINUTES_MS],
      ephemeral_1h_input_tokens: written[ONE_HOUR_MS],
    };
  }

  /** The last piece that some breakpoint finds in the cache, or -1. Reading renews the entry. */
  #longestHit(pieces: readonly Piece[], marks: readonly number[]): number {
    for (const mark of marks.toReversed()) {
      for (let at = mark; at >= 0 && at > mark - LOOKBACK_BLOCKS; at -= 1) {
        const entry = this.#entries.get(pieces[at]?.prefix ?? '');
        if (entry === undefined || entry.expires_at <= this.#now()) continue;
        entry.expires_at = this.#now() + entry.ttl_ms;
        return at;
      }
    }
    return -1;
  }
}

/** Tokens of the whole input, by the same measure as the cache's. */
export function inputTokens(body: MessageCreateParams): number {
  return sumsOf(piecesOf(body, '')).at(-1) ?? 0;
}

/** Tokens of anything said: the size of its text. */
export function tokensOf(value: unknown): number {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return Math.ceil(text.length / TOKEN_CHARS);
}

function sumsOf(pieces: readonly Piece[]): number[] {
  let sum = 0;
  return pieces.map((piece) => (sum += piece.tokens));
}

function piecesOf(body: MessageCreateParams, owner: string): Piece[] {
  // Changing the choice of tool or the thinking settings leaves tools and system cached, not messages.
  const settings = JSON.stringify([body.tool_choice, body.thinking, body.output_config]);
  const drafts: [content: object | string, salt?: string][] = [
    ...(body.tools ?? []).map((tool): [object] => [tool]),
    ...blocksOf(body.system ?? []).map((block): [object] => [block]),
    ...body.messages.flatMap(({ role, content }) =>
      blocksOf(content).map((block): [object, string] => [block, role + settings]),
    ),
  ];
  let prefix = `${owner}:${body.model}`;
  const pieces = drafts.map(([block, salt]) => {
    const { cache_control, ...content } = block as { cache_control?: unknown };
    const text = JSON.stringify(content);
    prefix = createHash('sha256')
      .update(prefix)
      .update(salt ?? '')
      .update(text)
      .digest('base64');
    return { tokens: tokensOf(text), prefix, ttl_ms: ttlOf(cache_control) };
  });
  return markLast(pieces, ttlOf(body.cache_control));
}

/** `cache_control` of the request itself marks its last block. */
function markLast(pieces: Piece[], ttl_ms: number): Piece[] {
  const last = pieces.at(-1);
  if (ttl_ms === 0 || last === undefined) return pieces;
  return [...pieces.slice(0, -1), { ...last, ttl_ms: Math.max(ttl_ms, last.ttl_ms) }];
}

function blocksOf(content: string | readonly object[]): readonly object[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

function ttlOf(control: unknown): number {
  if (control === undefined || control === null) return 0;
  return (control as { ttl?: string }).ttl === '1h' ? ONE_HOUR_MS : FIVE_MINUTES_MS;
}
