import { toFile } from '@anthropic-ai/sdk';
import type { BetaManagedAgentsUserMessageEventParams } from '@anthropic-ai/sdk/resources/beta/sessions/events';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { fileKey, type ApiFile } from '#shared/api-files/api-file.ts';
import { newId } from '#shared/core/id.ts';
import { limits } from '#shared/core/limits.ts';
import { startSessionRig, type SessionRig } from './session-rig.ts';

/** Files as sources of blocks: what is looked up before an event is taken. */

let rig: SessionRig;
let session_id: string;

beforeAll(async () => {
  rig = await startSessionRig();
  session_id = (await rig.create()).id;
});

beforeEach(() => {
  rig.door.ports.clock.shift_ms = 0;
});

afterAll(async () => {
  await rig.door.stop();
});

async function upload(name: string, expires_in_seconds?: number): Promise<string> {
  const file = await toFile(Buffer.from('content'), name);
  const expiry = expires_in_seconds === undefined ? {} : { expires_in_seconds };
  return (await rig.client.beta.files.upload({ file, ...expiry })).id;
}

/** A file whose size is what its row says: nobody reads its bytes here. */
async function uploadOf(name: string, size_bytes: number): Promise<string> {
  const id = await upload(name);
  const row = (await rig.door.ports.table.get(fileKey(id))) as ApiFile;
  await rig.door.ports.table.transact([{ put: { ...row, size_bytes } }]);
  return id;
}

function messageWith(
  ...blocks: readonly (readonly ['image' | 'document', string])[]
): BetaManagedAgentsUserMessageEventParams {
  const content = blocks.map(([type, file_id]) => ({
    type,
    source: { type: 'file' as const, file_id },
  }));
  return { type: 'user.message', content };
}

async function refusal(event: BetaManagedAgentsUserMessageEventParams) {
  const error = await rig.sessions.events
    .send(session_id, { events: [event] })
    .catch((caught: unknown) => caught);
  const { data } = await rig.sessions.events.list(session_id, { types: ['user.message'] });
  expect(data).toEqual([]);
  return error as { status: number; error: { error: { details?: { error_code: string } } } };
}

test('files that fit their blocks are taken, and the log keeps the file', async () => {
  const session = await rig.create();
  const event = messageWith(
    ['image', await upload('a.webp')],
    ['document', await upload('a.pdf')],
    ['document', await upload('a.csv')],
  );
  const sent = await rig.sessions.events.send(session.id, { events: [event] });
  expect(sent.data?.[0]).toMatchObject(event);
});

test('a file that is unknown, deleted, pending or of the wrong form is not found', async () => {
  const deleted = await upload('a.pdf');
  await rig.client.beta.files.delete(deleted);
  const pending = (await rig.client.post('/v1/reverie/files', {
    body: { filename: 'a.pdf', size_bytes: 1, sha256: 'a'.repeat(64) },
  })) as { file: { id: string } };
  for (const id of [newId('file'), deleted, pending.file.id, 'file_x', newId('session')]) {
    expect(await refusal(messageWith(['document', id]))).toMatchObject({ status: 404 });
  }
});

test('a file that has expired says so', async () => {
  const id = await upload('a.pdf', 3600);
  rig.door.ports.clock.shift_ms = 3_600_001;
  const error = await refusal(messageWith(['document', id]));
  expect(error.status).toBe(404);
  expect(error.error.error.details?.error_code).toBe('file_expired');
});

test.each([
  ['an image as document', 'document', 'a.png', 7],
  ['a text as image', 'image', 'a.txt', 7],
  ['an archive as document', 'document', 'a.zip', 7],
  ['a drawing as image', 'image', 'a.svg', 7],
  ['an empty text', 'document', 'a.txt', 0],
  ['an image that is too large', 'image', 'a.png', limits.source_image_bytes_max + 1],
  ['a text that is too large', 'document', 'a.txt', limits.source_chars_max + 1],
  ['a pdf that is too large', 'document', 'a.pdf', limits.source_files_bytes_max + 1],
] as const)('%s is refused', async (_what, type, name, size_bytes) => {
  const id = await uploadOf(name, size_bytes);
  expect(await refusal(messageWith([type, id]))).toMatchObject({ status: 400 });
});

test('files that no request could carry together are refused', async () => {
  const half = limits.source_files_bytes_max / 2 + 1;
  const [a, b] = [await uploadOf('a.pdf', half), await uploadOf('b.pdf', half)];
  expect(await refusal(messageWith(['document', a], ['document', b]))).toMatchObject({
    status: 400,
  });
});

test('a session is not created with a file that is not there', async () => {
  const before = (await rig.sessions.list()).data.length;
  const initial_events = [messageWith(['image', newId('file')])];
  await expect(rig.create({ initial_events })).rejects.toMatchObject({ status: 404 });
  expect((await rig.sessions.list()).data).toHaveLength(before);
});

test('the file of another workspace is not found', async () => {
  const id = await upload('a.pdf');
  const row = (await rig.door.ports.table.get(fileKey(id))) as ApiFile;
  await rig.door.ports.table.transact([{ put: { ...row, workspace_id: newId('workspace') } }]);
  expect(await refusal(messageWith(['document', id]))).toMatchObject({ status: 404 });
});
