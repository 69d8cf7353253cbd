import { createHmac } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type {
  ContentBlock,
  Message,
  MessageCreateParams,
} from '@anthropic-ai/sdk/resources/messages';
import type { MessageBatches } from '../../infra/local/offline-model/batches.ts';
import {
  completeMessage,
  encodeError,
  encodeMessage,
} from '../../infra/local/offline-model/messages-sse.ts';
import {
  serveMessages,
  type MessagesAnswer,
  type MessagesRequest,
} from '../../infra/local/offline-model/server.ts';
import { inputTokens, PromptCache, tokensOf, type CacheUsage } from './cache.ts';
import { checkRequest } from './check-request.ts';
import { fail, type DraftBlock, type Pace, type Reply } from './replies.ts';
import { repeatable, type Match, type Script } from './scripts.ts';

export interface ModelOptions {
  /** Input that is larger is refused as too long. @default 1,000,000 */
  readonly window_tokens?: number;
  /** Time of the prompt cache, in milliseconds. @default - Date.now */
  readonly now?: () => number;
  /** @default - a free one */
  readonly port?: number;
  /** Called with every good request before it is answered: crash tests kill here. */
  readonly onRequest?: (request: ModelRequest) => void | Promise<void>;
  /** Keep no bodies: a bench must not measure the double's memory. */
  readonly forget?: boolean;
}

/** One request as it came, and what became of it. */
export interface ModelRequest extends MessagesRequest {
  /** Place in the order of arrival, from 0. */
  readonly n: number;
  /** Why it was refused with 400, if it was. */
  refused?: string;
  /** What the prompt cache made of it. */
  cache?: CacheUsage;
  /** What it was answered with. */
  reply?: Reply;
}

export interface ScriptedModel {
  /** For `base_url` of the model secret, or ANTHROPIC_BASE_URL. */
  readonly url: string;
  /** Every request to /v1/messages, also those that were refused. */
  readonly requests: readonly ModelRequest[];
  /** Its Message Batches: what came, and how they are to end. Their requests are among `requests`. */
  readonly batches: MessageBatches;
  /** The reasons of all 400s that were not scripted: empty at the end of a good test. */
  readonly violations: readonly string[];
  /**
   * Answer matching requests from a queue, one reply a request. A string matches the text of the
   * conversation's first message. The first script that matches and has a reply left answers.
   */
  on(match: Match, ...replies: readonly Reply[]): ScriptedModel;
  /**
   * Answer by the place in the conversation: `replies[n]` when n messages of the assistant stand in
   * it, so that a repeated request gets the same answer. A list is used up by attempts; its last sticks.
   */
  onTurns(match: Match, ...replies: readonly (Reply | readonly Reply[])[]): ScriptedModel;
  /** What answers when no queue does. */
  otherwise(script: Script): ScriptedModel;
  close(): Promise<void>;
}

interface Scripted {
  readonly match: Match;
  readonly next: (request: ModelRequest) => Reply | undefined;
}

/** A Messages API over real HTTP and SSE that says what a test scripts and is as strict as the real one. */
export async function startModel(options: ModelOptions = {}): Promise<ScriptedModel> {
  const { window_tokens = 1_000_000, now = Date.now, onRequest } = options;
  const requests: ModelRequest[] = [];
  const violations: string[] = [];
  const scripts: Scripted[] = [];
  const voice = new Voice();
  const cache = new PromptCache(now);
  let fallback: Script | undefined;
  let count = 0;

  const refuse = (request: ModelRequest, message: string): MessagesAnswer => {
    request.refused = message;
    violations.push(message);
    return answerFailure(fail(400, message));
  };

  const server = await serveMessages(async (incoming) => {
    const request: ModelRequest = { ...incoming, n: count };
    count += 1;
    if (options.forget !== true) requests.push(request);
    const broken = checkRequest(countable(request), request.headers, voice);
    if (broken !== undefined) return refuse(request, broken);
    const tokens = inputTokens(request.body);
    if (request.path.endsWith('/count_tokens'))
      return { status: 200, body: { input_tokens: tokens } };
    if (tokens > window_tokens) {
      // The one 400 that a client must expect, so it is no violation.
      request.refused = `prompt is too long: ${tokens} tokens > ${window_tokens} maximum`;
      return answerFailure(fail(400, request.refused));
    }
    await onRequest?.(request);
    const reply = await pick(scripts, fallback, request);
    if (reply === undefined)
      return refuse(request, `test/model: no reply for request ${request.n}`);
    request.reply = reply;
    await wait(reply.pace?.before_ms ?? 0, request.signal);
    if (reply.failure !== undefined) return answerFailure(reply);
    request.cache = cache.account(request.body, ownerOf(request));
    const message = voice.speak(reply, request.body, request.cache);
    return request.body.stream === true
      ? frames(message, reply.pace ?? {}, request.signal)
      : message;
  }, options.port);

  const model: ScriptedModel = {
    url: server.url,
    batches: server.batches,
    requests,
    violations,
    on: (match, ...replies) => {
      const queue = [...replies];
      scripts.push({ match, next: () => queue.shift() });
      return model;
    },
    onTurns: (match, ...replies) => {
      scripts.push({ match, next: repeatable(replies) });
      return model;
    },
    otherwise: (script) => {
      fallback = script;
      return model;
    },
    close: () => server.close(),
  };
  return model;
}

