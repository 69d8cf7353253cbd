import type { IncomingHttpHeaders } from 'node:http';
import type { MessageCreateParams } from '@anthropic-ai/sdk/resources/messages';
import type { BatchCreateParams, MessageBatch } from '@anthropic-ai/sdk/resources/messages/batches';
import type { MessagesError, OnRequest } from './server.ts';

export interface BatchesOptions {
  /** How often it is looked at before it has ended. @default 0: it has when it is created */
  polls?: number;
  /** Where a batch says that its results are. @default - here */
  results_host?: string;
  /** What becomes of a request in the place of an answer: a line's `result`. @default - it is answered */
  result?: (request: BatchCreateParams.Request) => object | undefined;
}

interface Batch {
  readonly id: string;
  readonly requests: readonly BatchCreateParams.Request[];
  readonly created_at: string;
  /** By custom id. */
  readonly results: Promise<readonly (readonly [custom_id: string, result: object])[]>;
  polls_left: number;
  canceled_at: string | null;
}

const HOME = '/v1/messages/batches';
const DAY_MS = 86_400_000;

/** Message Batches over what answers single messages: each request is one of them, not streamed. */
export class MessageBatches {
  readonly options: BatchesOptions = {};
  /** Every one that was created, also those that are deleted. */
  readonly created: Pick<Batch, 'id' | 'requests'>[] = [];
  readonly canceled: string[] = [];
  readonly deleted: string[] = [];
  readonly #onRequest: OnRequest;
  readonly #batches = new Map<string, Batch>();

  constructor(onRequest: OnRequest) {
    this.#onRequest = onRequest;
  }

  /** Where results stand is an address of this server. */
  async serve(
    { method = '', path, headers, body }: BatchesRequest,
    own_url: string,
  ): Promise<MessagesError> {
    const base_url = this.#hostOf(own_url);
    const [id = '', verb = ''] = path.slice(HOME.length + 1).split('/');
    if (id === '' && method === 'POST')
      return await this.#create(body as BatchCreateParams, { headers, base_url });
    const batch = this.#batches.get(id);
    if (batch === undefined) return failure(404, 'not_found_error', `There is no batch ${id}.`);
    const is_ended = batch.polls_left <= 0 || batch.canceled_at !== null;
    switch (`${method} ${verb}`) {
      case 'GET ':
        batch.polls_left -= 1;
        return { status: 200, body: shown(batch, base_url, is_ended) };
      case 'GET results':
        return { status: 200, body: await jsonLines(batch), headers: JSONL };
      case 'POST cancel':
        return { status: 200, body: shown(this.#cancel(batch, is_ended), base_url, false) };
      case 'DELETE ':
        this.#batches.delete(id);
        this.deleted.push(id);
        return { status: 200, body: { id, type: 'message_batch_deleted' } };
      default:
        return failure(404, 'not_found_error', `${method} ${path}`);
    }
  }

  #hostOf(own_url: string): string {
    return this.options.results_host ?? own_url;
  }

  #cancel(batch: Batch, is_ended: boolean): Batch {
    if (!is_ended) batch.canceled_at = new Date().toISOString();
    this.canceled.push(batch.id);
    return batch;
  }

  async #create(
    { requests }: BatchCreateParams,
    { headers, base_url }: { readonly headers: IncomingHttpHeaders; readonly base_url: string },
  ): Promise<MessagesError> {
    const ids = requests.map(({ custom_id }) => custom_id);
    if (requests.length === 0 || new Set(ids).size < ids.length) {
      return failure(400, 'invalid_request_error', 'requests: one at least, each of its own id.');
    }
    const odd = ids.find((id) => !/^[a-zA-Z0-9_-]{1,64}$/.test(id));
    if (odd !== undefined) return failure(400, 'invalid_request_error', `custom_id: ${odd}`);
    const { polls = 0 } = this.options;
    const batch: Batch = {
      id: `msgbatch_${String(this.created.length + 1).padStart(24, '0')}`,
      requests,
      created_at: new Date().toISOString(),
      results: Promise.all(requests.map(async (one) => await this.#answer(one, headers))),
      polls_left: polls,
      canceled_at: null,
    };
    this.#batches.set(batch.id, batch);
    this.created.push({ id: batch.id, requests });
    await batch.results;
    return { status: 200, body: shown(batch, base_url, polls === 0) };
  }

  async #answer(
    request: BatchCreateParams.Request,
    headers: IncomingHttpHeaders,
  ): Promise<readonly [string, object]> {
    const { custom_id, params } = request;
    const other = this.options.result?.(request);
    if (other !== undefined) return [custom_id, other];
    const body = { ...params, stream: false } as MessageCreateParams;
    const { signal } = new AbortController();
    const answer = await this.#onRequest({ body, headers, path: '/v1/messages', signal });
    if (Symbol.asyncIterator in answer) throw new Error('a batch has no streams');
    if ('status' in answer) return [custom_id, { type: 'errored', error: answer.body }];
    return [custom_id, { type: 'succeeded', message: answer }];
  }
}

export interface BatchesRequest {
  readonly method: string | undefined;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

export function isOfBatches(path: string): boolean {
  return path === HOME || path.startsWith(`${HOME}/`);
}

const JSONL = { 'content-type': 'application/x-jsonl' };

/** Not in the order of the requests, as the API warns. */
async function jsonLines({ results, canceled_at }: Batch): Promise<string> {
  const lines = (await results).toReversed().map(([custom_id, result]) =>
    JSON.stringify({
      custom_id,
      result: canceled_at === null ? result : { type: 'canceled' },
    }),
  );
  return `${lines.join('\n')}\n`;
}

function shown(
  { id, requests, created_at, canceled_at }: Batch,
  base_url: string,
  is_ended: boolean,
): MessageBatch {
  const none = { processing: 0, succeeded: 0, errored: 0, expired: 0, canceled: 0 };
  const count = requests.length;
  return {
    id,
    type: 'message_batch',
    processing_status: is_ended ? 'ended' : canceled_at === null ? 'in_progress' : 'canceling',
    request_counts: { ...none, ...(is_ended ? { succeeded: count } : { processing: count }) },
    created_at,
    expires_at: new Date(Date.parse(created_at) + DAY_MS).toISOString(),
    ended_at: is_ended ? new Date().toISOString() : null,
    cancel_initiated_at: canceled_at,
    archived_at: null,
    results_url: is_ended ? `${base_url}${HOME}/${id}/results` : null,
  };
}

function failure(status: number, type: string, message: string): MessagesError {
  return { status, body: { type: 'error', error: { type, message } } };
}
