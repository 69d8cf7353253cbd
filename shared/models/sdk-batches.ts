import { APIError } from '@anthropic-ai/sdk/error';
import type {
  BatchCreateParams,
  Batches as Resource,
  BetaMessageBatch,
  BetaMessageBatchIndividualResponse,
} from '@anthropic-ai/sdk/resources/beta/messages/batches';
import type { BatchedAnswer, BatchedRequest, Batches, BatchState } from './batches.ts';
import { replyOf } from './fold.ts';
import { cutOff, ModelError, refusedInBatch, toModelError } from './model-error.ts';
import { toParams } from './params.ts';
import type { Connection, MessagesClient } from './sdk-model.ts';
import { watchFetch, type Watch } from './watch-fetch.ts';

type Verbs = Pick<Resource, 'create' | 'retrieve' | 'cancel' | 'delete'>;

/** What two of Anthropic's three clients have besides messages. */
export interface BatchesClient extends MessagesClient {
  readonly beta: MessagesClient['beta'] & { readonly messages: { readonly batches: Verbs } };
  get(
    path: string,
    options: { readonly query: object; readonly signal: AbortSignal },
  ): { asResponse(): Promise<Response> };
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
    return stateOf(
      await this.#call(async ({ beta }) => await beta.messages.batches.create(body, { signal })),
    );
  }

  async state(batch_id: string, signal: AbortSignal): Promise<BatchState> {
    return stateOf(
      await this.#call(
        async ({ beta }) => await beta.messages.batches.retrieve(batch_id, {}, { signal }),
      ),
    );
  }

  /**
   * By the door that everything goes through, and not, as the SDK does, by the address that the batch
   * names: the key is for one host, and a gateway or a private link may be the only way out.
   */
  async *answers(batch_id: string, signal: AbortSignal): AsyncGenerator<BatchedAnswer> {
    const watch: Watch = { failure: undefined, sent: new Set() };
    const path = `/v1/messages/batches/${encodeURIComponent(batch_id)}/results`;
    const options = { query: { beta: true }, signal };
    try {
      const { body } = await this.#call(
        async (client) => await client.get(path, options).asResponse(),
        watch,
      );
      if (body === null) throw cutOff();
      for await (const line of linesOf(body)) yield answerOf(JSON.parse(line));
    } catch (cause) {
      throw watch.failure ?? toModelError(cause, watch.sent);
    }
  }

  async cancel(batch_id: string, signal: AbortSignal): Promise<void> {
    await this.#call(
      async ({ beta }) => await beta.messages.batches.cancel(batch_id, {}, { signal }),
    );
  }

  async forget(batch_id: string, signal: AbortSignal): Promise<void> {
    await this.#call(
      async ({ beta }) => await beta.messages.batches.delete(batch_id, {}, { signal }),
    );
  }

  /** A key that is refused may have been rotated: it is read again, and nothing was done with the old one. */
  async #call<Answer>(
    call: (client: BatchesClient) => Promise<Answer>,
    watch: Watch = { failure: undefined, sent: new Set() },
  ): Promise<Answer> {
    const once = async (fresh: boolean): Promise<Answer> => {
      const { connect, stall_ms } = this.#connection;
      return await call(await connect(watchFetch(stall_ms, watch), fresh));
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

async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of body) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines.filter((line) => line.trim() !== '');
  }
  if (rest.trim() !== '') yield rest;
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
