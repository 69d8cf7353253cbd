/** The bucket through the SDK's own client: what it sends must be understood, what it reads must be right. */
import { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { S3Blobs } from '#shared/core/blobs-s3.ts';
import { aFunction, allow, attribute, echo, role, startRig, storage, type Rig } from './fixture.ts';

const Bucket = 'content';
let rig: Rig;
let s3: S3Client;

/** A bucket under a key of its own, and the condition that its use goes through one service. */
const sealed = {
  Key: { Type: 'AWS::KMS::Key', Properties: {} },
  Sealed: {
    Type: 'AWS::S3::Bucket',
    Properties: {
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          { ServerSideEncryptionByDefault: { KMSMasterKeyID: attribute('Key') } },
        ],
      },
    },
  },
};
const through = (service: string) => ({
  StringEquals: { 'kms:ViaService': `${service}.us-east-1.amazonaws.com` },
});

beforeAll(async () => {
  const objects = { 'Fn::Join': ['', [attribute('Content'), '/own/*']] };
  rig = await startRig({
    ...storage,
    ...role('Own', allow(['s3:GetObject', 's3:PutObject'], objects)),
    ...aFunction('Own', echo),
    ...sealed,
    ...role('Keyless', allow('s3:*')),
    ...aFunction('Keyless', echo),
    ...role('Keyed', allow('s3:*'), allow('kms:*', attribute('Key'), through('s3'))),
    ...aFunction('Keyed', echo),
    ...role('Elsewhere', allow('s3:*'), allow('kms:*', attribute('Key'), through('dynamodb'))),
    ...aFunction('Elsewhere', echo),
  });
  s3 = new S3Client(rig.host.aws);
});
afterAll(() => rig.stop());

const put = (Key: string, Body: string, more = {}) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
const get = async (Key: string, more = {}) =>
  await s3.send(new GetObjectCommand({ Bucket, Key, ...more }));
const text = async (Key: string, more = {}) =>
  await (await get(Key, more)).Body?.transformToString();
const list = (more: object) => s3.send(new ListObjectsV2Command({ Bucket, ...more }));
const named = (name: string) => expect.objectContaining({ name });

test('what is put is got, with its type, metadata and checksum', async () => {
  await put('a/b.txt', 'héllo', { ContentType: 'text/plain', Metadata: { by: 'me' } });
  const got = await get('a/b.txt', { ChecksumMode: 'ENABLED' });
  expect(await got.Body?.transformToString()).toBe('héllo');
  expect(got).toMatchObject({
    ContentType: 'text/plain',
    Metadata: { by: 'me' },
    ContentLength: 6,
  });
  expect(got.ChecksumCRC32).toMatch(/==$/);
});

test('a streamed body loses its framing and keeps its bytes', async () => {
  const body = 'x'.repeat(200_000);
  const Body = Readable.from([Buffer.from(body)]);
  await s3.send(
    new PutObjectCommand({ Bucket, Key: 'streamed', Body, ContentLength: body.length }),
  );
  expect(await text('streamed')).toBe(body);
});

test.each(['', '.', '..', 'a//b', 'a/', 'ü ~*+%', 'a'.repeat(700), '€'.repeat(300), 'x\ny'])(
  'the key %j comes back from a list as it was',
  async (name) => {
    const Key = `keys/${name}`;
    await put(Key, name);
    const { Contents } = await list({ Prefix: Key });
    expect(Contents?.map((each) => each.Key)).toContain(Key);
    expect(await text(Key)).toBe(name);
    await s3.send(new DeleteObjectCommand({ Bucket, Key }));
  },
);

test.each([
  ['bytes=0-1', '01', 'bytes 0-1/10'],
  ['bytes=7-', '789', 'bytes 7-9/10'],
  ['bytes=-2', '89', 'bytes 8-9/10'],
  ['bytes=5-99', '56789', 'bytes 5-9/10'],
])('the range %s reads %s', async (Range, body, range) => {
  await put('digits', '0123456789');
  const got = await get('digits', { Range });
  expect([await got.Body?.transformToString(), got.ContentRange]).toEqual([body, range]);
});

test('a range behind the end is refused', async () => {
  await put('digits', '0123456789');
  await expect(get('digits', { Range: 'bytes=10-' })).rejects.toMatchObject(named('InvalidRange'));
});

test('If-Match replaces just the object that was seen, also when two come at once', async () => {
  const replace = async (body: string, tag: string | undefined) =>
    await put('seen', body, { IfMatch: tag });
  await expect(replace('0', '"none"')).rejects.toMatchObject({ name: 'NoSuchKey' });
  const { ETag: first } = await put('seen', '1');
  const both = await Promise.allSettled([replace('2', first), replace('3', first)]);
  const lost = both.filter(({ status }) => status === 'rejected');
  expect(lost).toMatchObject([{ reason: { $metadata: { httpStatusCode: 412 } } }]);
});

