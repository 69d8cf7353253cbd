import type { ModelError } from './model-error.ts';
import type { ModelReply, ModelRequest, Provider } from './model.ts';

/** One request of a batch. */
export interface BatchedRequest {
  /** Of 1 to 64 characters of `[a-zA-Z0-9_-]`, unique in the batch: answers come in any order. */
  readonly custom_id: string;
  readonly request: ModelRequest;
}

/** What became of one request. */
export type BatchedAnswer = { readonly custom_id: string } & (
  | { readonly reply: ModelReply }
  /** The provider's refusal; undefined where it never came to asking: expired, or canceled. */
  | { readonly error: ModelError | undefined; readonly why: 'errored' | 'expired' | 'canceled' }
);

export interface BatchState {
  readonly batch_id: string;
  /** Every request has been answered, or never will be. */
  readonly is_ended: boolean;
}

/**
 * Requests that are in no hurry, at half the price: within a day, mostly within an hour. All of it
 * throws ModelError, and repeats nothing. Where that of a creation has neither a `status` nor `is_unsent`,
 * its answer was lost, and the batch may be there.
 */
export interface Batches {
  /** Not idempotent: the provider keeps no word of ours by which a batch could be found again. */
  submit(requests: readonly BatchedRequest[], signal: AbortSignal): Promise<BatchState>;
  state(batch_id: string, signal: AbortSignal): Promise<BatchState>;
  /** Of a batch that has ended, as they come over the wire: never all of them in memory. */
  answers(batch_id: string, signal: AbortSignal): AsyncIterable<BatchedAnswer>;
  /** What is being answered may still be, and is paid for. A repeat changes nothing. */
  cancel(batch_id: string, signal: AbortSignal): Promise<void>;
  /** Let the provider forget a batch that has ended, which it keeps for 29 days else. */
  forget(batch_id: string, signal: AbortSignal): Promise<void>;
}

/** Providers that have Message Batches. */
export type BatchProvider = Exclude<Provider, 'bedrock'>;

/**
 * Bedrock has no Message Batches: its client leaves them out, and AWS's own batch inference is another API
 * over files. Sources: `@anthropic-ai/bedrock-sdk`; IAM actions of Claude Platform on AWS, which has them.
 */
export function providerBatches(provider: Provider): provider is BatchProvider {
  return provider !== 'bedrock';
}
