import pLimit from 'p-limit';
import type { Call } from '../core/call.ts';
import { limits } from '../core/limits.ts';
import type { Ports } from '../core/ports.ts';
import { isAllSeen } from '../core/seen.ts';
import type { MemoryRow, StoreHead } from '../memory/memory.ts';
import { readMemories, readStore, textOf } from '../memory/read-store.ts';
import { showMemory, type Memory } from '../memory/show-memory.ts';
import type { SearchQuery } from './history-wire.ts';
import { SearchIndex, type Hit, type ReadTexts } from './search-index.ts';
import { snippetsOf, type Snippet } from './snippets.ts';

export interface MemoryHit {
  /** Without its content. */
  readonly memory: Memory;
  /** BM25; comparable within one answer. */
  readonly score: number;
  readonly matches: readonly Snippet[];
}

export interface MemorySearch {
  readonly type: 'memory_search';
  /** The best first. */
  readonly data: readonly MemoryHit[];
  /** Whether long texts are known by their beginnings only, because the store has so much text. */
  readonly is_partial: boolean;
}

/** Objects that are read at the same time. */
const READS_AT_ONCE = 32;

/** An index, and the store as it was when that was made. */
interface Known {
  readonly index: SearchIndex;
  /** Undefined while it is being made, when that failed, and when it may not be whole: see {@link isAllSeen}. */
  revision: number | undefined;
  /** Those who want it wait for one another: an index is changed in place. */
  queue: Promise<unknown>;
}

/** Search in stores. A warm function keeps the indexes that it has made and brings them up to date. */
export class MemorySearcher {
  readonly #ports: Ports;
  /** The least recently used first. */
  readonly #known = new Map<string, Known>();

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** @throws Fault `missing` for a store that is not there */
  async search(call: Call, store_id: string, query: SearchQuery): Promise<MemorySearch> {
    const head = await readStore(this.#ports.table, call.workspace_id, store_id);
    const { hits, is_partial } = await this.#withIndex(head, (index) => ({
      hits: index.search(query.query, query),
      is_partial: index.is_partial,
    }));
    const texts = await this.#readTexts(hits.map(({ row }) => row));
    const data = hits.map((hit) => hitOf(hit, texts.get(hit.row.memory_id) ?? ''));
    return { type: 'memory_search', data, is_partial };
  }

  async #withIndex<Result>(head: StoreHead, use: (index: SearchIndex) => Result): Promise<Result> {
    const { memory_store_id, revision } = head;
    const fresh = { index: new SearchIndex(), revision: undefined, queue: Promise.resolve() };
    const known: Known = this.#known.get(memory_store_id) ?? fresh;
    this.#known.delete(memory_store_id);
    this.#known.set(memory_store_id, known);
    const turn = known.queue.then(async () => {
      if (known.revision === undefined || known.revision < revision) {
        // What is written while it is read has a revision above this one: read again next time.
        known.revision = undefined;
        const rows = await readMemories(this.#ports.table, memory_store_id);
        await known.index.update(rows, this.#readTexts);
        known.revision = isAllSeen(head.changed_at, this.#ports.clock) ? revision : undefined;
        this.#forgetOldest();
      }
      return use(known.index);
    });
    known.queue = turn.catch(() => undefined);
    return await turn;
  }

  #forgetOldest(): void {
    const weights = [...this.#known.values()].map(({ index }) => index.weight_bytes);
    let sum = weights.reduce((bytes, weight) => bytes + weight, 0);
    for (const [store_id, { index }] of this.#known) {
      if (sum <= limits.search_cache_bytes_max || this.#known.size === 1) return;
      this.#known.delete(store_id);
      sum -= index.weight_bytes;
    }
  }

  /** By memory. */
  readonly #readTexts: ReadTexts = async (rows) => {
    const atOnce = pLimit(READS_AT_ONCE);
    const texts = await Promise.all(
      rows.map((row) => atOnce(async () => [row.memory_id, await this.#textOf(row)] as const)),
    );
    return new Map(texts);
  };

  async #textOf({ content }: MemoryRow): Promise<string> {
    const { blobs } = this.#ports;
    return await textOf(blobs, content).catch(async (error: unknown) => {
      // Its object is gone: it has been changed and redacted since, so it has another text by now.
      if ('blob' in content && (await blobs.head(content.blob)) === undefined) return '';
      throw error;
    });
  }
}

function hitOf({ row, score, terms }: Hit, text: string): MemoryHit {
  const matches = [...snippetsOf('path', row.sk, terms), ...snippetsOf('content', text, terms)];
  return { memory: showMemory(row, null), score, matches };
}
