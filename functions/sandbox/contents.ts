import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import { limits } from '#shared/core/limits.ts';
import { LRUCache } from './lru.ts';
import type { SentPart } from '#shared/tools/sandbox.ts';
import { askStore } from './store.ts';
import { FsFault, type FileNode, type SentFile } from './tree.ts';

/** Loaded contents of the session that this execution environment serves, by hash. */
export const CACHE_BYTES_MAX = 268_435_456;
const known = new LRUCache(CACHE_BYTES_MAX);

/** A store that does not answer within this time ends the call, not the function. */
const LOAD_TIMEOUT_MS = 30_000;

/** Reads the contents of files that a request only points at. */
export class Contents {
  /** The objects of each file's own part. */
  readonly #objects = new Map<SentFile, readonly string[]>();
  /** The interpreter takes timers and more away from whatever runs on behalf of a command. */
  readonly #outside = AsyncLocalStorage.snapshot();

  constructor(parts: readonly SentPart[]) {
    for (const { entries, objects } of parts) {
      for (const entry of entries) {
        if (entry.kind === 'file' && 'object' in entry.content) this.#objects.set(entry, objects);
      }
    }
  }

  /** The bytes of a file, loaded on first use. */
  async bytesOf(file: FileNode): Promise<Uint8Array> {
    if (file.bytes !== undefined) return file.bytes;
    if (file.origin === undefined) throw new Error('a file has bytes or an origin');
    const bytes = await this.load(file.origin);
    // A write may have come first.
    file.bytes ??= bytes;
    return file.bytes;
  }

  /** @throws FsFault for a mounted file that is too large; Error when the store gives other bytes */
  async load(entry: SentFile): Promise<Uint8Array> {
    const cached = known.get(entry.sha256);
    if (cached !== undefined) return cached;
    if (entry.size_bytes > limits.file_bytes_max) {
      const why = `too large to be loaded: ${entry.size_bytes} bytes, at most ${limits.file_bytes_max}`;
      throw new FsFault('EFBIG', why, `open '${entry.path}'`);
    }
    const bytes = await this.#bytes(entry);
    if (createHash('sha256').update(bytes).digest('hex') !== entry.sha256) {
      throw new Error(`EIO: the stored content of '${entry.path}' is damaged`);
    }
    known.set(entry.sha256, bytes);
    return bytes;
  }

  async #bytes(entry: SentFile): Promise<Uint8Array> {
    const { content } = entry;
    if ('base64' in content) return Buffer.from(content.base64, 'base64');
    if ('text' in content) return Buffer.from(content.text, 'utf8');
    const url = this.#objects.get(entry)?.[content.object];
    if (url === undefined) throw new Error('EIO: a file names an object that was not sent');
    return await this.#outside(this.#range.bind(this), { url, ...content }, entry.size_bytes);
  }

  async #range(at: { url: string; offset: number }, size_bytes: number): Promise<Uint8Array> {
    // A range of no bytes cannot be asked for.
    if (size_bytes === 0) return new Uint8Array();
    const response = await askStore(at.url, {
      headers: { range: `bytes=${at.offset}-${at.offset + size_bytes - 1}` },
      signal: AbortSignal.timeout(LOAD_TIMEOUT_MS),
    });
    const body = new Uint8Array(await response.arrayBuffer());
    if (response.status === 206) return body;
    if (response.status === 200) return body.subarray(at.offset, at.offset + size_bytes);
    throw new Error(`EIO: the store answered ${response.status}`);
  }
}
