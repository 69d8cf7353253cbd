import { AwsError } from '../aws-error.ts';
import type { Reply, WireRequest } from '../wire.ts';
import { unchunk } from './aws-chunked.ts';
import { verifyChecksums, verifyContentHash } from './checksums.ts';
import type { ObjectMeta, ObjectStore } from './store.ts';
import { readXml, unescapeXml, writeXml, type XmlTree } from './xml.ts';

export interface Target {
  readonly request: WireRequest;
  readonly key: string;
  /** What a copy reads. */
  readonly source?: string | undefined;
  readonly store: ObjectStore;
  readonly now: Date;
}

/** The one version that an object has here: an overwritten or deleted one is gone. */
const version_id = 'local';
const page_max = 1_000;
const key_bytes_max = 1_024;

/** PutObject: sums and hash verified, If-Match and `If-None-Match: *` honoured, framing of streamed bodies removed. */
export async function putObject({ request, key, store, now }: Target): Promise<Reply> {
  const { headers } = request;
  if (Buffer.byteLength(key) > key_bytes_max) {
    throw new AwsError('KeyTooLongError', 'Your key is too long');
  }
  const content_hash = header(headers['x-amz-content-sha256']);
  const streamed = content_hash?.startsWith('STREAMING-') === true;
  const { body, trailer } = streamed ? unchunk(request.body) : { body: request.body, trailer: {} };
  verifyContentHash(body, content_hash);
  // A presigned PUT may carry its sums in the query.
  const sent = { ...Object.fromEntries(request.query), ...headers, ...trailer };
  const { kept } = verifyChecksums(body, sent);
  const about = { modified: now.toISOString(), headers: { ...keptHeaders(headers), ...kept } };
  const meta = await store.inTurn(key, async () => {
    await checkReplaced(store, key, headers);
    return await store.put(key, body, about);
  });
  return {
    status: 200,
    headers: { etag: meta.etag, 'x-amz-version-id': version_id, ...kept },
    body: '',
  };
}

/** The conditions of a PUT: no object, or just the one that its writer has seen. */
async function checkReplaced(
  store: ObjectStore,
  key: string,
  headers: WireRequest['headers'],
): Promise<void> {
  const [none, match] = [header(headers['if-none-match']), header(headers['if-match'])];
  if (none === undefined && match === undefined) return;
  const present = await store.meta(key);
  const message = 'At least one of the pre-conditions you specified did not hold';
  if (none === '*' && present !== undefined) {
    throw new AwsError('PreconditionFailed', message, 412, { Condition: 'If-None-Match' });
  }
  if (match === undefined) return;
  if (present === undefined) {
    throw new AwsError('NoSuchKey', 'The specified key does not exist.', 404, { Key: key });
  }
  if (match !== present.etag) {
    throw new AwsError('PreconditionFailed', message, 412, { Condition: 'If-Match' });
  }
}

