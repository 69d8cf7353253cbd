import {
  CopyObjectCommand,
  DeleteObjectsCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  S3Client,
  type ListObjectVersionsCommandOutput,
  type ObjectVersion,
} from '@aws-sdk/client-s3';
import pLimit from 'p-limit';
import type { Blobs, Head } from './blobs.ts';
import type { AwsPlace } from './aws-caller.ts';
import { invariant } from './invariant.ts';

type Version = Pick<ObjectVersion, 'Key' | 'VersionId' | 'IsLatest'>;

/** Source: S3: keys of one DeleteObjects. */
const DELETES_MAX = 1_000;

const KEYS_AT_ONCE = 10;

type Client = Pick<S3Client, 'send'>;

export type Housekeeping = Pick<
  Blobs,
  'copy' | 'head' | 'list' | 'delete' | 'deletePast' | 'deletePrefix'
>;

/** The client that {@link S3Housekeeping} needs. */
export function s3Client(place: AwsPlace): S3Client {
  const { attempts_max: maxAttempts, ...config } = place;
  return new S3Client({
    ...config,
    ...(maxAttempts !== undefined && { maxAttempts }),
    // Elsewhere a bucket has no host of its own.
    forcePathStyle: place.endpoint !== undefined,
  });
}

/** What is seldom done with a bucket's objects, and is answered in XML: through the SDK's own client. */
export class S3Housekeeping implements Housekeeping {
  readonly #s3: Client;
  readonly #bucket: string;

  constructor(bucket: string, client: Client) {
    this.#bucket = bucket;
    this.#s3 = client;
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
}
