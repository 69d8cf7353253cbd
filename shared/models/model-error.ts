import { APIConnectionError, APIError, APIUserAbortError } from '@anthropic-ai/sdk/error';
import type { RequestUsage } from './model.ts';
import type { BetaErrorResponse } from '@anthropic-ai/sdk/resources/beta/beta';

/**
 * Why a model request failed. `failed`: anything else, retryable or not; `unauthorized`: the model secret
 * is not usable, or what is in it was refused; `context_too_long`: compact and ask again; `aborted`: we
 * stopped it ourselves.
 */
export type ModelErrorKind =
  | 'overloaded'
  | 'rate_limited'
  | 'failed'
  | 'unauthorized'
  | 'billing'
  | 'context_too_long'
  | 'aborted';

export interface ModelErrorFacts {
  readonly kind: ModelErrorKind;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
  /** What the provider asks us to wait. */
  readonly retry_after_ms?: number;
  readonly status?: number;
  /** No connection was made: nothing can have come of the request. @default false */
  readonly is_unsent?: boolean;
  /** The provider's own id of the request, for its support. */
  readonly request_id?: string;
}

/** A model request that failed. Its message is shown to the session's owner and holds no secret. */
export class ModelError extends Error implements ModelErrorFacts {
  override readonly name = 'ModelError';
  readonly kind: ModelErrorKind;
  readonly retryable: boolean;
  readonly retry_after_ms?: number;
  readonly status?: number;
  readonly is_unsent?: boolean;
  readonly request_id?: string;
  /** What the answer had used when it was cut, where it had begun: that is billed all the same. */
  readonly spent?: RequestUsage;

  constructor(message: string, facts: ModelErrorFacts, options?: ErrorOptions) {
    super(message, options);
    this.kind = facts.kind;
    this.retryable = facts.retryable;
    if (facts.retry_after_ms !== undefined) this.retry_after_ms = facts.retry_after_ms;
    if (facts.status !== undefined) this.status = facts.status;
    if (facts.is_unsent !== undefined) this.is_unsent = facts.is_unsent;
    if (facts.request_id !== undefined) this.request_id = facts.request_id;
  }
}

/** A failure for the log: also what lies behind it, as a name that nobody knows, or a fault of ours. */
export function observationOf({ kind, message, cause }: ModelError) {
  const behind = rootOf(cause);
  return { type: 'model_error' as const, kind, message, ...(behind && { behind }) };
}

function rootOf(cause: unknown): string | undefined {
  if (!(cause instanceof Error)) return undefined;
  // What a provider has answered stands in the message.
  if (cause instanceof APIError && cause.status !== undefined) return undefined;
  if (cause.cause instanceof Error) return rootOf(cause.cause);
  // The message of a parser shows a piece of what it has parsed.
  return cause instanceof SyntaxError ? cause.name : cause.message;
}

type Verdict = Pick<ModelErrorFacts, 'kind' | 'retryable'>;

const overloaded: Verdict = { kind: 'overloaded', retryable: true };
const rate_limited: Verdict = { kind: 'rate_limited', retryable: true };
const failed: Verdict = { kind: 'failed', retryable: false };
const failed_for_now: Verdict = { kind: 'failed', retryable: true };
const unauthorized: Verdict = { kind: 'unauthorized', retryable: false };
const billing: Verdict = { kind: 'billing', retryable: false };
const too_long: Verdict = { kind: 'context_too_long', retryable: false };

/** By the error's type: an error frame inside a stream has no status of its own. */
const by_type: Readonly<Record<string, Verdict>> = {
  overloaded_error: overloaded,
  rate_limit_error: rate_limited,
  authentication_error: unauthorized,
  permission_error: unauthorized,
  billing_error: billing,
  request_too_large: too_long,
  api_error: failed_for_now,
  timeout_error: failed_for_now,
  // Bedrock's frames carry the names of its exceptions.
  throttlingException: rate_limited,
  serviceUnavailableException: overloaded,
  internalServerException: failed_for_now,
  modelStreamErrorException: failed_for_now,
  modelTimeoutException: failed_for_now,
};

const by_status: Readonly<Record<number, Verdict>> = {
  401: unauthorized,
  402: billing,
  403: unauthorized,
  408: failed_for_now,
  409: failed_for_now,
  413: too_long,
  424: failed_for_now,
  429: rate_limited,
  503: overloaded,
  529: overloaded,
};

/** A 400 says what it means only in its message. Sources: API errors page; Bedrock's ValidationException. */
const TOO_LONG =
  /prompt is too long|input is too long|exceed(s|ed)? (the )?context (window|limit)/i;
const NO_CREDIT = /credit balance|spend(ing)? limit|usage limits?\b/i;

/**
 * What the SDK, `fetch` or the stream threw, as a ModelError.
 *
 * @param sent Credentials that the request carried, which a provider or a proxy may quote.
 */
