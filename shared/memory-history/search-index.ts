import MiniSearch from 'minisearch';
import { limits } from '../core/limits.ts';
import type { MemoryRow } from '../memory/memory.ts';
import { termsOf } from './words.ts';

/** A memory that was found. */
export interface Hit {
  readonly row: MemoryRow;
  /** BM25+, comparable within one answer only. */
  readonly score: number;
  /** The words of the memory that the query met. */
  readonly terms: ReadonlySet<string>;
}

interface Document {
  readonly id: string;
  readonly path: string;
  readonly content: string;
}

/** Loads texts; rows that hold theirs need no request. */
export type ReadTexts = (rows: readonly MemoryRow[]) => Promise<ReadonlyMap<string, string>>;

/**
 * The words of one store. It is brought up to date by what has changed since, so a store that is
 * written to all the time is not read whole for every search.
 */
export class SearchIndex {
  #index = emptyIndex();
  #rows = new Map<string, MemoryRow>();
  #share_chars: number = limits.memory_bytes_max;

  /** How much text it stands for: what a cache must bound. */
  weight_bytes = 0;

  /** Whether long texts are known by their beginnings only, because the store has so many. */
  get is_partial(): boolean {
    return this.weight_bytes > limits.search_text_bytes_max;
  }

  /** @param rows Every memory that the store holds now. */
  async update(rows: readonly MemoryRow[], readTexts: ReadTexts): Promise<void> {
    this.weight_bytes = rows.reduce((sum, row) => sum + row.content_size_bytes, 0);
    const share_chars = shareOf(rows, this.weight_bytes);
    if (share_chars !== this.#share_chars) {
      this.#index = emptyIndex();
      this.#rows = new Map();
      this.#share_chars = share_chars;
    }
    const current = new Map(rows.map((row) => [row.memory_id, row]));
    for (const memory_id of this.#rows.keys()) {
      if (!current.has(memory_id) && this.#index.has(memory_id)) this.#index.discard(memory_id);
    }
    const changed = rows.filter(
      ({ memory_id, memory_version_id }) =>
        this.#rows.get(memory_id)?.memory_version_id !== memory_version_id,
    );
    for (let start = 0; start < changed.length; start += TEXTS_AT_ONCE) {
      const part = changed.slice(start, start + TEXTS_AT_ONCE);
      const texts = await readTexts(part);
      for (const row of part) this.#put(row, texts.get(row.memory_id) ?? '');
    }
    this.#rows = current;
  }

  #put(row: MemoryRow, text: string): void {
    const content = text.slice(0, this.#share_chars);
    const document = { id: row.memory_id, path: row.sk, content };
    if (this.#index.has(row.memory_id)) this.#index.replace(document);
    else this.#index.add(document);
  }

  /** The best first; of equal ones, the order of paths. */
  search(query: string, { path_prefix, limit }: { path_prefix: string; limit: number }): Hit[] {
    const pathOf = (id: unknown): string => this.#rows.get(String(id))?.sk ?? '';
    const found = this.#index.search(query, {
      // The last word may still be a beginning, as people type it; of all words it would be slow.
      prefix: (term, index, terms) => index === terms.length - 1 && term.length >= PREFIX_CHARS_MIN,
      boost: { path: 2 },
      ...(path_prefix === '/' ? {} : { filter: ({ id }) => pathOf(id).startsWith(path_prefix) }),
    });
    const best = found.toSorted(
      (a, b) => b.score - a.score || (pathOf(a.id) < pathOf(b.id) ? -1 : 1),
    );
    return best.slice(0, limit).flatMap(({ id, score, match }) => {
      const row = this.#rows.get(String(id));
      return row === undefined ? [] : [{ row, score, terms: new Set(Object.keys(match)) }];
    });
  }
}

/** Texts that are held at the same time while an index is made: 200 of the largest are 20 MB. */
const TEXTS_AT_ONCE = 200;

/** A shorter word stands for itself: as a beginning it would meet half of all words. */
const PREFIX_CHARS_MIN = 3;

function emptyIndex(): MiniSearch<Document> {
  return new MiniSearch<Document>({
    fields: ['path', 'content'],
    tokenize: termsOf,
    processTerm: (term) => term,
  });
}

/**
 * How much of each text is indexed. It halves until the store fits: making the index takes some
 * 0.5 s a megabyte, and a request has 29 s.
 */
function shareOf(rows: readonly MemoryRow[], weight_bytes: number): number {
  let share: number = limits.memory_bytes_max;
  for (let sum = weight_bytes; sum > limits.search_text_bytes_max;) {
    share /= 2;
    const most = share;
    sum = rows.reduce((total, row) => total + Math.min(row.content_size_bytes, most), 0);
  }
  return Math.floor(share);
}
