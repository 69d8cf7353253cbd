import { createHash } from 'node:crypto';
import type { Blobs, Exact, Head, Range, Tagged } from '#shared/core/blobs.ts';

/** The bucket in memory, for what needs no endpoint: immutable objects by key. */
export class MemoryBlobs implements Blobs {
  readonly objects = new Map<string, Uint8Array>();
  /** Sums that objects came with, in hex. */
  readonly #sums = new Map<string, string>();
  /** What each presigned URL takes, where it is said. */
  readonly #awaited = new Map<string, Exact>();

  async put(key: string, body: Uint8Array | string): Promise<void> {
    this.objects.set(key, Buffer.from(body));
    this.#sums.delete(key);
  }

  async replace(
    key: string,
    body: Uint8Array | string,
    _type: string,
    tag?: string,
  ): Promise<string | undefined> {
    if (this.#tagOf(key) !== tag) return undefined;
    this.objects.set(key, Buffer.from(body));
    return this.#tagOf(key);
  }

  async getTagged(key: string): Promise<Tagged | undefined> {
    const [body, tag] = [this.objects.get(key), this.#tagOf(key)];
    return body === undefined || tag === undefined ? undefined : { body, tag };
  }

  /** As S3 makes it: the same bytes have the same tag. */
  #tagOf(key: string): string | undefined {
    const body = this.objects.get(key);
    return body && createHash('md5').update(body).digest('hex');
  }

  async get(key: string): Promise<Uint8Array> {
    const body = this.objects.get(key);
    if (body === undefined) throw new Error(`no object ${key}`);
    return body;
  }

  async *read(key: string, range?: Range): AsyncIterable<Uint8Array> {
    const body = await this.get(key);
    const { offset, length } = range ?? { offset: 0, length: body.length };
    for (let at = offset; at < Math.min(offset + length, body.length); at += CHUNK_BYTES) {
      yield body.subarray(at, Math.min(at + CHUNK_BYTES, offset + length));
    }
  }

  async getRange(key: string, offset: number, length: number): Promise<Uint8Array> {
    if (length === 0) return new Uint8Array();
    const body = await this.get(key);
    if (offset >= body.length) throw new Error(`InvalidRange of ${key}`);
    return body.subarray(offset, offset + length);
  }

  async copy(from: string, to: string): Promise<void> {
    await this.put(to, await this.get(from));
    const sum = this.#sums.get(from);
    if (sum !== undefined) this.#sums.set(to, sum);
  }

  async head(key: string): Promise<Head | undefined> {
    const body = this.objects.get(key);
    const sha256 = this.#sums.get(key);
    return body && { size_bytes: body.length, ...(sha256 && { sha256 }) };
  }

  async *list(prefix: string): AsyncIterable<string> {
    yield* [...this.objects.keys()].filter((key) => key.startsWith(prefix)).toSorted();
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) this.objects.delete(key);
  }

  /** Nothing is kept of before. */
  async deletePast(): Promise<void> {}

  async deletePrefix(prefix: string, is_time_up: () => boolean): Promise<boolean> {
    if (is_time_up()) return false;
    for await (const key of this.list(prefix)) this.objects.delete(key);
    return true;
  }

  async presignGet(key: string): Promise<string> {
    return `memory://${key}`;
  }

  async presignPut(key: string, _seconds: number, exact?: Exact): Promise<string> {
    const url = `memory://${key}`;
    if (exact !== undefined) this.#awaited.set(url, exact);
    return url;
  }

  /** What a PUT to a presigned URL does. @returns the status of the answer */
  async upload(url: string, body: Uint8Array): Promise<number> {
    const exact = this.#awaited.get(url);
    const sum = createHash('sha256').update(body).digest('hex');
    if (exact !== undefined && exact.size_bytes !== body.length) return 403;
    if (exact !== undefined && exact.sha256 !== sum) return 400;
    const key = url.replace('memory://', '');
    await this.put(key, body);
    if (exact !== undefined) this.#sums.set(key, sum);
    return 200;
  }
}

/** As large as what a socket gives at once. */
const CHUNK_BYTES = 65_536;
