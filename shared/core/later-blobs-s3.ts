import type { S3ClientConfig } from '@aws-sdk/client-s3';
import type { Blobs, Exact, Head, Range, Tagged } from './blobs.ts';

/**
 * The content bucket for a function that has to do with it seldom, or not before it has answered: its
 * client, a fifth of such a function's code, is loaded when the first object is asked for and is no part
 * of a cold start.
 */
export class LaterBlobs implements Blobs {
  readonly #bucket: string;
  readonly #config: S3ClientConfig;
  #loading: Promise<Blobs> | undefined;

  constructor(bucket: string, config: S3ClientConfig = {}) {
    this.#bucket = bucket;
    this.#config = config;
  }

  async put(key: string, body: Uint8Array | string, content_type: string): Promise<void> {
    await (await this.#blobs()).put(key, body, content_type);
  }

  async replace(
    key: string,
    body: Uint8Array | string,
    content_type: string,
    tag?: string,
  ): Promise<string | undefined> {
    return await (await this.#blobs()).replace(key, body, content_type, tag);
  }

  async getTagged(key: string): Promise<Tagged | undefined> {
    return await (await this.#blobs()).getTagged(key);
  }

  async get(key: string): Promise<Uint8Array> {
    return await (await this.#blobs()).get(key);
  }

  async *read(key: string, range?: Range): AsyncIterable<Uint8Array> {
    yield* (await this.#blobs()).read(key, range);
  }

  async getRange(key: string, offset: number, length: number): Promise<Uint8Array> {
    return await (await this.#blobs()).getRange(key, offset, length);
  }

  async copy(from: string, to: string): Promise<void> {
    await (await this.#blobs()).copy(from, to);
  }

  async head(key: string): Promise<Head | undefined> {
    return await (await this.#blobs()).head(key);
  }

  async *list(prefix: string): AsyncIterable<string> {
    yield* (await this.#blobs()).list(prefix);
  }

  async delete(keys: readonly string[]): Promise<void> {
    await (await this.#blobs()).delete(keys);
  }

  async deletePast(keys: readonly string[]): Promise<void> {
    await (await this.#blobs()).deletePast(keys);
  }

  async deletePrefix(prefix: string, is_time_up: () => boolean): Promise<boolean> {
    return await (await this.#blobs()).deletePrefix(prefix, is_time_up);
  }

  async presignGet(key: string, seconds: number): Promise<string> {
    return await (await this.#blobs()).presignGet(key, seconds);
  }

  async presignPut(key: string, seconds: number, exact?: Exact): Promise<string> {
    return await (await this.#blobs()).presignPut(key, seconds, exact);
  }

  #blobs(): Promise<Blobs> {
    return (this.#loading ??= import('./blobs-s3.ts').then(
      ({ S3Blobs, s3Client }) => new S3Blobs(this.#bucket, s3Client(this.#config)),
    ));
  }
}
