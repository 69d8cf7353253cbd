import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exactHeaders, type Blobs, type Exact } from '#shared/core/blobs.ts';
import { S3Blobs } from '#shared/core/blobs-s3.ts';
import { S3Housekeeping } from '#shared/core/housekeeping-s3.ts';
import { aFunction, allow, echo, role, startRig, storage, type Rig } from '../../local/fixture.ts';
import { collect } from '../../functions/api/door.ts';
import { MemoryBlobs } from '../../memory-blobs.ts';

/** One contract for the bucket of the tests and the one of AWS, as the local host plays it. */

let rig: Rig;
const stores: Record<string, Blobs> = { memory: new MemoryBlobs() };
const named = (name: string): Blobs => stores[name] ?? new MemoryBlobs();

beforeAll(async () => {
  const deletes = allow(['s3:DeleteObjectVersion', 's3:ListBucketVersions', 's3:ListBucket']);
  rig = await startRig({
    ...storage,
    ...role('Sweeper', deletes),
    ...aFunction('Sweeper', echo),
    ...role('Copier', allow('s3:PutObject')),
    ...aFunction('Copier', echo),
  });
  stores['S3'] = new S3Blobs('content', rig.host.aws);
});
afterAll(() => rig.stop());

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

async function whole(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

describe.each(['memory', 'S3'])('%s', (name) => {
  test('what is put is got, read, and read in part', async () => {
    const blobs = named(name);
    await blobs.put('c/digits', '0123456789', 'text/plain');
    expect(text(await blobs.get('c/digits'))).toBe('0123456789');
    expect(text(await whole(blobs.read('c/digits')))).toBe('0123456789');
    expect(text(await whole(blobs.read('c/digits', { offset: 2, length: 3 })))).toBe('234');
    expect(text(await blobs.getRange('c/digits', 7, 2))).toBe('78');
    expect(text(await blobs.getRange('c/digits', 8, 100))).toBe('89');
    expect(await blobs.getRange('c/digits', 3, 0)).toHaveLength(0);
    await expect(blobs.getRange('c/digits', 10, 1)).rejects.toThrow(/range/i);
  });

  test('a large object arrives in pieces, and who stops reading gets no more', async () => {
    const blobs = named(name);
    const body = Buffer.alloc(3_000_000, 'abc');
    await blobs.put('c/large', body, 'text/plain');
    expect((await whole(blobs.read('c/large'))).equals(body)).toBe(true);
    let first = 0;
    for await (const chunk of blobs.read('c/large')) {
      first = chunk.length;
      break;
    }
    expect(first).toBeGreaterThan(0);
    expect(first).toBeLessThan(body.length);
  });

  test.each<[string, (blobs: Blobs) => Promise<unknown>]>([
    ['get', (blobs) => blobs.get('c/none')],
    ['read', (blobs) => whole(blobs.read('c/none'))],
    ['getRange', (blobs) => blobs.getRange('c/none', 0, 1)],
    ['copy', (blobs) => blobs.copy('c/none', 'c/other')],
  ])('%s of a missing object fails', async (_, act) => {
    await expect(act(named(name))).rejects.toThrow(/no object|not exist/);
  });

  test('a copy has the bytes and lives on its own', async () => {
    const blobs = named(name);
    const from = 'c/from ü+%/1';
    await blobs.put(from, 'bytes', 'text/plain');
    await blobs.copy(from, 'c/to/1');
    await blobs.delete([from]);
    expect(text(await blobs.get('c/to/1'))).toBe('bytes');
    expect(await blobs.head(from)).toBeUndefined();
  });

  test('an object is replaced by who has seen it as it is, and made where there is none', async () => {
    const blobs = named(name);
    const replace = async (body: string, tag?: string) =>
      await blobs.replace('c/seen', body, 'text/plain', tag);
    expect(await blobs.getTagged('c/seen')).toBeUndefined();
    expect(await replace('0', '"none"')).toBeUndefined();
    const first = await replace('1');
    expect(await replace('2')).toBeUndefined();
    const second = await replace('2', first);
    expect(await replace('3', first)).toBeUndefined();
    const seen = await blobs.getTagged('c/seen');
    expect([seen?.tag, text(seen?.body ?? new Uint8Array())]).toEqual([second, '2']);
  });

  test('head knows the size, and of a missing object that it is missing', async () => {
    const blobs = named(name);
    await blobs.put('c/head', 'héad', 'text/plain');
    expect(await blobs.head('c/head')).toEqual({ size_bytes: 5 });
    expect(await blobs.head('c/hea')).toBeUndefined();
  });

  test('delete takes these keys, not those that begin like them, and may be repeated', async () => {
    const blobs = named(name);
    const keys = ['d/1', 'd/10', 'd/2', 'd/1/x'];
    for (const key of keys) await blobs.put(key, key, 'text/plain');
    await blobs.delete(['d/1', 'd/2', 'd/none']);
    await blobs.delete(['d/1']);
    await blobs.delete([]);
    expect(await collect(blobs.list('d/'))).toEqual(['d/1/x', 'd/10']);
  });

  const sha256 = createHash('sha256').update('exact').digest('hex');
  const exact: Exact = { sha256, size_bytes: 5, content_type: 'text/csv' };

  test.each<[string, string, number]>([
    ['the bytes that were announced', 'exact', 200],
    ['other bytes of the same length', 'exacT', 400],
    ['more bytes', 'exact!', 403],
    ['fewer bytes', 'exac', 403],
  ])('an exact upload with %s', async (_, body, status) => {
    const blobs = named(name);
    const url = await blobs.presignPut('e/1', 900, exact);
    expect(await upload(blobs, url, body)).toBe(status);
    const head = status === 200 ? { size_bytes: 5, sha256 } : undefined;
    expect(await blobs.head('e/1')).toEqual(head);
    await blobs.copy('e/1', 'e/2').catch(() => undefined);
    expect(await blobs.head('e/2')).toEqual(head);
    await blobs.delete(['e/1', 'e/2']);
  });

  async function upload(blobs: Blobs, url: string, body: string): Promise<number> {
    if (blobs instanceof MemoryBlobs) return await blobs.upload(url, Buffer.from(body));
    const headers = { ...exactHeaders(exact), 'content-length': String(body.length) };
    return await put(url, headers, body);
  }
});

/** fetch would set the length itself. */
async function put(url: string, headers: Record<string, string>, body: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const outgoing = request(url, { method: 'PUT', headers }, (answer) => {
    answer.resume();
    resolve(answer.statusCode ?? 0);
  });
  outgoing.on('error', reject).end(body);
  return await promise;
}

test.each([
  ['another type', { 'content-type': 'text/html' }],
  [
    'another sum',
    {
      'x-amz-checksum-sha256': exactHeaders({ sha256: '00', size_bytes: 0, content_type: '' })[
        'x-amz-checksum-sha256'
      ],
    },
  ],
  ['no sum', { 'x-amz-checksum-sha256': undefined }],
])('S3 refuses an exact upload with %s', async (_, other) => {
  const sha256 = createHash('sha256').update('exact').digest('hex');
  const exact = { sha256, size_bytes: 5, content_type: 'text/csv' };
  const url = await named('S3').presignPut('e/3', 900, exact);
  const all = Object.entries({ ...exactHeaders(exact), ...other });
  const headers = all.filter((pair): pair is [string, string] => pair[1] !== undefined);
  expect(await put(url, Object.fromEntries(headers), 'exact')).toBe(403);
});

test('S3 is asked to delete versions: without their ids they would only be hidden', async () => {
  await named('S3').put('v/1', '1', 'text/plain');
  // Its role may delete versions, and nothing else.
  await new S3Blobs('content', rig.host.awsAs('sweeper')).delete(['v/1']);
  expect(await named('S3').head('v/1')).toBeUndefined();
});

test('S3 is asked to delete what an object was before, and not what it is', async () => {
  const asked: unknown[] = [];
  const Versions = [
    { Key: 'v/1', VersionId: 'now', IsLatest: true },
    { Key: 'v/1', VersionId: 'before', IsLatest: false },
    { Key: 'v/10', VersionId: 'of another', IsLatest: false },
  ];
  const send = async ({ input }: { readonly input: object }): Promise<object> => {
    if (!('Delete' in input)) return { Versions };
    asked.push(input.Delete);
    return {};
  };
  await new S3Housekeeping('content', { send }).deletePast(['v/1']);
  expect(asked).toEqual([{ Objects: [{ Key: 'v/1', VersionId: 'before' }], Quiet: true }]);
  await named('S3').put('v/4', 'now', 'text/plain');
  await named('S3').deletePast(['v/4', 'v/none']);
  expect(await named('S3').head('v/4')).toBeDefined();
});

test('S3 copies only for who may read the source', async () => {
  await named('S3').put('v/2', '2', 'text/plain');
  const copier = new S3Blobs('content', rig.host.awsAs('copier'));
  await expect(copier.copy('v/2', 'v/3')).rejects.toThrow(/s3:GetObject/);
});
