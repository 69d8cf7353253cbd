import { APIError } from '@anthropic-ai/sdk/error';
import type {
  BatchCreateParams,
  Batches as Resource,
  BetaMessageBatch,
  BetaMessageBatchIndividualResponse,
} from '@anthropic-ai/sdk/resources/beta/messages/batches';
import type { BatchedAnswer, BatchedRequest, Batches, BatchState } from './batches.ts';
import { replyOf } from './fold.ts';
import { ModelError, refusedInBatch, toModelError } from './model-error.ts';
import { toParams } from './params.ts';
import type { Connection, MessagesClient } from './sdk-model.ts';
import { watchFetch, type Watch } from './watch-fetch.ts';

type Verbs = Pick<Resource, 'create' | 'retrieve' | 'results' | 'cancel' | 'delete'>;

/** What two of Anthropic's three clients have besides messages. */
export interface BatchesClient extends MessagesClient {
  readonly beta: MessagesClient['beta'] & { readonly messages: { readonly batches: Verbs } };
}

/** The port over Anthropic's SDKs. */
export class SdkBatches implements Batches {
  readonly #connection: Connection<BatchesClient>;

  constructor(connection: Connection<BatchesClient>) {
    this.#connection = connection;
  }

  async submit(requests: readonly BatchedRequest[], signal: AbortSignal): Promise<BatchState> {
    const all = requests.map(({ custom_id, request }) => {
      const { stream: _, betas = [], ...params } = toParams(request, this.#connection.dialect);
      return { betas, one: { custom_id, params } satisfies BatchCreateParams.Request };
    });
    // A header of the batch and not of its requests: those that do not need one are not changed by it.
    const betas = [...new Set(all.flatMap((each) => each.betas))];
    const body = { requests: all.map(({ one }) => one), ...(betas.length > 0 ? { betas } : {}) };
    return stateOf(await this.#call(async (batches) => await batches.create(body, { signal })));
  }

  async state(batch_id: string, signal: AbortSignal): Promise<BatchState> {
    return stateOf(
      await this.#call(async (batches) => await batches.retrieve(batch_id, {}, { signal })),
    );
  }

  async *answers(batch_id: string, signal: AbortSignal): AsyncGenerator<BatchedAnswer> {
    const watch: Watch = { failure: undefined, sent: new Set() };
    try {
      const open = async (batches: Verbs) => await batches.results(batch_id, {}, { signal });
      for await (const line of await this.#call(open, watch)) yield answerOf(line);
    } catch (cause) {
      throw watch.failure ?? toModelError(cause, watch.sent);
    }
  }

  async cancel(batch_id: string, signal: AbortSignal): Promise<void> {
    await this.#call(async (batches) => await batches.cancel(batch_id, {}, { signal }));
  }

  async forget(batch_id: string, signal: AbortSignal): Promise<void> {
    await this.#call(async (batches) => await batches.delete(batch_id, {}, { signal }));
  }

  /** A key that is refused may have been rotated: it is read again, and nothing was done with the old one. */
  async #call<Answer>(
    call: (batches: Verbs) => Promise<Answer>,
    watch: Watch = { failure: undefined, sent: new Set() },
  ): Promise<Answer> {
    const once = async (fresh: boolean): Promise<Answer> => {
      const { connect, stall_ms } = this.#connection;
      const client = await connect(watchFetch(stall_ms, watch), fresh);
      return await call(client.beta.messages.batches);
    };
    try {
      return await once(false).catch(async (error: unknown) => {
        const is_key = error instanceof ModelError || isRefusedKey(error);
        if (!is_key) throw error;
        return await once(true);
      });
    } catch (cause) {
      throw watch.failure ?? toModelError(cause, watch.sent);
    }
  }
}

function isRefusedKey(error: unknown): boolean {
  return error instanceof APIError && error.status === 401;
}

function stateOf({ id, processing_status }: BetaMessageBatch): BatchState {
  return { batch_id: id, is_ended: processing_status === 'ended' };
}

function answerOf({ custom_id, result }: BetaMessageBatchIndividualResponse): BatchedAnswer {
  switch (result.type) {
    case 'succeeded':
      return { custom_id, reply: { ...replyOf(result.message), is_batched: true } };
    case 'errored':
      return { custom_id, error: refusedInBatch(result.error), why: 'errored' };
    case 'expired':
    case 'canceled':
      return { custom_id, error: undefined, why: result.type };
  }
}
