import { escapeUriPath } from '@smithy/core/protocols';
import {
  AwsRefused,
  AwsCaller,
  bytesOf,
  givenEndpoint,
  lambdaVariable,
  shortCalls,
  suffixOf,
  type AwsAnswer,
  type AwsPlace,
} from './aws-caller.ts';
import {
  exactHeaders,
  type Blobs,
  type Exact,
  type Head,
  type Range,
  type Tagged,
} from './blobs.ts';
import { invariant } from './invariant.ts';
import type { Housekeeping } from './housekeeping-s3.ts';

/**
 * From here on S3 is asked before the bytes are sent. It closes the connection when it refuses, and who
 * still sends would see that and not its reason. Source: the SDK's client.
 */
const ASKED_FIRST_BYTES = 2_097_152;

/** Objects are of any size: given up is a connection on which nothing moves for five minutes. */
const transfers = { ...shortCalls, requestTimeout: 0, socketTimeout: 300_000 };

/**
 * The content bucket in S3. Endpoint, region and credentials come from Lambda's environment.
 *
 * What is done often is two requests, PUT and GET. The SDK's client, a fifth of a function's code, is for
 * the rest: it is loaded when that is asked for, and is no part of a cold start.
 */
export class S3Blobs implements Blobs {
  readonly #bucket: string;
  readonly #place: AwsPlace;
  readonly #path: string;
  readonly #s3: AwsCaller;
  #loading: Promise<Housekeeping> | undefined;

  constructor(bucket: string, place: AwsPlace = {}) {
    const elsewhere = place.endpoint ?? givenEndpoint('s3');
    this.#bucket = bucket;
    this.#place = elsewhere === undefined ? place : { ...place, endpoint: elsewhere };
    // Source: S3 names a bucket by its host; where that is not S3's own it has no host for each bucket.
    this.#path = elsewhere === undefined ? '' : `/${bucket}`;
    const region = place.region ?? lambdaVariable('AWS_REGION');
    const endpoint = elsewhere ?? `https://${bucket}.s3.${region}.${suffixOf(region)}`;
    this.#s3 = new AwsCaller('s3', { ...place, endpoint }, transfers);
  }

  async put(key: string, body: Uint8Array | string, content_type: string): Promise<void> {
    await this.#put(key, body, { 'content-type': content_type });
  }

  async replace(
    key: string,
    body: Uint8Array | string,
    content_type: string,
    tag?: string,
  ): Promise<string | undefined> {
    const condition: Record<string, string> =
      tag === undefined ? { 'if-none-match': '*' } : { 'if-match': tag };
    try {
      const etag = await this.#put(key, body, { 'content-type': content_type, ...condition });
      invariant(etag !== undefined, 'S3 answers a PUT with a tag');
      return etag;
    } catch (error) {
      // Another version, another write at this moment, or no object any more.
      if ([412, 409, 404].includes(statusOf(error))) return undefined;
      throw error;
    }
  }

  async #put(
    key: string,
    body: Uint8Array | string,
    headers: Readonly<Record<string, string>>,
  ): Promise<string | undefined> {
    const is_large = Buffer.byteLength(body) >= ASKED_FIRST_BYTES;
    const all = { ...headers, ...(is_large && { expect: '100-continue' }) };
    const request = { method: 'PUT', path: this.#pathOf(key), headers: all, body };
    return await this.#s3.send(request, async (answer) => {
      await bytesOf(answer.body);
      return answer.headers['etag'];
    });
  }

  async getTagged(key: string): Promise<Tagged | undefined> {
    try {
      return await this.#get(key, {}, async (answer) => {
        const { etag } = answer.headers;
        invariant(etag !== undefined, 'S3 answers a GET with a tag');
        return { body: await bytesOf(answer.body), tag: etag };
      });
    } catch (error) {
      // 403 is how S3 says it to who may not list. Where it means what it says, writing fails too.
      if ([404, 403].includes(statusOf(error))) return undefined;
      throw error;
    }
  }

  async get(key: string): Promise<Uint8Array> {
    return await this.#get(key, {}, async ({ body }) => await bytesOf(body));
  }

  async *read(key: string, range?: Range): AsyncIterable<Uint8Array> {
    const body = await this.#get(key, rangeHeader(range), async (answer) => answer.body);
    // Leaving the loop destroys the stream, and with it the transfer.
    for await (const chunk of body) yield chunk as Uint8Array;
  }

  async getRange(key: string, offset: number, length: number): Promise<Uint8Array> {
    if (length === 0) return new Uint8Array();
    const headers = rangeHeader({ offset, length });
    return await this.#get(key, headers, async ({ body }) => await bytesOf(body));
  }

  async #get<Result>(
    key: string,
    headers: Readonly<Record<string, string>>,
    read: (answer: AwsAnswer) => Promise<Result>,
  ): Promise<Result> {
    return await this.#s3.send({ method: 'GET', path: this.#pathOf(key), headers }, read);
  }

  async copy(from: string, to: string): Promise<void> {
    await (await this.#housekeeping()).copy(from, to);
  }

  async head(key: string): Promise<Head | undefined> {
    return await (await this.#housekeeping()).head(key);
  }

  async *list(prefix: string): AsyncIterable<string> {
    yield* (await this.#housekeeping()).list(prefix);
  }

  async delete(keys: readonly string[]): Promise<void> {
    await (await this.#housekeeping()).delete(keys);
  }

  async deletePast(keys: readonly string[]): Promise<void> {
    await (await this.#housekeeping()).deletePast(keys);
  }

  async deletePrefix(prefix: string, is_time_up: () => boolean): Promise<boolean> {
    return await (await this.#housekeeping()).deletePrefix(prefix, is_time_up);
  }

  async presignGet(key: string, seconds: number): Promise<string> {
    return await this.#s3.presign({ method: 'GET', path: this.#pathOf(key) }, seconds);
  }

  async presignPut(key: string, seconds: number, exact?: Exact): Promise<string> {
    const headers = exact === undefined ? {} : exactHeaders(exact);
    return await this.#s3.presign({ method: 'PUT', path: this.#pathOf(key), headers }, seconds);
  }

  #pathOf(key: string): string {
    return `${this.#path}/${escapeUriPath(key)}`;
  }

  #housekeeping(): Promise<Housekeeping> {
    return (this.#loading ??= import('./housekeeping-s3.ts').then(
      ({ S3Housekeeping, s3Client }) => new S3Housekeeping(this.#bucket, s3Client(this.#place)),
    ));
  }
}

function statusOf(error: unknown): number {
  return error instanceof AwsRefused ? error.$metadata.httpStatusCode : 0;
}

function rangeHeader(range: Range | undefined): Record<string, string> {
  if (range === undefined) return {};
  return { range: `bytes=${range.offset}-${range.offset + range.length - 1}` };
}