/** Counting tokens needs no `max_tokens`; everything else is checked alike. */
function countable({ body, path }: ModelRequest): MessageCreateParams {
  return path.endsWith('/count_tokens') ? { ...body, max_tokens: 1 } : body;
}

/** A cache belongs to the key's workspace; here a key is a workspace. */
function ownerOf({ headers }: ModelRequest): string {
  return String(headers['x-api-key'] ?? headers.authorization);
}

async function pick(
  scripts: readonly Scripted[],
  fallback: Script | undefined,
  request: ModelRequest,
): Promise<Reply | undefined> {
  for (const { match, next } of scripts) {
    if (!matches(match, request)) continue;
    const reply = next(request);
    if (reply !== undefined) return reply;
  }
  return await fallback?.(request);
}

function matches(match: Match, request: ModelRequest): boolean {
  return typeof match === 'string' ? firstText(request.body).includes(match) : match(request);
}

const answerFailure = ({ failure }: Reply): MessagesAnswer => ({
  status: failure?.status ?? 500,
  body: failure?.body,
  headers: { ...failure?.headers },
});

/** Turns replies into messages, and remembers what was signed and thought. */
class Voice {
  readonly #thoughts = new Map<string, readonly string[]>();
  #calls = 0;

  signed(thinking: string, signature: string): boolean {
    return sign(thinking) === signature;
  }

  thoughtBefore(tool_use_id: string): readonly string[] {
    return this.#thoughts.get(tool_use_id) ?? [];
  }

  speak(reply: Reply, body: MessageCreateParams, cache: CacheUsage): Message {
    const silent = body.thinking?.type === 'disabled';
    const content = reply.blocks
      .filter((draft) => !(silent && draft.type === 'thinking'))
      .map((draft) => this.#block(draft));
    const thoughts = content.flatMap((b) => (b.type === 'thinking' ? [b.signature] : []));
    for (const block of content) {
      if (block.type === 'tool_use') this.#thoughts.set(block.id, thoughts);
    }
    const { ephemeral_5m_input_tokens, ephemeral_1h_input_tokens, ...input } = cache;
    return completeMessage({
      id: `msg_${String((this.#calls += 1)).padStart(24, '0')}`,
      model: body.model,
      content,
      ...(reply.stop_reason === undefined ? {} : { stop_reason: reply.stop_reason }),
      ...(reply.stop_details === undefined ? {} : { stop_details: reply.stop_details }),
      usage: {
        ...input,
        cache_creation: { ephemeral_5m_input_tokens, ephemeral_1h_input_tokens },
        output_tokens: content.reduce((sum, block) => sum + tokensOf(block), 0),
        ...reply.usage,
      },
    });
  }

  #block(draft: DraftBlock): ContentBlock {
    switch (draft.type) {
      case 'text':
        return { type: 'text', text: draft.text, citations: null };
      case 'thinking':
        return { type: 'thinking', thinking: draft.thinking, signature: sign(draft.thinking) };
      case 'tool_use': {
        const id = draft.id ?? `toolu_${String((this.#calls += 1)).padStart(24, '0')}`;
        return {
          type: 'tool_use',
          id,
          name: draft.name,
          input: draft.input,
          caller: { type: 'direct' },
        };
      }
      case 'whole':
        return draft.block;
    }
  }
}

function sign(thinking: string): string {
  return createHmac('sha256', 'test/model').update(thinking).digest('base64');
}

async function* frames(message: Message, pace: Pace, signal: AbortSignal): AsyncGenerator<string> {
  const encoding = pace.chunk_chars === undefined ? {} : { chunk_chars: pace.chunk_chars };
  for (const [index, frame] of encodeMessage(message, encoding).entries()) {
    if (index === pace.cut_after_frames) throw new Error('the script cuts the connection here');
    if (index === pace.error_after_frames) {
      const type = pace.error_type ?? 'overloaded_error';
      yield encodeError(type, `scripted ${type}`);
      return;
    }
    yield frame;
    await wait(pace.frame_ms ?? 0, signal);
  }
}

/** Ends early, without an error, when the client goes away. */
async function wait(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0) return;
  // Timers hold 31 bits: "for ever" is a wait that only the client's going away ends.
  await delay(Math.min(ms, 2 ** 31 - 1), undefined, { signal }).catch(() => undefined);
}

/** The text of the conversation's first message. */
export function firstText(body: MessageCreateParams): string {
  return textOf(body.messages[0]);
}

/** The text of the last message of the user, tool results apart. */
export function lastText(body: MessageCreateParams): string {
  return textOf(body.messages.findLast(({ role }) => role === 'user'));
}

/** How many tool results stand in the last message. */
export function lastResults(body: MessageCreateParams): object[] {
  const content = body.messages.findLast(({ role }) => role === 'user')?.content ?? [];
  return typeof content === 'string' ? [] : content.filter(({ type }) => type === 'tool_result');
}

function textOf(message: MessageCreateParams['messages'][number] | undefined): string {
  const content = message?.content ?? '';
  if (typeof content === 'string') return content;
  return content.map((block) => ('text' in block ? block.text : '')).join('\n');
}
