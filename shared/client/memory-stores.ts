import type { Anthropic } from '@anthropic-ai/sdk';
import type { MemoryChange, MemoryDiff } from '../memory-history/diff.ts';
import type { StoreImport } from '../memory-history/import.ts';
import type { StoreRestore } from '../memory-history/restore-store.ts';
import type { MemorySearch } from '../memory-history/search.ts';
import type { Memory, View } from '../memory/show-memory.ts';
import { withOptions, type CallOptions } from './call-options.ts';
import type { PageParams } from './pages.ts';

export interface DiffPaging extends PageParams {
  /** @default 'structured' */
  readonly format?: MemoryDiff['format'];
}

/** What is compared: two versions, two times (`to` is now when left out), or the store with another. */
export type DiffParams = DiffPaging &
  (
    | { readonly from_version: string; readonly to_version: string }
    | { readonly from: string; readonly to?: string }
    | { readonly against: string }
  );

export interface SearchParams {
  readonly query: string;
  /** 1 to 50. @default 10 */
  readonly limit?: number;
  /** Ends with '/'. @default '/' */
  readonly path_prefix?: string;
}

/** How far something is that takes several requests. */
export interface Progress {
  readonly done_count: number;
  readonly total_count: number;
}

export interface ProgressOptions {
  readonly onProgress?: (progress: Progress) => void;
}

/** What memory stores can beyond the hosted API: `/v1/reverie/memory_stores`. */
export class MemoryStores {
  readonly #client: Anthropic;

  constructor(client: Anthropic) {
    this.#client = client;
  }

  /** Give a memory what one of its versions holds; a deleted one comes back under its id. */
  async restoreMemory(
    id: string,
    memory_id: string,
    { memory_version_id, view }: { readonly memory_version_id: string; readonly view?: View },
    options: CallOptions = {},
  ): Promise<Memory> {
    const path = `${pathOf(id)}/memories/${encodeURIComponent(memory_id)}/restore`;
    const body = { memory_version_id };
    return await this.#client.post(path, { query: { view }, body, ...withOptions(options) });
  }

  /**
   * Bring a store to what it held at a time, in as many requests as that takes.
   *
   * @returns the sums of all of them
   */
  async restore(
    id: string,
    body: { readonly at: string; readonly dry_run?: boolean },
    { onProgress = () => {} }: ProgressOptions = {},
  ): Promise<StoreRestore> {
    const post = async (part: object): Promise<StoreRestore> =>
      await this.#client.post(`${pathOf(id)}/restore`, { body: part });
    let sum = await post(body);
    const total_count = changesOf(sum) + sum.remaining_count;
    onProgress({ done_count: total_count - sum.remaining_count, total_count });
    while (sum.next_cursor !== null) {
      sum = added(sum, await post({ cursor: sum.next_cursor }));
      onProgress({ done_count: total_count - sum.remaining_count, total_count });
    }
    return sum;
  }

  /** One page of what differs. */
  async diff(id: string, query: DiffParams): Promise<MemoryDiff> {
    return await this.#client.get(`${pathOf(id)}/diff`, { query: { ...query } });
  }

  /** All that differs, a page after the other. */
  async *changes(id: string, query: DiffParams): AsyncGenerator<MemoryChange> {
    for (let page = query.page; ;) {
      const { data, next_page } = await this.diff(id, { ...query, page: page ?? null });
      yield* data;
      if (next_page === null) return;
      page = next_page;
    }
  }

  /** The memories that fit a query best, with the places that it met. */
  async search(id: string, query: SearchParams): Promise<MemorySearch> {
    return await this.#client.get(`${pathOf(id)}/search`, { query: { ...query } });
  }

  /**
   * A store and its history as a tar. Write it somewhere as it comes: it may be larger than memory.
   *
   * @param onProgress Bytes that have come; how many will is not known before the end.
   */
  async *export(
    id: string,
    { onProgress = () => {} }: { readonly onProgress?: (bytes: number) => void } = {},
  ): AsyncGenerator<Uint8Array> {
    const response = await this.#client
      .get(`${pathOf(id)}/export`, { headers: { accept: 'application/x-tar' } })
      .asResponse();
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      yield chunk;
      onProgress((bytes += chunk.byteLength));
    }
  }

  /**
   * Make a store of an exported one, with its history, ids and times. Upload the tar first:
   * `files.upload` of this client takes up to 500 MB.
   *
   * @returns the answer of the last request
   */
  async import(
    body: { readonly file_id: string; readonly name?: string },
    { onProgress = () => {} }: ProgressOptions = {},
  ): Promise<StoreImport> {
    const post = async (part: object): Promise<StoreImport> => {
      const answer: StoreImport = await this.#client.post(`${PATH}/import`, {
        body: part,
      });
      onProgress({ done_count: answer.imported_count, total_count: answer.total_count });
      return answer;
    };
    let answer = await post(body);
    while (answer.next_cursor !== null) answer = await post({ cursor: answer.next_cursor });
    return answer;
  }
}

const PATH = '/v1/reverie/memory_stores';

function pathOf(id: string): string {
  return `${PATH}/${encodeURIComponent(id)}`;
}

function changesOf({ created_count, modified_count, deleted_count }: StoreRestore): number {
  return created_count + modified_count + deleted_count;
}

/** The sums of the requests so far and of the next one. */
function added(sum: StoreRestore, next: StoreRestore): StoreRestore {
  return {
    ...next,
    created_count: sum.created_count + next.created_count,
    modified_count: sum.modified_count + next.modified_count,
    deleted_count: sum.deleted_count + next.deleted_count,
    unchanged_count: sum.unchanged_count + next.unchanged_count,
    unavailable: [...sum.unavailable, ...next.unavailable],
    conflicts: [...sum.conflicts, ...next.conflicts],
  };
}
