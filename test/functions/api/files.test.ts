import { toFile, type Anthropic } from '@anthropic-ai/sdk';
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { fileKey, fileObject, type ApiFile } from '#shared/api-files/api-file.ts';
import { expireFile } from '#shared/api-files/expire-file.ts';
import { newId } from '#shared/core/id.ts';
import { limits } from '#shared/core/limits.ts';
import { ReverieClient } from '#shared/client/reverie-client.ts';
import { checkedClient, type CheckedClient } from '../../wire/checked-client.ts';
import { admin_key, collect, startDoor, type StartedDoor } from './door.ts';

/** The Files API over HTTP, through the official SDK, with every answer held against its own types. */

let door: StartedDoor;
let client: CheckedClient['client'];
let files: CheckedClient['client']['beta']['files'];

beforeAll(async () => {
  door = await startDoor();
  client = checkedClient(door.baseURL, admin_key, { maxRetries: 0 }).client;
  ({ files } = client.beta);
});

beforeEach(() => {
  door.ports.clock.shift_ms = 0;
});

afterAll(async () => {
  await door.stop();
});

const HOUR_MS = 3_600_000;

async function upload(name = 'data.csv', text = 'a,b\n1,2\n', expires_in_seconds?: number) {
  return await files.upload({
    file: await toFile(Buffer.from(text), name),
    ...(expires_in_seconds === undefined ? {} : { expires_in_seconds }),
  });
}

async function rowOf(file_id: string): Promise<ApiFile | undefined> {
  return (await door.ports.table.get(fileKey(file_id))) as ApiFile | undefined;
}

/** What reconcile does with one row. */
async function reconcile(file_id: string): Promise<boolean> {
  const row = await rowOf(file_id);
  return row !== undefined && (await expireFile(door.ports, row));
}