/** The key that a CopyObject reads; a copy from another bucket is not spoken. */
export function copySource({ headers }: WireRequest, bucket: string): string {
  const [path = ''] = (header(headers['x-amz-copy-source']) ?? '').split('?');
  const whole = decodeURIComponent(path).replace(/^\//, '');
  if (!whole.startsWith(`${bucket}/`)) {
    throw new AwsError('NotImplemented', `The local host copies only within ${bucket}.`, 501);
  }
  return whole.slice(bucket.length + 1);
}

/** CopyObject: the bytes with their headers and sums, under another key. */
export async function copyObject({ source, key, store, now }: Target): Promise<Reply> {
  const object = source === undefined ? undefined : await store.get(source);
  if (object === undefined) {
    throw new AwsError('NoSuchKey', 'The specified key does not exist.', 404, { Key: source });
  }
  try {
    const { size, headers } = object.meta;
    const modified = now.toISOString();
    const { etag } = await store.put(key, await object.read(0, size), { modified, headers });
    const reply = xml('CopyObjectResult', { LastModified: modified, ETag: etag });
    return { ...reply, headers: { ...reply.headers, 'x-amz-version-id': version_id } };
  } finally {
    await object.close();
  }
}

function keptHeaders(headers: WireRequest['headers']): Record<string, string> {
  const kept = Object.entries(headers).flatMap(([name, value]) => {
    const keep = /^(x-amz-meta-.+|content-(type|disposition|language)|cache-control)$/.test(name);
    return keep && typeof value === 'string' ? [[name, value]] : [];
  });
  return { 'content-type': 'application/octet-stream', ...Object.fromEntries(kept) };
}

/** GetObject and HeadObject, with Range, If-Match and If-None-Match. */
export async function getObject({ request, key, store }: Target): Promise<Reply> {
  const object = await store.get(key);
  if (object === undefined) {
    throw new AwsError('NoSuchKey', 'The specified key does not exist.', 404, { Key: key });
  }
  try {
    const { meta } = object;
    checkConditions(request, meta);
    const range = rangeOf(header(request.headers.range), meta.size);
    const [start, end] = range ?? [0, meta.size];
    const sums = range === undefined && request.headers['x-amz-checksum-mode'] === 'ENABLED';
    const kept = Object.entries(meta.headers).filter(
      ([name]) => sums || !name.startsWith('x-amz-checksum-'),
    );
    const headers = {
      ...Object.fromEntries(kept),
      'accept-ranges': 'bytes',
      'content-length': end - start,
      etag: meta.etag,
      'last-modified': new Date(meta.modified).toUTCString(),
      'x-amz-version-id': version_id,
      ...(range === undefined ? {} : { 'content-range': `bytes ${start}-${end - 1}/${meta.size}` }),
    };
    const body = request.method === 'HEAD' ? '' : await object.read(start, end);
    return { status: range === undefined ? 200 : 206, headers, body };
  } finally {
    await object.close();
  }
}

function checkConditions({ headers }: WireRequest, { etag }: ObjectMeta): void {
  const wanted = header(headers['if-match']);
  if (wanted !== undefined && wanted !== '*' && wanted !== etag) {
    const message = 'At least one of the pre-conditions you specified did not hold';
    throw new AwsError('PreconditionFailed', message, 412, { Condition: 'If-Match' });
  }
  if (headers['if-none-match'] === etag) throw new AwsError('NotModified', 'Not Modified', 304);
}

/** `bytes=first-last`, `bytes=first-` or `bytes=-suffix`, as start and end (exclusive). */
function rangeOf(range: string | undefined, size: number): [number, number] | undefined {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(range ?? '') ?? [];
  if (first === undefined || last === undefined || first + last === '') return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size : Math.min(size, Number(last) + 1);
  if (start < end) return [start, end];
  throw new AwsError('InvalidRange', 'The requested range is not satisfiable', 416);
}

export async function deleteObject({ key, store }: Target): Promise<Reply> {
  await store.delete(key);
  return { status: 204, headers: {}, body: '' };
}

export function keysToDelete(request: WireRequest): { key: string; version: string | undefined }[] {
  return readXml(request.body.toString('utf8'), 'Object').map((object) => ({
    key: unescapeXml(readXml(object, 'Key')[0] ?? ''),
    version: readXml(object, 'VersionId')[0],
  }));
}

export async function deleteObjects({ request, store }: Target): Promise<Reply> {
  verifyChecksums(request.body, request.headers);
  const keys = keysToDelete(request);
  if (keys.length > page_max) throw new AwsError('MalformedXML', 'More than 1000 keys.');
  await Promise.all(keys.map(({ key }) => store.delete(key)));
  const quiet = readXml(request.body.toString('utf8'), 'Quiet')[0] === 'true';
  return xml('DeleteResult', quiet ? {} : { Deleted: keys.map(({ key }) => ({ Key: key })) });
}

/** ListObjectsV2 with prefix, delimiter, start-after, continuation and page size. */
export async function listObjects({ request, store }: Target): Promise<Reply> {
  const query = request.query;
  const token = query.get('continuation-token');
  const after = token === null ? (query.get('start-after') ?? '') : fromToken(token);
  const page = await pageOf(store, query, after);
  const encode = encoder(query);
  return xml('ListBucketResult', {
    Prefix: encode(query.get('prefix') ?? ''),
    KeyCount: page.contents.length + page.prefixes.length,
    MaxKeys: page.max,
    IsTruncated: page.next !== undefined,
    EncodingType: query.get('encoding-type') ?? undefined,
    ContinuationToken: token ?? undefined,
    NextContinuationToken: page.next === undefined ? undefined : toToken(page.next),
    Contents: page.contents.map((meta) => listed(meta, encode)),
    CommonPrefixes: page.prefixes.map((prefix) => ({ Prefix: encode(prefix) })),
  });
}

/** ListObjectVersions: each object's one version. */
export async function listVersions({ request, store }: Target): Promise<Reply> {
  const query = request.query;
  const page = await pageOf(store, query, query.get('key-marker') ?? '');
  const encode = encoder(query);
  return xml('ListVersionsResult', {
    Prefix: encode(query.get('prefix') ?? ''),
    MaxKeys: page.max,
    IsTruncated: page.next !== undefined,
    EncodingType: query.get('encoding-type') ?? undefined,
    NextKeyMarker: page.next === undefined ? undefined : encode(page.next),
    NextVersionIdMarker: page.next === undefined ? undefined : version_id,
    Version: page.contents.map((meta) => ({
      ...listed(meta, encode),
      VersionId: version_id,
      IsLatest: true,
    })),
    CommonPrefixes: page.prefixes.map((prefix) => ({ Prefix: encode(prefix) })),
  });
}

interface Page {
  readonly contents: ObjectMeta[];
  readonly prefixes: string[];
  readonly max: number;
  /** The last key or prefix of this page, when more follow. */
  readonly next: string | undefined;
}

async function pageOf(store: ObjectStore, query: URLSearchParams, after: string): Promise<Page> {
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const max = Math.min(page_max, Number(query.get('max-keys') ?? page_max));
  const mark = Buffer.from(after);
  const keys = (await store.keys(prefix)).filter(
    (key) => Buffer.compare(Buffer.from(key), mark) > 0,
  );
  const entries = [...new Set(keys.map((key) => rolled(key, prefix, delimiter)))].filter(
    (entry) => entry !== after,
  );
  const shown = entries.slice(0, max);
  const folded = (entry: string): boolean => delimiter !== '' && entry.endsWith(delimiter);
  const metas = shown.filter((entry) => !folded(entry)).map((key) => store.meta(key));
  const contents = (await Promise.all(metas)).filter((meta) => meta !== undefined);
  const next = entries.length > max ? shown.at(-1) : undefined;
  return { contents, prefixes: shown.filter(folded), max, next };
}

/** A key as the listing shows it: itself, or its common prefix up to the delimiter. */
function rolled(key: string, prefix: string, delimiter: string): string {
  const at = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
  return at === -1 ? key : key.slice(0, at + delimiter.length);
}

function listed(
  { key, modified, etag, size }: ObjectMeta,
  encode: (text: string) => string,
): XmlTree {
  return {
    Key: encode(key),
    LastModified: modified,
    ETag: etag,
    Size: size,
    StorageClass: 'STANDARD',
  };
}

function encoder(query: URLSearchParams): (text: string) => string {
  if (query.get('encoding-type') !== 'url') return (text) => text;
  return (text) => encodeURIComponent(text).replaceAll('%2F', '/');
}

const toToken = (key: string): string => Buffer.from(key).toString('base64url');
const fromToken = (token: string): string => Buffer.from(token, 'base64url').toString('utf8');

function xml(root: string, tree: XmlTree): Reply {
  return {
    status: 200,
    headers: { 'content-type': 'application/xml' },
    body: writeXml(root, tree),
  };
}

function header(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
