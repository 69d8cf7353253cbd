import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl, S3RequestPresigner } from '@aws-sdk/s3-request-presigner';
import { invariant } from './invariant.ts';

/**
 * Signs URLs that read objects. A mounted store may need one for each of thousands of memories, and
 * the client's whole middleware takes five times as long for each as signing does.
 */
export class GetSigner {
  readonly #s3: S3Client;
  readonly #bucket: string;
  readonly #presigner: S3RequestPresigner;
  #place: Promise<URL> | undefined;

  constructor(s3: S3Client, bucket: string) {
    this.#s3 = s3;
    this.#bucket = bucket;
    this.#presigner = new S3RequestPresigner({ ...s3.config });
  }

  async urlOf(key: string, seconds: number): Promise<string> {
    const { origin, protocol, hostname, host, port, pathname } = await this.#bucketUrl();
    const path = `${pathname}${key.split('/').map(escaped).join('/')}`;
    const request = {
      method: 'GET',
      protocol,
      hostname,
      ...(port === '' ? {} : { port: Number(port) }),
      path,
      query: { 'x-id': 'GetObject' },
      headers: { host },
    };
    const { query = {} } = await this.#presigner.presign(request, { expiresIn: seconds });
    const pairs = Object.entries(query).map(
      ([name, value]) => `${escaped(name)}=${escaped(value)}`,
    );
    return `${origin}${path}?${pairs.join('&')}`;
  }

  /** Where the bucket's objects are, as the client itself has it: by host or by path, or elsewhere. */
  async #bucketUrl(): Promise<URL> {
    this.#place ??= this.#find();
    try {
      return await this.#place;
    } catch (error) {
      this.#place = undefined;
      throw error;
    }
  }

  async #find(): Promise<URL> {
    const command = new GetObjectCommand({ Bucket: this.#bucket, Key: 'x' });
    const url = new URL(await getSignedUrl(this.#s3, command));
    invariant(url.pathname.endsWith('/x'), 'a URL of an object ends with its key');
    url.pathname = url.pathname.slice(0, -1);
    return url;
  }
}

/** As signatures have it: more than `encodeURIComponent` escapes. */
function escaped(text: unknown): string {
  return encodeURIComponent(String(text)).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