/** A request as another client would make it. */
async function ask(method: string, path: string, init: RequestInit = {}) {
  const headers = { 'x-api-key': admin_key, ...(init.headers as Record<string, string>) };
  const response = await fetch(`${door.baseURL}${path}`, { ...init, method, headers });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** The client of a workspace that has nothing. */
async function stranger(): Promise<Anthropic> {
  return (await strangerWithKey()).client;
}

async function strangerWithKey(): Promise<{ client: Anthropic; key: string }> {
  const { secret } = await new ReverieClient(client).apiKeys.create({
    name: 'stranger',
    workspace_id: newId('workspace'),
  });
  const made_key = secret ?? '';
  const { client: theirs } = checkedClient(door.baseURL, made_key, { maxRetries: 0 });
  return { client: theirs, key: made_key };
}

test('an upload is kept to the byte, with its name, type, size and hash', async () => {
  const bytes = Buffer.from([0, 255, 13, 10, 45, 45, 128, 0]);
  const made = await files.upload({
    file: await toFile(bytes, 'dir/ünï "x".bin'.replaceAll('"', "'"), { type: 'image/PNG' }),
  });
  expect(made).toEqual({
    id: expect.stringMatching(/^file_/),
    type: 'file',
    filename: "ünï 'x'.bin",
    mime_type: 'image/png',
    size_bytes: 8,
    created_at: expect.any(String),
    expires_at: null,
    downloadable: false,
    scope: null,
  });
  expect(await files.retrieveMetadata(made.id)).toEqual(made);
  expect(door.ports.blobs.objects.get(fileObject(made.id))).toEqual(bytes);
  expect((await rowOf(made.id))?.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
});

test('the characters of a name are counted as its reader does', async () => {
  const name = `${'\u{1F600}'.repeat(251)}.txt`;
  const made = await files.upload({ file: await toFile(Buffer.from('x'), name) });
  expect(made.filename).toBe(name);
});

test.each([
  ['notes.MD', undefined, 'text/markdown'],
  ['report.pdf', 'application/octet-stream', 'application/pdf'],
  ['a.csv', 'text/plain; charset=utf-8', 'text/plain'],
  ['no-extension', undefined, 'application/octet-stream'],
  ['constructor.constructor', undefined, 'application/octet-stream'],
  ['x.png', 'not a type', 'image/png'],
])('%s that is said to be %s is %s', async (name, type, mime_type) => {
  const file = await toFile(Buffer.from('x'), name, type === undefined ? {} : { type });
  expect((await files.upload({ file })).mime_type).toBe(mime_type);
});

function form(part: string, value: string): RequestInit {
  const headers = { 'content-type': 'multipart/form-data; boundary=edge' };
  const body = `--edge\r\nContent-Disposition: form-data; ${part}\r\n\r\n${value}\r\n--edge--\r\n`;
  return { headers, body };
}

test.each([
  ['an empty filename', 'name="file"; filename=""\r\nContent-Type: text/csv', 'unnamed.csv'],
  ['a folder', 'name="file"; filename="a/b/"\r\nContent-Type: application/pdf', 'unnamed.pdf'],
  ['no filename', 'name="file"', 'unnamed'],
  ['a path of Windows', 'name="file"; filename="C:\\\\x\\\\y.txt"', 'y.txt'],
])('a file with %s is called %s', async (_what, part, filename) => {
  const { status, body } = await ask('POST', '/v1/files', form(part, 'abc'));
  expect([status, body['filename'], body['size_bytes']]).toEqual([200, filename, 3]);
});

test.each([
  ['a forbidden character', form('name="file"; filename="a?.txt"', 'x'), /^filename: /],
  ['a name that is too long', form(`name="file"; filename="${'a'.repeat(256)}"`, 'x'), /255/],
  ['another field', form('name="files"; filename="a"', 'x'), /^files: unknown field/],
  ['an unknown text field', form('name="purpose"', 'x'), /^purpose: unknown field/],
  ['no file', form('name="expires_in_seconds"', '3600'), /^file: is required/],
  ['a time too short', form('name="expires_in_seconds"', '3599'), /^expires_in_seconds: .*3600/],
  ['a time too long', form('name="expires_in_seconds"', '7776001'), /at most 7776000/],
  ['a time that is no number', form('name="expires_in_seconds"', '1e9'), /whole number/],
  ['bytes without a filename', form('name="file"', '\uFFFD'), /Give the part a filename/],
])('a form with %s is refused', async (_what, init, message) => {
  const { status, body } = await ask('POST', '/v1/files', init);
  expect(status).toBe(400);
  expect((body['error'] as { message: string }).message).toMatch(message);
});

test('a form that is too large is refused with the way that large files go', async () => {
  const error = await upload('big.bin', 'x'.repeat(limits.form_file_bytes_max + 1)).catch(
    (caught: unknown) => caught,
  );
  expect(error).toMatchObject({ status: 413 });
  expect(String(error)).toContain('POST /v1/reverie/files');
});

test('an upload repeated with its key is one file', async () => {
  const before = door.ports.blobs.objects.size;
  const send = async () =>
    await files.upload(
      { file: await toFile(Buffer.from('same'), 'same.txt') },
      { headers: { 'idempotency-key': 'upload-1' } },
    );
  const [first, second] = [await send(), await send()];
  expect(second.id).toBe(first.id);
  expect(door.ports.blobs.objects.size).toBe(before + 1);
});

test('the list pages through the files of a workspace, newest first', async () => {
  const other = await stranger();
  const made: string[] = [];
  for (const name of ['1.txt', '2.txt', '3.txt', '4.txt', '5.txt']) {
    made.unshift(
      (await other.beta.files.upload({ file: await toFile(Buffer.from(name), name) })).id,
    );
  }
  expect((await collect(other.beta.files.list({ limit: 2 }))).map(({ id }) => id)).toEqual(made);
  expect((await files.list({ limit: 1000 })).data.map(({ id }) => id)).not.toContain(made[0]);
  const [a = '', b = '', c = ''] = made;
  const theirs = await upload();
  const asked = await other.beta.files.list({ ids: [c, a, theirs.id, 'file_x', a, newId('file')] });
  expect(asked.data.map(({ id }) => id)).toEqual([a, c]);
  expect(asked.next_page).toBeNull();
  await other.beta.files.delete(b);
  expect((await other.beta.files.list({ ids: [a, b] })).data.map(({ id }) => id)).toEqual([a]);
});

test.each([
  ['limit=0', /^limit: /],
  ['limit=1001', /^limit: /],
  ['page=nonsense', /^page: /],
  [`ids[]=${newId('file')}&limit=1`, /^ids: /],
  [Array.from({ length: 101 }, (_, n) => `ids[]=${n}`).join('&'), /100 different ids/],
  ['after_id=file_1', /^after_id: unknown field/],
  ['order=asc', /^order: unknown field/],
])('the list refuses %s', async (query, message) => {
  const { status, body } = await ask('GET', `/v1/files?${query}`);
  expect(status).toBe(400);
  expect((body['error'] as { message: string }).message).toMatch(message);
});

test('what another workspace has is not there', async () => {
  const { id } = await upload();
  const { files: theirs } = (await stranger()).beta;
  await expect(theirs.retrieveMetadata(id)).rejects.toMatchObject({ status: 404 });
  await expect(theirs.delete(id)).rejects.toMatchObject({ status: 404 });
  expect((await files.retrieveMetadata(id)).id).toBe(id);
});

test.each(['file_short', newId('file'), newId('session')])('%s is unknown', async (id) => {
  await expect(files.retrieveMetadata(id)).rejects.toMatchObject({ status: 404 });
  await expect(files.delete(id)).rejects.toMatchObject({ status: 404 });
});

test('a deleted file is gone with its bytes', async () => {
  const { id } = await upload();
  expect(await files.delete(id)).toEqual({ id, type: 'file_deleted' });
  await expect(files.retrieveMetadata(id)).rejects.toMatchObject({ status: 404 });
  await expect(files.delete(id)).rejects.toMatchObject({ status: 404 });
  expect((await files.list({ limit: 1000 })).data.map((file) => file.id)).not.toContain(id);
  expect(door.ports.blobs.objects.has(fileObject(id))).toBe(false);
  expect(await rowOf(id)).toBeUndefined();
});

test.each(['a repeat', 'reconcile'])(
  'a deletion that dies half-way is finished by %s',
  async (by) => {
    const { id } = await upload();
    const { blobs } = door.ports;
    const remove = blobs.delete.bind(blobs);
    blobs.delete = async () => await Promise.reject(new Error('the bucket is away'));
    await expect(files.delete(id)).rejects.toMatchObject({ status: 500 });
    blobs.delete = remove;
    await expect(files.retrieveMetadata(id)).rejects.toMatchObject({ status: 404 });
    expect(blobs.objects.has(fileObject(id))).toBe(true);
    if (by === 'a repeat') expect((await files.delete(id)).id).toBe(id);
    else expect(await reconcile(id)).toBe(true);
    expect(blobs.objects.has(fileObject(id))).toBe(false);
    expect(await rowOf(id)).toBeUndefined();
  },
);

test('an upload that dies before its bytes are there is no file, and is gone in a day', async () => {
  const { blobs } = door.ports;
  const put = blobs.put.bind(blobs);
  const seen: string[] = [];
  blobs.put = async (key) => {
    seen.push(key);
    await Promise.reject(new Error('the bucket is away'));
  };
  await expect(upload()).rejects.toMatchObject({ status: 500 });
  blobs.put = put;
  const id = seen[0]?.slice('files/'.length) ?? '';
  await expect(files.retrieveMetadata(id)).rejects.toMatchObject({ status: 404 });
  await expect(files.delete(id)).rejects.toMatchObject({ status: 404 });
  expect(await reconcile(id)).toBe(false);
  door.ports.clock.shift_ms = 24 * HOUR_MS + 1;
  expect(await reconcile(id)).toBe(true);
  expect(await rowOf(id)).toBeUndefined();
});

test('an expired file can be read about for a month, and its bytes are gone', async () => {
  const made = await upload('soon.txt', 'soon', 3600);
  const { id } = made;
  expect(Date.parse(made.expires_at ?? '') - Date.parse(made.created_at)).toBe(HOUR_MS);
  expect(await reconcile(id)).toBe(false);
  door.ports.clock.shift_ms = HOUR_MS + 1;
  expect(await files.retrieveMetadata(id)).toEqual(made);
  expect(await reconcile(id)).toBe(true);
  expect(door.ports.blobs.objects.has(fileObject(id))).toBe(false);
  expect(await files.retrieveMetadata(id)).toEqual(made);
  expect((await files.list({ ids: [id] })).data).toEqual([made]);
  expect(await reconcile(id)).toBe(false);
  door.ports.clock.shift_ms += limits.file_tombstone_ms;
  await expect(files.retrieveMetadata(id)).rejects.toMatchObject({ status: 404 });
  expect(await reconcile(id)).toBe(true);
  expect(await rowOf(id)).toBeUndefined();
});

test('an expired file can be deleted at once', async () => {
  const { id } = await upload('soon.txt', 'soon', 3600);
  door.ports.clock.shift_ms = HOUR_MS + 1;
  await reconcile(id);
  await files.delete(id);
  expect(await rowOf(id)).toBeUndefined();
});

test('no form and no name, however odd, is our fault or leaves something behind', async () => {
  const before = door.ports.blobs.objects.size;
  let made = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        name: fc.oneof(fc.constant('file'), fc.constant('expires_in_seconds'), fc.string()),
        filename: fc.option(fc.string({ unit: 'binary', maxLength: 300 })),
        type: fc.option(fc.string()),
        bytes: fc.uint8Array({ maxLength: 50 }),
      }),
      async ({ name, filename, type, bytes }) => {
        const data = new FormData();
        const blob = new Blob([new Uint8Array(bytes)], type === null ? {} : { type });
        if (filename === null) data.append(name, Buffer.from(bytes).toString('latin1'));
        else data.append(name, blob, filename);
        const { status, body } = await ask('POST', '/v1/files', { body: data });
        expect([200, 400]).toContain(status);
        if (status === 200) {
          made += 1;
          expect(await files.retrieveMetadata(String(body['id']))).toEqual(body);
        }
      },
    ),
    { numRuns: 100 },
  );
  expect(made).toBeGreaterThan(5);
  expect(door.ports.blobs.objects.size).toBe(before + made);
});

