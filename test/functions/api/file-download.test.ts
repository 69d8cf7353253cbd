import { toFile } from '@anthropic-ai/sdk';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { fileKey, scopeRow, type ApiFile } from '#shared/api-files/api-file.ts';
import { ReverieClient } from '#shared/client/reverie-client.ts';
import { newId, newName } from '#shared/core/id.ts';
import { filesKey, rowOf, type Content } from '#shared/files/entry.ts';
import { sessionKey } from '#shared/sessions/session.ts';
import { checkedClient } from '../../wire/checked-client.ts';
import { startSessionRig, type SessionRig } from './session-rig.ts';

/** Downloads, over rows as agents' tools and uploads leave them. */

let rig: SessionRig;
let files: SessionRig['client']['beta']['files'];

beforeAll(async () => {
  rig = await startSessionRig();
  ({ files } = rig.client.beta);
});

beforeEach(() => {
  rig.door.ports.clock.shift_ms = 0;
});

afterAll(async () => {
  await rig.door.stop();
});

const path = '/mnt/session/outputs/a.txt';

/** A file that an agent has written, in its session and in the Files API. */
async function output(content: Content, size_bytes: number) {
  const session_id = (await rig.create()).id;
  const version = newName();
  const at = new Date().toISOString();
  const entry = {
    kind: 'file',
    path,
    mode: 0o644,
    modified_at: at,
    size_bytes,
    sha256: 'unread',
    content,
    version,
    written_by: { thread_id: 'sthr_1', event_id: 'sevt_1' },
  } as const;
  const file = await made({
    filename: 'a.txt',
    size_bytes,
    scope: { type: 'session', id: session_id },
    source: { path, version },
  });
  await rig.door.ports.table.transact([{ put: rowOf(session_id, entry) }]);
  return { session_id, entry, file };
}

async function made(patch: Partial<ApiFile>): Promise<ApiFile> {
  const { id } = await files.upload({ file: await toFile(Buffer.from('content'), 'x.txt') });
  const row = (await rig.door.ports.table.get(fileKey(id))) as ApiFile;
  const file: ApiFile = { ...row, downloadable: true, ...patch };
  await rig.door.ports.table.transact([{ put: file }]);
  return file;
}

const textOf = async (id: string) => await (await files.download(id)).text();

test('a file that an agent made comes as it is, with its name, type and length', async () => {
  const { file_id } = await made({ filename: 'a "b" ü.txt' });
  const response = await files.download(file_id);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'text/plain',
    'content-length': '7',
    'content-disposition': `attachment; filename="a _b_ _.txt"; filename*=UTF-8''a%20%22b%22%20%C3%BC.txt`,
    'x-content-type-options': 'nosniff',
  });
  expect(await response.text()).toBe('content');
});

test('a file that was uploaded cannot be downloaded', async () => {
  const { file_id } = await made({ downloadable: false });
  await expect(files.download(file_id)).rejects.toMatchObject({ status: 400 });
});

test('an expired file says so, before and after its bytes have gone', async () => {
  const expires_on = new Date(Date.now() + 3_600_000).toISOString();
  const { file_id } = await made({ expires_on });
  expect(await textOf(file_id)).toBe('content');
  rig.door.ports.clock.shift_ms = 3_600_001;
  await expect(files.download(file_id)).rejects.toMatchObject({
    status: 404,
    error: { error: { details: { error_code: 'file_expired' } } },
  });
});

test.each(['unknown', 'pending', 'deleted'] as const)('an %s file is not found', async (state) => {
  const file_id = state === 'unknown' ? newId('file') : (await made({ state })).file_id;
  await expect(files.download(file_id)).rejects.toMatchObject({ status: 404 });
});

test('a file in its row, in a part of an object and without bytes is read from its session', async () => {
  const small = await output({ inline: Buffer.from('in the row') }, 10);
  expect(await textOf(small.file.file_id)).toBe('in the row');
  await rig.door.ports.blobs.put('sessions/pack', Buffer.from('before|of the pack|behind'));
  const packed = await output({ key: 'sessions/pack', offset: 7 }, 11);
  expect(await textOf(packed.file.file_id)).toBe('of the pack');
  const empty = await output({ key: 'sessions/none', offset: 0 }, 0);
  expect(await textOf(empty.file.file_id)).toBe('');
});

test('a version that the session has no more is not found, and neither is a file that it removed', async () => {
  const { session_id, entry, file } = await output({ inline: Buffer.from('old') }, 3);
  const { table } = rig.door.ports;
  await table.transact([{ put: rowOf(session_id, { ...entry, version: newName() }) }]);
  await expect(files.download(file.file_id)).rejects.toMatchObject({ status: 404 });
  await table.deleteMany([{ pk: filesKey(session_id), sk: `F#${path}` }]);
  await expect(files.download(file.file_id)).rejects.toMatchObject({ status: 404 });
});

test('nobody else lists the files of a session', async () => {
  const { session_id, file } = await output({ inline: Buffer.from('x') }, 1);
  const { table } = rig.door.ports;
  await table.transact([{ put: scopeRow(session_id, file) }]);
  const { data } = await files.list({ scope_id: session_id });
  expect(data.map(({ id }) => id)).toEqual([file.file_id]);
  const { secret } = await new ReverieClient(rig.client).apiKeys.create({
    name: 'stranger',
    workspace_id: newId('workspace'),
  });
  const theirs = checkedClient(rig.door.baseURL, secret ?? '').client.beta.files;
  expect((await theirs.list({ scope_id: session_id })).data).toEqual([]);
  await expect(theirs.download(file.file_id)).rejects.toMatchObject({ status: 404 });
});

test('the files of a deleted session are gone at once, whatever is still there of them', async () => {
  const { session_id, file } = await output({ inline: Buffer.from('x') }, 1);
  const { table } = rig.door.ports;
  const { file_id } = file;
  expect((await files.retrieveMetadata(file_id)).scope).toEqual({
    type: 'session',
    id: session_id,
  });
  await table.transact([
    {
      update: sessionKey(session_id),
      expression: 'SET deleted_at = :at',
      condition: 'attribute_exists(pk)',
      values: { ':at': new Date().toISOString() },
    },
  ]);
  await expect(files.retrieveMetadata(file_id)).rejects.toMatchObject({ status: 404 });
  await expect(files.download(file_id)).rejects.toMatchObject({ status: 404 });
  expect((await files.list({ ids: [file_id] })).data).toEqual([]);
  expect((await files.list({ limit: 1_000 })).data.map(({ id }) => id)).not.toContain(file_id);
});
