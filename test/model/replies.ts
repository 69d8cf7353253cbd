import type { ContentBlock, Message } from '@anthropic-ai/sdk/resources/messages';

/** A block as a script says it: the server gives it its id and its signature. */
export type DraftBlock =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'thinking'; readonly thinking: string }
  | {
      readonly type: 'tool_use';
      readonly name: string;
      readonly input: unknown;
      readonly id?: string;
    }
  | { readonly type: 'whole'; readonly block: ContentBlock };

/** How an answer reaches the wire. Everything left out means: at once and whole. */
export interface Pace {
  /** Milliseconds before the status line; `Infinity` waits until the client goes away. */
  readonly before_ms?: number;
  /** Milliseconds between two frames. */
  readonly frame_ms?: number;
  /** Cut the connection after so many frames, without an end. */
  readonly cut_after_frames?: number;
  /** An error frame takes the place of the rest after so many frames. */
  readonly error_after_frames?: number;
  readonly error_type?: string;
  /** Characters in one delta. */
  readonly chunk_chars?: number;
}

export interface Reply {
  readonly blocks: readonly DraftBlock[];
  readonly stop_reason?: Message['stop_reason'];
  readonly stop_details?: Message['stop_details'];
  readonly usage?: Partial<Message['usage']>;
  readonly failure?: {
    readonly status: number;
    readonly body: unknown;
    readonly headers: Readonly<Record<string, string>>;
  };
  readonly pace?: Pace;
}

/** The model says something. */
export function say(text: string): Reply {
  return { blocks: [{ type: 'text', text }] };
}

/** The model answers with JSON, as a schema asks for. */
export function answer(value: object): Reply {
  return say(JSON.stringify(value));
}

/** The model thinks; the server signs it and insists on getting it back unchanged. */
export function think(thinking: string): Reply {
  return { blocks: [{ type: 'thinking', thinking }] };
}

/** The model calls a tool. `id` only where a test needs to know it beforehand. */
export function call(name: string, input: unknown = {}, id?: string): Reply {
  return { blocks: [{ type: 'tool_use', name, input, ...(id === undefined ? {} : { id }) }] };
}

/** Several calls in one message: the tools may run in parallel. */
export function calls(...drafts: readonly (readonly [name: string, input: unknown])[]): Reply {
  return reply(...drafts.map(([name, input]) => call(name, input)));
}

/** A block that the server sends as it stands: server tools and their results. */
export function whole(block: ContentBlock): Reply {
  return { blocks: [{ type: 'whole', block }] };
}

/** One message out of several parts: `reply(think('…'), say('…'), call('bash', {…}))`. */
export function reply(...parts: readonly Reply[]): Reply {
  return Object.assign({}, ...parts, { blocks: parts.flatMap((part) => part.blocks) }) as Reply;
}

/** The model declines. Text said before it stays in the message. */
export function refuse(
  category: NonNullable<Message['stop_details']>['category'] = null,
  explanation: string | null = null,
  said?: string,
): Reply {
  return {
    blocks: said === undefined ? [] : [{ type: 'text', text: said }],
    stop_reason: 'refusal',
    stop_details: { type: 'refusal', category, explanation },
  };
}

/** Another stop reason than the one that follows from the blocks. */
export function stopped(stop_reason: NonNullable<Message['stop_reason']>, said: Reply): Reply {
  return { ...said, stop_reason };
}

/** Usage as the test wants it instead of what the server would count. */
export function costing(usage: Partial<Message['usage']>, said: Reply): Reply {
  return { ...said, usage: { ...said.usage, ...usage } };
}

const types: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  500: 'api_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

/** An error answer with the API's envelope; `body` takes its place where a test needs another. */
export function fail(
  status: number,
  body?: string | object,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return { blocks: [], failure: { status, body: envelope(status, body), headers } };
}

function envelope(status: number, body: string | object | undefined): unknown {
  if (typeof body === 'object') return body;
  const type = types[status] ?? 'api_error';
  return { type: 'error', error: { type, message: body ?? `scripted ${status}` } };
}

/** Wait before answering; without an answer: until the client goes away. */
export function stall(before_ms = Infinity, said: Reply = say('late')): Reply {
  return paced(said, { before_ms });
}

/** Slow deltas. */
export function slowly(frame_ms: number, said: Reply, chunk_chars = 8): Reply {
  return paced(said, { frame_ms, chunk_chars });
}

/** The connection breaks after so many frames. */
export function cutAfter(frames: number, said: Reply): Reply {
  return paced(said, { cut_after_frames: frames });
}

/** Status 200, then an error frame in the middle of the stream. */
export function failAfter(frames: number, error_type: string, said: Reply): Reply {
  return paced(said, { error_after_frames: frames, error_type });
}

function paced(said: Reply, pace: Pace): Reply {
  return { ...said, pace: { ...said.pace, ...pace } };
}