test('the old beta header gives the old shapes', async () => {
  const { client: old, key } = await strangerWithKey();
  const headers = { 'anthropic-beta': 'other-1, files-api-2025-04-14', 'x-api-key': key };
  const made: string[] = [];
  for (const name of ['1.txt', '2.txt', '3.txt']) {
    made.unshift((await old.beta.files.upload({ file: await toFile(Buffer.from(name), name) })).id);
  }
  const [a = '', b = '', c = ''] = made;
  const one = await ask('GET', `/v1/files/${a}`, { headers });
  expect(one.body).toEqual({
    id: a,
    type: 'file',
    filename: '3.txt',
    mime_type: 'text/plain',
    size_bytes: 5,
    created_at: expect.any(String),
    downloadable: false,
  });
  const list = async (query: string) => {
    const { status, body } = await ask('GET', `/v1/files?${query}`, { headers });
    expect(status).toBe(200);
    const { data, ...edges } = body;
    return { ids: (data as { id: string }[]).map(({ id }) => id), ...edges };
  };
  const first = await list('limit=2');
  expect(first).toEqual({ ids: [a, b], has_more: true, first_id: a, last_id: b });
  expect(await list(`limit=2&after_id=${b}`)).toEqual({
    ids: [c],
    has_more: false,
    first_id: c,
    last_id: c,
  });
  expect((await list(`limit=1&before_id=${c}`)).ids).toEqual([b]);
  expect(await list(`before_id=${b}`)).toMatchObject({ ids: [a], has_more: false });
  expect(await list('scope_id=sesn_none')).toEqual({
    ids: [],
    has_more: false,
    first_id: null,
    last_id: null,
  });
  for (const query of [`after_id=${newId('file')}`, `after_id=${a}&before_id=${b}`, 'page=x']) {
    expect((await ask('GET', `/v1/files?${query}`, { headers })).status).toBe(400);
  }
  const uploaded = await ask('POST', '/v1/files', {
    ...form('name="file"; filename="x.txt"', 'x'),
    headers: { ...headers, 'content-type': 'multipart/form-data; boundary=edge' },
  });
  expect(Object.keys(uploaded.body)).not.toContain('expires_at');
});
