import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { fileKey, fileObject, type ApiFile } from '#shared/api-files/api-file.ts';
import { expireFile } from '#shared/api-files/expire-file.ts';
import { ReverieClient } from '#shared/client/reverie-client.ts';
import { newId } from '#shared/core/id.ts';
import { checkedClient, type CheckedClient } from '../../wire/checked-client.ts';
import { admin_key, startDoor, type StartedDoor } from './door.ts';

/** Uploads that go to the bucket directly: what the API says and refuses before and after them. */

let door: StartedDoor;
let client: CheckedClient['client'];
let direct: ReverieClient['files'];

beforeAll(async () => {
  door = await startDoor();
  client = checkedClient(door.baseURL, admin_key, { maxRetries: 0 }).client;
  direct = new ReverieClient(client).files;
});

beforeEach(() => {
  door.ports.clock.shift_ms = 0;
});

afterAll(async () => {
  await door.stop();
});

const bytes = Buffer.from('a,b\n1,2\n');
const sha256 = createHash('sha256').update(bytes).digest('hex');
const announced = { filename: 'dir/data.csv', size_bytes: bytes.length, sha256 };

async function rowOf(file_id: string): Promise<ApiFile | undefined> {
  return (await door.ports.table.get(fileKey(file_id))) as ApiFile | undefined;
}

test('an upload is announced, sent and completed, and then it is a file like any other', async () => {
  const { file, upload } = await direct.start({ ...announced, expires_in_seconds: 3600 });
  expect(file).toEqual({
    id: expect.stringMatching(/^file_/),
    type: 'file',
    filename: 'data.csv',
    mime_type: 'text/csv',
    size_bytes: 8,
    sha256,
    created_at: expect.any(String),
    expires_at: new Date(Date.parse(file.created_at) + 3_600_000).toISOString(),
    downloadable: false,
    scope: null,
    state: 'pending',
  });
  expect(upload.headers['content-type']).toBe('text/csv');
  expect(await door.ports.blobs.upload(upload.url, bytes)).toBe(200);
  const done = await direct.complete(file.id);
  expect(done).toEqual({ ...file, state: 'ready' });
  expect(await direct.complete(file.id)).toEqual(done);
  const { state: _state, sha256: _sum, ...metadata } = done;
  expect(await client.beta.files.retrieveMetadata(file.id)).toEqual(metadata);
  expect((await client.beta.files.list()).data).toContainEqual(metadata);
});

test('until it is complete it is no file', async () => {
  const { file, upload } = await direct.start(announced);
  const { files } = client.beta;
  await expect(files.retrieveMetadata(file.id)).rejects.toMatchObject({ status: 404 });
  await expect(files.delete(file.id)).rejects.toMatchObject({ status: 404 });
  expect((await files.list({ ids: [file.id] })).data).toEqual([]);
  await expect(direct.complete(file.id)).rejects.toMatchObject({ status: 409 });
  expect(await door.ports.blobs.upload(upload.url, Buffer.from('a,b\n1,3\n'))).toBe(400);
  await expect(direct.complete(file.id)).rejects.toMatchObject({ status: 409 });
  expect((await rowOf(file.id))?.state).toBe('pending');
});

test('two that complete it at once are both told the same', async () => {
  const { file, upload } = await direct.start(announced);
  await door.ports.blobs.upload(upload.url, bytes);
  const [one, two] = await Promise.all([direct.complete(file.id), direct.complete(file.id)]);
  expect(one).toEqual(two);
});

test('an upload that nobody completes is gone after a day, one that was completed stays', async () => {
  const lost = await direct.start(announced);
  const kept = await direct.start(announced);
  for (const { upload } of [lost, kept]) await door.ports.blobs.upload(upload.url, bytes);
  await direct.complete(kept.file.id);
  door.ports.clock.shift_ms = 86_400_001;
  const row = await rowOf(lost.file.id);
  expect(row && (await expireFile(door.ports, row))).toBe(true);
  expect(door.ports.blobs.objects.has(fileObject(lost.file.id))).toBe(false);
  await expect(direct.complete(lost.file.id)).rejects.toMatchObject({ status: 404 });
  expect((await rowOf(kept.file.id))?.gsi2pk).toBeUndefined();
});

test('what is completed at the moment of its expiry is not removed', async () => {
  const { file, upload } = await direct.start(announced);
  await door.ports.blobs.upload(upload.url, bytes);
  const row = await rowOf(file.id);
  await direct.complete(file.id);
  door.ports.clock.shift_ms = 86_400_001;
  expect(row && (await expireFile(door.ports, row))).toBe(false);
  expect(door.ports.blobs.objects.has(fileObject(file.id))).toBe(true);
});

test('a repeat with its key is the same upload', async () => {
  const options = { body: announced, headers: { 'idempotency-key': 'direct-1' } };
  const one = await client.post('/v1/reverie/files', options);
  expect(await client.post('/v1/reverie/files', options)).toEqual(one);
});

test.each([
  [{ ...announced, size_bytes: 500_000_001 }, /^size_bytes: /],
  [{ ...announced, size_bytes: -1 }, /^size_bytes: /],
  [{ ...announced, sha256: 'abc' }, /^sha256: /],
  [{ ...announced, filename: '' }, /^filename: /],
  [{ ...announced, filename: 'a|b' }, /^filename: /],
  [{ ...announced, expires_in_seconds: 60 }, /^expires_in_seconds: /],
  [{ ...announced, path: 'x' }, /^path: unknown field/],
])('%o is refused', async (body, message) => {
  const error = await client.post('/v1/reverie/files', { body }).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ status: 400 });
  expect((error as { error: { error: { message: string } } }).error.error.message).toMatch(message);
});

test('what is unknown, deleted or of another workspace cannot be completed', async () => {
  const { file, upload } = await direct.start(announced);
  await door.ports.blobs.upload(upload.url, bytes);
  const { secret } = await new ReverieClient(client).apiKeys.create({
    name: 'stranger',
    workspace_id: newId('workspace'),
  });
  const stranger = checkedClient(door.baseURL, secret ?? '', { maxRetries: 0 }).client;
  const theirs = new ReverieClient(stranger).files;
  await expect(theirs.complete(file.id)).rejects.toMatchObject({ status: 404 });
  await direct.complete(file.id);
  await client.beta.files.delete(file.id);
  for (const id of [file.id, newId('file'), 'file_x']) {
    await expect(direct.complete(id)).rejects.toMatchObject({ status: 404 });
  }
});
