import { createHash } from 'node:crypto';
import type { Ports } from '../../core/ports.ts';
import { load, store, type Stored } from '../../core/stored.ts';
import { ConditionFailed, type Key, type Row, type Update } from '../../core/table.ts';
import {
  ask,
  type Model,
  type ModelPart,
  type ModelReply,
  type ModelRequest,
} from '../../models/model.ts';
import { requestCostMicrocents, type PriceOverrides } from '../../models/prices.ts';
import { dreamKey, dreamObject, type DreamHead } from '../dream.ts';

/** `DREAM#<id>` / `M#<task>#<hash of the request>#<n>`: what the model has answered. */
interface AnswerRow extends Row {
  readonly reply: Stored<ModelReply>;
}

interface JournalPorts extends Pick<Ports, 'table' | 'blobs'> {
  readonly model: Model;
  readonly prices: PriceOverrides;
}

/**
 * A model that remembers, for a task that may die or run out of time: a request that was answered is
 * not made again, so a stage of many requests goes on where it was. Answer and usage are one
 * transaction: what was used is counted once. Dies before that: the request is made again.
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
    const message = (await this.#known(key)) ?? (await this.#ask(key, request, signal));
    yield { type: 'done', message };
  }

  async #known(key: Key): Promise<ModelReply | undefined> {
    const row = (await this.#ports.table.get(key)) as AnswerRow | undefined;
    return row === undefined ? undefined : await load(this.#ports.blobs, row.reply);
  }

  async #ask(key: Key, request: ModelRequest, signal: AbortSignal): Promise<ModelReply> {
    const { table, blobs, model } = this.#ports;
    const reply = await ask(model, request, signal);
    const place = createHash('sha256').update(JSON.stringify(reply)).digest('hex');
    const object = dreamObject(this.#head.dream_id, `answers/${place}.json`);
    const row: AnswerRow = { ...key, reply: await store(blobs, object, reply) };
    try {
      await table.transact([
        { put: row, condition: 'attribute_not_exists(pk)' },
        this.#count(reply),
      ]);
    } catch (error) {
      // Another invocation was as far, or this very write had arrived: its answer counts.
      const known = error instanceof ConditionFailed ? await this.#known(key) : undefined;
      if (known === undefined) throw error;
      return known;
    }
    this.answers_count += 1;
    return reply;
  }

  /** Adds only: also to a dream that was canceled meanwhile, since it has been paid for. */
  #count({ usage, speed }: ModelReply): Update {
    const { model, dream_id } = this.#head;
    const written = usage.cache_creation_5m_input_tokens + usage.cache_creation_1h_input_tokens;
    const counts = {
      input_tokens: usage.input_tokens,
      output_tokens: usage.output_tokens,
      cache_read_input_tokens: usage.cache_read_input_tokens,
      cache_creation_input_tokens: written,
    };
    const cost = requestCostMicrocents(usage, { speed, model_id: model.id }, this.#ports.prices);
    const names = Object.keys(counts).map((name) => [`#${name}`, name]);
    const sets = Object.keys(counts).map((name) => `#usage.#${name} = #usage.#${name} + :${name}`);
    const values = Object.entries(counts).map(([name, count]) => [`:${name}`, count]);
    return {
      update: dreamKey(dream_id),
      expression: `SET ${sets.join(', ')}, cost_microcents = cost_microcents + :cost`,
      condition: 'attribute_exists(pk)',
      names: { '#usage': 'usage', ...Object.fromEntries(names) },
      // Every model that dreams has a list price.
      values: { ':cost': cost ?? 0, ...Object.fromEntries(values) },
    };
  }
}
