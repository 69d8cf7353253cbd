/** What went wrong, in the platform's own words. The wire's words stand in {@link faults}. */
export type FaultKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'missing'
  | 'method'
  | 'media'
  | 'too_large'
  | 'conflict'
  | 'held'
  | 'precondition'
  | 'memory_precondition'
  | 'memory_path_conflict'
  | 'busy'
  | 'overloaded'
  | 'upstream';

/** `error.type` of the API's envelope. */
export type ErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'permission_error'
  | 'not_found_error'
  | 'conflict_error'
  | 'memory_precondition_failed_error'
  | 'memory_path_conflict_error'
  | 'rate_limit_error'
  | 'overloaded_error'
  | 'api_error';

interface FaultRule {
  readonly status: number;
  readonly type: ErrorType;
  /** Sent as `x-should-retry`; without it the SDK repeats every 409 and 5xx twice. */
  readonly retryable: boolean;
}

/** The whole error policy of the platform is this table. */
export const faults: Readonly<Record<FaultKind, FaultRule>> = {
  invalid: { status: 400, type: 'invalid_request_error', retryable: false },
  unauthenticated: { status: 401, type: 'authentication_error', retryable: false },
  forbidden: { status: 403, type: 'permission_error', retryable: false },
  missing: { status: 404, type: 'not_found_error', retryable: false },
  method: { status: 405, type: 'invalid_request_error', retryable: false },
  media: { status: 415, type: 'invalid_request_error', retryable: false },
  too_large: { status: 413, type: 'invalid_request_error', retryable: false },
  conflict: { status: 409, type: 'invalid_request_error', retryable: false },
  held: { status: 409, type: 'conflict_error', retryable: false },
  precondition: { status: 412, type: 'invalid_request_error', retryable: false },
  memory_precondition: {
    status: 409,
    type: 'memory_precondition_failed_error',
    retryable: false,
  },
  memory_path_conflict: { status: 409, type: 'memory_path_conflict_error', retryable: false },
  busy: { status: 429, type: 'rate_limit_error', retryable: true },
  overloaded: { status: 529, type: 'overloaded_error', retryable: true },
  upstream: { status: 502, type: 'api_error', retryable: true },
};

export interface FaultOptions extends ErrorOptions {
  /** `error.details` of the envelope; `error_code` is the part that clients may rely on. */
  readonly details?: { readonly error_code: string; readonly [key: string]: unknown };
  /** Further fields of `error` itself, where the API has them: a path conflict names its memory. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Headers that HTTP wants beside the status: a 405 names the methods that there are. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * An expected failure. Its message is shown to the caller: it names the field and says what to do,
 * and holds no secret and no stack. The low-level error goes into `cause`, which is logged and
 * never sent. Anything thrown that is not a Fault is our bug: status 500 and an alarm.
 */
export class Fault extends Error {
  /** Step Functions matches `ErrorEquals` on this name (see infra/session-machine.ts). */
  override readonly name: 'RetryableFault' | 'TerminalFault';
  readonly kind: FaultKind;
  readonly details: FaultOptions['details'];
  readonly fields: FaultOptions['fields'];
  readonly headers: FaultOptions['headers'];

  constructor(kind: FaultKind, message: string, options?: FaultOptions) {
    super(message, options);
    this.kind = kind;
    this.name = faults[kind].retryable ? 'RetryableFault' : 'TerminalFault';
    this.details = options?.details;
    this.fields = options?.fields;
    this.headers = options?.headers;
  }
}