export function toModelError(cause: unknown, sent: Iterable<string> = []): ModelError {
  if (cause instanceof ModelError) return cause;
  if (cause instanceof APIUserAbortError) return aborted(cause);
  if (cause instanceof APIConnectionError) return unreachable(cause);
  if (cause instanceof APIError) return fromApi(cause, sent);
  // Everything else comes out of a half-read body: a reset socket, a frame that is no JSON.
  return unreachable(cause);
}

/** Whether the provider itself has said that it failed: such a request is not billed. */
export function isToldByProvider(cause: unknown): boolean {
  return (
    cause instanceof APIError &&
    !(cause instanceof APIConnectionError) &&
    !(cause instanceof APIUserAbortError)
  );
}

/** Say with the failure what the answer had used by then. */
export function withSpent(error: ModelError, spent: RequestUsage | undefined): ModelError {
  return spent === undefined ? error : Object.assign(error, { spent });
}

/** What stands in the place of an answer of a batch: an error without a status, by its type. */
export function refusedInBatch(body: BetaErrorResponse): ModelError {
  const { type } = body.error;
  const status = type === 'invalid_request_error' ? 400 : undefined;
  const { message } = body.error;
  return fromApi(new APIError(status, body, message, undefined, type));
}

export function aborted(cause?: unknown): ModelError {
  return new ModelError(
    'The model request was stopped.',
    { kind: 'aborted', retryable: false },
    { cause },
  );
}

/** The stream ended before its last frame. */
export function cutOff(): ModelError {
  return new ModelError('The model provider ended its answer before it was whole.', failed_for_now);
}

/** No byte came for too long. */
export function stalled(stall_ms: number): ModelError {
  const seconds = Math.round(stall_ms / 1_000);
  return new ModelError(`The model provider sent nothing for ${seconds} s.`, failed_for_now);
}

function unreachable(cause: unknown): ModelError {
  const facts = isUnsent(cause) ? { ...failed_for_now, is_unsent: true } : failed_for_now;
  return new ModelError('The model provider could not be reached.', facts, { cause });
}

/** What Node and its `fetch` say when they come to no connection. */
const NO_CONNECTION = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT'];

function isUnsent(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  const { code } = cause as { readonly code?: unknown };
  return NO_CONNECTION.includes(String(code)) || isUnsent(cause.cause);
}

/** Without its cause: that has the whole body and all headers, and would stand in a log. */
function fromApi(error: APIError, sent: Iterable<string> = []): ModelError {
  const verdict = judge(error);
  const retry_after_ms = retryAfterMs(error.headers);
  return new ModelError(sentence(error, sent), {
    ...verdict,
    retryable: mayRetry(error.headers) ?? verdict.retryable,
    ...(retry_after_ms === undefined ? {} : { retry_after_ms }),
    ...(error.status === undefined ? {} : { status: error.status }),
    ...(error.requestID ? { request_id: error.requestID } : {}),
  });
}

function judge(error: APIError): Verdict {
  const { status, type } = error;
  if (status === undefined) return by_type[type ?? ''] ?? failed_for_now;
  if (status === 400) {
    const text = toldBy(error);
    if (TOO_LONG.test(text)) return too_long;
    if (NO_CREDIT.test(text)) return billing;
    return failed;
  }
  return by_status[status] ?? (status >= 500 ? failed_for_now : failed);
}

/** The provider's sentence, but never for a refused key, and nowhere with the key that was sent. */
function sentence(error: APIError, sent: Iterable<string>): string {
  const { status } = error;
  if (status === 401 || status === 403) {
    return `The model provider refused our credentials (${status}). Check the model secret and the model's access.`;
  }
  const whole = [...sent].reduce((text, key) => text.replaceAll(key, '[key]'), toldBy(error));
  const told = whole.slice(0, 500);
  return status === undefined
    ? `The model provider failed while answering: ${told}`
    : `The model provider answered ${status}: ${told}`;
}

/** The message of the API's envelope, or of Bedrock's body, which has none. */
export function toldBy({ apiMessage, error }: APIError): string {
  if (apiMessage !== null) return apiMessage;
  const body: unknown = error;
  const told = typeof body === 'object' && body !== null && 'message' in body ? body.message : null;
  return typeof told === 'string' ? told : 'no message';
}

/** `x-should-retry` wins over every table. */
function mayRetry(headers: Headers | undefined): boolean | undefined {
  const told = headers?.get('x-should-retry');
  return told === 'true' ? true : told === 'false' ? false : undefined;
}

/** `retry-after-ms`, else `retry-after` in seconds or as a date. */
function retryAfterMs(headers: Headers | undefined): number | undefined {
  const ms = headers?.get('retry-after-ms');
  if (ms) return positive(Number(ms));
  const after = headers?.get('retry-after');
  if (!after) return undefined;
  const seconds = Number(after);
  return positive(Number.isNaN(seconds) ? Date.parse(after) - Date.now() : seconds * 1_000);
}

function positive(ms: number): number | undefined {
  return Number.isFinite(ms) && ms > 0 ? Math.ceil(ms) : undefined;
}
