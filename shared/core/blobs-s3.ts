import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
  type ListObjectVersionsCommandOutput,
  type ObjectVersion,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import pLimit from 'p-limit';
import { quick } from './aws-defaults.ts';
import {
  exactHeaders,
  type Blobs,
  type Exact,
  type Head,
  type Range,
  type Tagged,
} from './blobs.ts';
import { GetSigner } from './get-signer-s3.ts';
import { invariant } from './invariant.ts';

type Version = Pick<ObjectVersion, 'Key' | 'VersionId' | 'IsLatest'>;

/** Source: S3: keys of one DeleteObjects. */
const DELETES_MAX = 1_000;

const KEYS_AT_ONCE = 10;

/**
 * The client that {@link S3Blobs} needs. By its default the SDK would sign the checksum of an empty
 * body into the URL of a presigned PUT, and S3 would refuse every other body.
 */
export function s3Client(config: S3ClientConfig = {}): S3Client {
  return new S3Client({ ...quick, ...config, requestChecksumCalculation: 'WHEN_REQUIRED' });
}

/** The content bucket in S3. Endpoint, region and credentials come from Lambda's environment. */
export class S3Blobs implements Blobs {
  readonly #s3: S3Client;
  readonly #bucket: string;
  readonly #signer: GetSigner;

  constructor(bucket: string, client = s3Client()) {
    this.#bucket = bucket;
    this.#s3 = client;
    this.#signer = new GetSigner(client, bucket);
  }