test('If-None-Match puts only what is not there', async () => {
  await put('once', '1', { IfNoneMatch: '*' });
  const again = put('once', '2', { IfNoneMatch: '*' });
  await expect(again).rejects.toMatchObject({ name: 'PreconditionFailed' });
  expect(await text('once')).toBe('1');
});

test('a body that is not what its checksum says is refused and not stored', async () => {
  const wrong = put('broken', 'abc', { ChecksumCRC32: 'AAAAAA==' });
  await expect(wrong).rejects.toMatchObject({ name: 'BadDigest' });
  await expect(get('broken')).rejects.toMatchObject({ name: 'NoSuchKey' });
});

test('head tells length and nothing else; of a missing object that it is missing', async () => {
  await put('head', '12345');
  const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'head' }));
  expect(head.ContentLength).toBe(5);
  const missing = s3.send(new HeadObjectCommand({ Bucket, Key: 'none' }));
  await expect(missing).rejects.toMatchObject({ name: 'NotFound' });
});

test('lists go in byte order, in pages, folded at a delimiter', async () => {
  const keys = ['p/a', 'p/a/1', 'p/a-1', 'p/b/1', 'p/b/2', 'p/ä'];
  await Promise.all(keys.map((key) => put(key, key)));
  const pages: string[][] = [];
  let ContinuationToken: string | undefined;
  do {
    const page = await list({ Prefix: 'p/', MaxKeys: 4, ContinuationToken });
    pages.push((page.Contents ?? []).map(({ Key = '' }) => Key));
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken !== undefined);
  expect(pages).toEqual([
    ['p/a', 'p/a-1', 'p/a/1', 'p/b/1'],
    ['p/b/2', 'p/ä'],
  ]);
  const folded = await list({ Prefix: 'p/', Delimiter: '/' });
  expect(folded.Contents?.map(({ Key }) => Key)).toEqual(['p/a', 'p/a-1', 'p/ä']);
  expect(folded.CommonPrefixes?.map(({ Prefix }) => Prefix)).toEqual(['p/a/', 'p/b/']);
});

test('every version under a prefix can be listed and deleted', async () => {
  await Promise.all(['v/1', 'v/2&<>'].map((key) => put(key, key)));
  const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket, Prefix: 'v/' }));
  const Objects = Versions.map(({ Key = '', VersionId }) => ({ Key, VersionId }));
  expect(Objects).toHaveLength(2);
  await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  expect((await list({ Prefix: 'v/' })).KeyCount).toBe(0);
});

test('a presigned URL works until it expires on the host’s clock, and only as it was signed', async () => {
  await put('signed', 'secret');
  const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: 'signed' }), {
    expiresIn: 60,
  });
  expect(await (await fetch(url)).text()).toBe('secret');
  const other = await fetch(url.replace('/signed?', '/digits?'));
  expect([other.status, await other.text()]).toEqual([403, expect.stringContaining('Signature')]);
  await rig.host.advance(61_000);
  const late = await fetch(url);
  expect([late.status, await late.text()]).toEqual([403, expect.stringContaining('has expired')]);
});

test('the URL that the product presigns for a PUT takes any content', async () => {
  const blobs = new S3Blobs(Bucket, rig.host.aws);
  const url = await blobs.presignPut('uploaded', 900);
  const answer = await fetch(url, { method: 'PUT', body: 'mine' });
  expect([answer.status, await answer.text()]).toEqual([200, '']);
  expect(await text('uploaded')).toBe('mine');
});

test('a role is held to its prefix, and does not learn what is missing', async () => {
  const own = new S3Client(rig.host.awsAs('own'));
  await own.send(new PutObjectCommand({ Bucket, Key: 'own/1', Body: '1' }));
  const denied = named('AccessDenied');
  const read = (Key: string) => own.send(new GetObjectCommand({ Bucket, Key }));
  await expect(read('digits')).rejects.toEqual(denied);
  // Without s3:ListBucket S3 says 403 and not 404.
  await expect(read('own/none')).rejects.toEqual(denied);
  await expect(own.send(new ListObjectsV2Command({ Bucket }))).rejects.toEqual(denied);
  await expect(own.send(new DeleteObjectCommand({ Bucket, Key: 'own/1' }))).rejects.toEqual(denied);
});

test.each([
  ['keyed', undefined],
  ['keyless', 'kms:GenerateDataKey'],
  ['elsewhere', 'kms:GenerateDataKey'],
])('the role %s, on a bucket under a KMS key, misses %s', async (name, missing) => {
  const client = new S3Client(rig.host.awsAs(name));
  const sent = client.send(new PutObjectCommand({ Bucket: 'sealed', Key: name, Body: name }));
  const outcome = await sent.then(
    () => undefined,
    (cause: Error) => /perform: (\S+)/.exec(cause.message)?.[1],
  );
  expect(outcome).toBe(missing);
});
