import { createHash } from 'node:crypto';
import { newId } from '../../core/id.ts';
import type { Ports } from '../../core/ports.ts';
import { load, store, type Stored } from '../../core/stored.ts';
import type { Key, Row, Update } from '../../core/table.ts';
import type { Line } from '../../events/event.ts';
import { ModelError } from '../../models/model-error.ts';
import {
  ask,
  type Model,
  type ModelPart,
  type ModelReply,
  type ModelRequest,
} from '../../models/model.ts';
import { requestCostMicrocents, type PriceOverrides } from '../../models/prices.ts';
import { dreamKey, dreamObject, type DreamHead } from '../dream.ts';
import { say } from './pipeline-log.ts';

/** `DREAM#<id>` / `M#<task>#<hash of the request>#<n>`: a request that was begun. */
interface AskedRow extends Row {
  /** Its `span.model_request_start` in the dream's session. */
  readonly span_id: string;
  /** What the model has answered; absent until it has. */
  readonly reply?: Stored<ModelReply>;
}

interface JournalPorts extends Pick<Ports, 'table' | 'blobs' | 'clock'> {
  readonly model: Model;
  readonly prices: PriceOverrides;
}

/** A request that costs nothing, since it brought nothing. */
const unused = {
  input_tokens: 0,
  output_tokens: 0,
  cache_read_input_tokens: 0,
  cache_creation_input_tokens: 0,
};

/**
 * A model that remembers, for a task that may die or run out of time: a request that was answered is
 * not made again, so a stage of many requests goes on where it was. Each is a span in the dream's
 * session, as of any session. Answer, end of the span and usage are one transaction: what was used is
 * counted once. Dies before that: the request is made again, in the same span.
 */
export class Journal implements Model {
  /** Answers that came from the model, not from memory. */
  answers_count = 0;
  readonly #ports: JournalPorts;
  readonly #head: DreamHead;
  readonly #task: string;
  /** The same request may be made again on purpose: the n-th of a kind has an answer of its own. */
  readonly #asked = new Map<string, number>();

  constructor(ports: JournalPorts, head: DreamHead, task: string) {
    this.#ports = ports;
    this.#head = head;
    this.#task = task;
  }

  async *stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelPart> {
    const hash = createHash('sha256').update(JSON.stringify(request)).digest('hex');
    const n = this.#asked.get(hash) ?? 0;
    this.#asked.set(hash, n + 1);
    const key = { ...dreamKey(this.#head.dream_id), sk: `M#${this.#task}#${hash}#${n}` };
    const row = await this.#begin(key);
    const message =
      row.reply === undefined
        ? await this.#ask(row, request, signal)
        : await load(this.#ports.blobs, row.reply);
    yield { type: 'done', message };
  }

  async #read(key: Key): Promise<AskedRow | undefined> {
    return (await this.#ports.table.get(key)) as AskedRow | undefined;
  }

  async #begin({ pk, sk }: Key): Promise<AskedRow> {
    const row: AskedRow = { pk, sk, span_id: newId('event') };
    const line: Line = { event: { id: row.span_id, type: 'span.model_request_start' } };
    const write = { put: row, condition: 'attribute_not_exists(pk)' };
    const is_ours = await say(this.#ports, this.#head, { lines: [line], writes: [write] });
    // It was begun before, by another invocation or this very write: its span goes on, or is over.
    return is_ours ? row : ((await this.#read(row)) ?? row);
  }

  async #ask(row: AskedRow, request: ModelRequest, signal: AbortSignal): Promise<ModelReply> {
    const { blobs, model } = this.#ports;
    let reply: ModelReply;
    try {
      reply = await ask(model, request, signal);
    } catch (error) {
      // Out of time is no failure: whoever goes on asks again.
      if (error instanceof ModelError && !signal.aborted) await this.#failed(row);
      throw error;
    }
    const place = createHash('sha256').update(JSON.stringify(reply)).digest('hex');
    const object = dreamObject(this.#head.dream_id, `answers/${place}.json`);
    const stored = await store(blobs, object, reply);
    if (await this.#keep(row, reply, stored)) {
      this.answers_count += 1;
      return reply;
    }
    const known = await this.#read(row);
    return known?.reply === undefined ? reply : await load(blobs, known.reply);
  }

  /** @returns false when it has been answered before: that answer counts, and was paid for */
  async #keep(
    { pk, sk, span_id }: AskedRow,
    { usage, speed }: ModelReply,
    reply: Stored<ModelReply>,
  ): Promise<boolean> {
    const model_id = this.#head.model.id;
    const cost_microcents = requestCostMicrocents(usage, { speed, model_id }, this.#ports.prices);
    const counts = {
      input_tokens: usage.input_tokens,
      output_tokens: usage.output_tokens,
      cache_read_input_tokens: usage.cache_read_input_tokens,
      cache_creation_input_tokens:
        usage.cache_creation_5m_input_tokens + usage.cache_creation_1h_input_tokens,
    };
    const answered: Update = {
      update: { pk, sk },
      expression: 'SET reply = :reply',
      condition: 'span_id = :span AND attribute_not_exists(reply)',
      values: { ':reply': reply, ':span': span_id },
    };
    return await say(this.#ports, this.#head, {
      lines: [endOf(span_id, false, { ...counts, ...(speed === null ? {} : { speed }) })],
      writes: [answered],
      // Every model that dreams has a list price.
      usage: { ...usage, cost_microcents: cost_microcents ?? 0 },
    });
  }

  /** Another try is another span. */
  async #failed({ pk, sk, span_id }: AskedRow): Promise<void> {
    const forgotten = {
      delete: { pk, sk },
      condition: 'span_id = :span AND attribute_not_exists(reply)',
      values: { ':span': span_id },
    };
    const lines = [endOf(span_id, true, unused)];
    await say(this.#ports, this.#head, { lines, writes: [forgotten] });
  }
}

function endOf(
  span_id: string,
  is_error: boolean,
  model_usage: typeof unused & { readonly speed?: 'standard' | 'fast' },
): Line {
  return {
    event: {
      id: newId('event'),
      type: 'span.model_request_end',
      model_request_start_id: span_id,
      is_error,
      model_usage,
    },
  };
}
