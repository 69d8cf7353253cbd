import {
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { mute } from './aws-defaults.ts';
import type { Blobs } from './blobs.ts';
import { invariant } from './invariant.ts';

/**
 * The client that {@link S3Blobs} needs. By its default the SDK would sign the checksum of an empty
 * body into the URL of a presigned PUT, and S3 would refuse every other body.
 */
export function s3Client(config: S3ClientConfig = {}): S3Client {
  return new S3Client({ logger: mute, ...config, requestChecksumCalculation: 'WHEN_REQUIRED' });
}

/** The content bucket in S3. Endpoint, region and credentials come from Lambda's environment. */
export class S3Blobs implements Blobs {
  readonly #s3: S3Client;
  readonly #bucket: string;

  constructor(bucket: string, client = s3Client()) {
    this.#bucket = bucket;
    this.#s3 = client;
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

  async get(key: string): Promise<Uint8Array> {
    const { Body } = await this.#s3.send(new GetObjectCommand({ Bucket: this.#bucket, Key: key }));
    invariant(Body !== undefined, 'S3 answers a GET with a body');
    return await Body.transformToByteArray();
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

  async deletePrefix(prefix: string, is_time_up: () => boolean): Promise<boolean> {
    // Each round deletes what it lists, so the first page is always the next one.
    while (!is_time_up()) {
      const page = await this.#s3.send(
        new ListObjectVersionsCommand({ Bucket: this.#bucket, Prefix: prefix }),
      );
      const all = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])];
      if (all.length === 0) return true;
      const { Errors } = await this.#s3.send(
        new DeleteObjectsCommand({
          Bucket: this.#bucket,
          Delete: {
            Objects: all.map(({ Key, VersionId }) => ({ Key: Key ?? '', VersionId })),
            Quiet: true,
          },
        }),
      );
      const [error] = Errors ?? [];
      if (error !== undefined) throw new Error(`S3 did not delete ${error.Key}: ${error.Code}`);
    }
    return false;
  }

  async presignGet(key: string, seconds: number): Promise<string> {
    const command = new GetObjectCommand({ Bucket: this.#bucket, Key: key });
    return await getSignedUrl(this.#s3, command, { expiresIn: seconds });
  }

  async presignPut(key: string, seconds: number): Promise<string> {
    const command = new PutObjectCommand({ Bucket: this.#bucket, Key: key });
    return await getSignedUrl(this.#s3, command, { expiresIn: seconds });
  }
}