  async put(key: string, body: Uint8Array | string, content_type: string): Promise<void> {
    await this.#s3.send(
      new PutObjectCommand({
        Bucket: this.#bucket,
        Key: key,
        Body: body,
        ContentType: content_type,
        ChecksumAlgorithm: 'CRC32',
      }),
    );
  }

  async replace(
    key: string,
    body: Uint8Array | string,
    content_type: string,
    tag?: string,
  ): Promise<string | undefined> {
    try {
      const { ETag } = await this.#s3.send(
        new PutObjectCommand({
          Bucket: this.#bucket,
          Key: key,
          Body: body,
          ContentType: content_type,
          ChecksumAlgorithm: 'CRC32',
          ...(tag === undefined ? { IfNoneMatch: '*' } : { IfMatch: tag }),
        }),
      );
      invariant(ETag !== undefined, 'S3 answers a PUT with a tag');
      return ETag;
    } catch (error) {
      // Another version, another write at this moment, or no object any more.
      if ([412, 409, 404].includes(statusOf(error))) return undefined;
      throw error;
    }
  }

  async getTagged(key: string): Promise<Tagged | undefined> {
    try {
      const command = new GetObjectCommand({ Bucket: this.#bucket, Key: key });
      const { Body, ETag } = await this.#s3.send(command);
      invariant(Body !== undefined && ETag !== undefined, 'S3 answers a GET with body and tag');
      return { body: await Body.transformToByteArray(), tag: ETag };
    } catch (error) {
      // 403 is how S3 says it to who may not list. Where it means what it says, writing fails too.
      if ([404, 403].includes(statusOf(error))) return undefined;
      throw error;
    }
  }

  async get(key: string): Promise<Uint8Array> {
    const { Body } = await this.#s3.send(new GetObjectCommand({ Bucket: this.#bucket, Key: key }));
    invariant(Body !== undefined, 'S3 answers a GET with a body');
    return await Body.transformToByteArray();
  }

  async *read(key: string, range?: Range): AsyncIterable<Uint8Array> {
    const { Body } = await this.#s3.send(
      new GetObjectCommand({
        Bucket: this.#bucket,
        Key: key,
        ...(range === undefined ? {} : { Range: rangeHeader(range) }),
      }),
    );
    invariant(Body instanceof Readable, 'on Node S3 answers a GET with a stream');
    // Leaving the loop destroys the stream, and with it the transfer.
    for await (const chunk of Body) yield chunk as Uint8Array;
  }

  async getRange(key: string, offset: number, length: number): Promise<Uint8Array> {
    if (length === 0) return new Uint8Array();
    const { Body } = await this.#s3.send(
      new GetObjectCommand({
        Bucket: this.#bucket,
        Key: key,
        Range: rangeHeader({ offset, length }),
      }),
    );
    invariant(Body !== undefined, 'S3 answers a GET with a body');
    return await Body.transformToByteArray();
  }

  async copy(from: string, to: string): Promise<void> {
    const source = [this.#bucket, ...from.split('/')].map(encodeURIComponent).join('/');
    await this.#s3.send(
      new CopyObjectCommand({ Bucket: this.#bucket, Key: to, CopySource: source }),
    );
  }

  async head(key: string): Promise<Head | undefined> {
    // A HEAD of a missing object is a 403 to who may list only below a prefix: the list tells.
    const { Contents = [] } = await this.#s3.send(
      new ListObjectsV2Command({ Bucket: this.#bucket, Prefix: key, MaxKeys: 1 }),
    );
    if (Contents[0]?.Key !== key) return undefined;
    const { ContentLength, ChecksumSHA256 } = await this.#s3.send(
      new HeadObjectCommand({ Bucket: this.#bucket, Key: key, ChecksumMode: 'ENABLED' }),
    );
    invariant(ContentLength !== undefined, 'S3 answers a HEAD with a length');
    const sha256 = ChecksumSHA256 && Buffer.from(ChecksumSHA256, 'base64').toString('hex');
    return { size_bytes: ContentLength, ...(sha256 && { sha256 }) };
  }

  async *list(prefix: string): AsyncIterable<string> {
    let token: string | undefined;
    do {
      const page = await this.#s3.send(
        new ListObjectsV2Command({
          Bucket: this.#bucket,
          Prefix: prefix,
          ...(token === undefined ? {} : { ContinuationToken: token }),
        }),
      );
      for (const { Key } of page.Contents ?? []) if (Key !== undefined) yield Key;
      token = page.NextContinuationToken;
    } while (token !== undefined);
  }

  async delete(keys: readonly string[]): Promise<void> {
    const limit = pLimit(KEYS_AT_ONCE);
    const versions = await limit.map(keys, (key) => this.#versionsOf(key));
    await this.#deleteVersions(versions.flat());
  }

  async deletePast(keys: readonly string[]): Promise<void> {
    const limit = pLimit(KEYS_AT_ONCE);
    const versions = await limit.map(keys, (key) => this.#versionsOf(key));
    await this.#deleteVersions(versions.flat().filter(({ IsLatest }) => IsLatest !== true));
  }

  async deletePrefix(prefix: string, is_time_up: () => boolean): Promise<boolean> {
    // Each round deletes what it lists, so the first page is always the next one.
    while (!is_time_up()) {
      const page = await this.#s3.send(
        new ListObjectVersionsCommand({ Bucket: this.#bucket, Prefix: prefix }),
      );
      const all = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])];
      if (all.length === 0) return true;
      await this.#deleteVersions(all);
    }
    return false;
  }

  /** Of one key and not of those that it is the beginning of: they come after all of its own. */
  async #versionsOf(key: string): Promise<Version[]> {
    const found: Version[] = [];
    let marks: { readonly KeyMarker?: string; readonly VersionIdMarker?: string } | undefined = {};
    while (marks !== undefined) {
      const page: ListObjectVersionsCommandOutput = await this.#s3.send(
        new ListObjectVersionsCommand({ Bucket: this.#bucket, Prefix: key, ...marks }),
      );
      const all = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])];
      found.push(...all.filter(({ Key }) => Key === key));
      const { NextKeyMarker, NextVersionIdMarker } = page;
      const more = NextKeyMarker === key && NextVersionIdMarker !== undefined;
      marks = more ? { KeyMarker: key, VersionIdMarker: NextVersionIdMarker } : undefined;
    }
    return found;
  }

  async #deleteVersions(versions: readonly Version[]): Promise<void> {
    for (let at = 0; at < versions.length; at += DELETES_MAX) {
      const objects = versions.slice(at, at + DELETES_MAX);
      const { Errors } = await this.#s3.send(
        new DeleteObjectsCommand({
          Bucket: this.#bucket,
          Delete: {
            Objects: objects.map(({ Key, VersionId }) => ({ Key: Key ?? '', VersionId })),
            Quiet: true,
          },
        }),
      );
      const [error] = Errors ?? [];
      if (error !== undefined) throw new Error(`S3 did not delete ${error.Key}: ${error.Code}`);
    }
  }

  async presignGet(key: string, seconds: number): Promise<string> {
    return await this.#signer.urlOf(key, seconds);
  }

  async presignPut(key: string, seconds: number, exact?: Exact): Promise<string> {
    const place = { Bucket: this.#bucket, Key: key };
    if (exact === undefined) {
      return await getSignedUrl(this.#s3, new PutObjectCommand(place), { expiresIn: seconds });
    }
    const headers = exactHeaders(exact);
    const names = new Set(Object.keys(headers));
    const command = new PutObjectCommand({
      ...place,
      ContentLength: exact.size_bytes,
      ContentType: exact.content_type,
      ChecksumSHA256: headers['x-amz-checksum-sha256'],
    });
    // By default the type would not be signed, and the sum would go into the URL, unseen.
    const signed = { signableHeaders: names, unhoistableHeaders: names };
    return await getSignedUrl(this.#s3, command, { expiresIn: seconds, ...signed });
  }
}

function statusOf(error: unknown): number {
  return error instanceof S3ServiceException ? (error.$metadata.httpStatusCode ?? 0) : 0;
}

function rangeHeader({ offset, length }: Range): string {
  return `bytes=${offset}-${offset + length - 1}`;
}
