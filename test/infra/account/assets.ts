import { element, xml, type Answer } from './answers.ts';
import { REGION } from './place.ts';

/** The bucket of assets: lists, puts and uploads in parts. */
export class Assets {
  /** By `/<bucket>/<key>`. */
  readonly objects = new Map<string, Buffer>();
  readonly #parts = new Map<string, Map<number, Buffer>>();

  answer(method: string, { pathname, searchParams }: URL, body: Buffer): Answer {
    if (searchParams.has('list-type'))
      return this.#list(`${pathname}${searchParams.get('prefix')}`);
    if (searchParams.has('location')) return xml(element('LocationConstraint', REGION));
    if (searchParams.has('encryption')) return xml(encryption);
    const upload = searchParams.get('uploadId');
    if (method === 'PUT' && upload !== null) {
      this.#parts.get(upload)?.set(Number(searchParams.get('partNumber')), body);
      return stored;
    }
    if (method === 'PUT') {
      this.objects.set(pathname, body);
      return stored;
    }
    if (method === 'POST') return this.#upload(pathname, upload);
    return xml('<Error><Code>MethodNotAllowed</Code></Error>', 405);
  }

  #list(prefix: string): Answer {
    const keys = [...this.objects.keys()].filter((name) => name.startsWith(prefix));
    const found = keys.map((key) => element('Contents', [element('Key', key.split('/').at(-1))]));
    return xml(element('ListBucketResult', [element('KeyCount', keys.length), ...found]));
  }

  /** Begins an upload in parts, or puts it together. */
  #upload(pathname: string, upload: string | null): Answer {
    if (upload === null) {
      this.#parts.set(pathname, new Map());
      const begun = element('UploadId', pathname);
      return xml(element('InitiateMultipartUploadResult', [begun]));
    }
    const parts = [...(this.#parts.get(upload) ?? [])].toSorted(([a], [b]) => a - b);
    this.objects.set(pathname, Buffer.concat(parts.map(([, part]) => part)));
    return xml(element('CompleteMultipartUploadResult', [element('ETag', '"whole"')]));
  }
}

const stored: Answer = { ...xml(''), headers: { etag: '"stored"' } };
const encryption =
  '<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>' +
  '</ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>';
