import { createHash } from 'node:crypto';
import { load } from '../../core/stored.ts';
import type { Key } from '../../core/table.ts';
import { ModelError } from '../../models/model-error.ts';
import {
  ask,
  type Model,
  type ModelPart,
  type ModelReply,
  type ModelRequest,
} from '../../models/model.ts';
import { Awaited } from '../awaited.ts';
import { dreamKey, dreamObject, type DreamHead } from '../dream.ts';
import {
  answerRequest,
  beginRequest,
  failRequest,
  readRequest,
  type AskedRow,
  type RequestPorts,
} from './requests.ts';

interface JournalPorts extends RequestPorts {
  readonly model: Model;
}

export interface JournalOptions {
  /** Names the task and its part: the same request of two of them is two. */
  readonly task: string;
  /** Whether requests wait for a batch. */
  readonly is_batched: boolean;
}

/**
 * A model that remembers, for a task that may die or run out of time: a request that was answered is
 * not made again, so a stage of many requests goes on where it was. Each is a span in the dream's
 * session, as of any session. Dies before its answer is kept: the request is made again, in the same span.
 *
 * In a dream by batches a request that has no answer is kept, whole, for the batch that will ask it, and
 * {@link Awaited} is thrown: who is called again then finds the answer.
 */
export class Journal implements Model {
  /** Answers that came from the model, not from memory. */
  answers_count = 0;
  readonly #ports: JournalPorts;
  readonly #head: DreamHead;
  readonly #options: JournalOptions;
  /** The same request may be made again on purpose: the n-th of a kind has an answer of its own. */
  readonly #asked = new Map<string, number>();

  constructor(ports: JournalPorts, head: DreamHead, options: JournalOptions) {
    this.#ports = ports;
    this.#head = head;
    this.#options = options;
  }

  async *stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelPart> {
    const json = JSON.stringify(request);
    const hash = createHash('sha256').update(json).digest('hex');
    const n = this.#asked.get(hash) ?? 0;
    this.#asked.set(hash, n + 1);
    const { task, is_batched } = this.#options;
    const key = { ...dreamKey(this.#head.dream_id), sk: `M#${task}#${hash}#${n}` };
    const row = is_batched
      ? await this.#register(key, hash, json)
      : await beginRequest(this.#ports, this.#head, key);
    if (row.refusal !== undefined) {
      const { message, kind } = row.refusal;
      throw new ModelError(message, { kind, retryable: false, status: 400 });
    }
    if (row.reply === undefined && is_batched && row.via === 'batch') throw new Awaited();
    const message =
      row.reply === undefined
        ? await this.#ask(row, request, signal)
        : await load(this.#ports.blobs, row.reply);
    yield { type: 'done', message };
  }

  /** Mostly it has been registered before, by the pass that the batch was made of. */
  async #register(key: Key, hash: string, json: string): Promise<AskedRow> {
    const known = await readRequest(this.#ports, key);
    if (known !== undefined) return known;
    const object = dreamObject(this.#head.dream_id, `asked/${hash}.json`);
    await this.#ports.blobs.put(object, json, 'application/json');
    const waits = { object, bytes: Buffer.byteLength(json) };
    return await beginRequest(this.#ports, this.#head, key, waits);
  }

  async #ask(row: AskedRow, request: ModelRequest, signal: AbortSignal): Promise<ModelReply> {
    const { blobs, model } = this.#ports;
    let reply: ModelReply;
    try {
      reply = await ask(model, request, signal);
    } catch (error) {
      // Out of time is no failure: whoever goes on asks again.
      if (error instanceof ModelError && !signal.aborted) {
        await failRequest(this.#ports, this.#head, row);
      }
      throw error;
    }
    if (await answerRequest(this.#ports, this.#head, row, reply)) {
      this.answers_count += 1;
      return reply;
    }
    const known = await readRequest(this.#ports, row);
    return known?.reply === undefined ? reply : await load(blobs, known.reply);
  }
}
