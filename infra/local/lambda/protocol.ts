/** What the host and a function's worker thread say to each other. */
export type ToWorker =
  | {
      readonly type: 'invoke';
      readonly id: number;
      /** The event as JSON: it crosses the thread as Lambda's runtime would receive it. */
      readonly event: string;
      readonly context: InvocationContext;
    }
  /** The client of a stream went away. */
  | { readonly type: 'cancel'; readonly id: number }
  /** So many bytes of a stream have left for the client. */
  | { readonly type: 'sent'; readonly id: number; readonly bytes: number };

export type FromWorker =
  | { readonly type: 'loaded' }
  | { readonly type: 'result'; readonly id: number; readonly body: string }
  | { readonly type: 'error'; readonly id: number; readonly error: FunctionError }
  | { readonly type: 'prelude'; readonly id: number; readonly prelude: Prelude }
  | { readonly type: 'chunk'; readonly id: number; readonly chunk: Uint8Array }
  | { readonly type: 'end'; readonly id: number };

export interface InvocationContext {
  readonly aws_request_id: string;
  readonly arn: string;
  /** How long the invocation may take from now. */
  readonly timeout_ms: number;
  readonly tenant_id: string | undefined;
}

/** An error as Lambda reports it to the caller. */
export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}

/** Status, headers and cookies that precede a streamed body. */
export interface Prelude {
  readonly statusCode?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[]>>;
  readonly cookies?: readonly string[];
}

export interface WorkerData {
  /** The bundle's module and the name of its export. */
  readonly module: string;
  readonly handler: string;
  readonly memory_mib: number;
  /** The host clock's shift against the machine's, in milliseconds. */
  readonly skew: Float64Array;
}
