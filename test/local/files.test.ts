/**
 * Files as they are deployed: with the functions' own permissions, a bucket that checks what is sent
 * to it, and a model that sees what a request really carries.
 */
import Anthropic, { toFile } from '@anthropic-ai/sdk';
import { DynamoDBClient, GetItemCommand, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import type { BetaManagedAgentsUserMessageEventParams } from '@anthropic-ai/sdk/resources/beta/sessions/events';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ReverieClient } from '#shared/client/reverie-client.ts';
import { limits } from '#shared/core/limits.ts';
import { call, say } from '../model/replies.ts';
import { ADMIN_KEY, message, startRig, type Rig } from '../rig.ts';

let rig: Rig;
let folder: string;

beforeAll(async () => {
  rig = await startRig();
  folder = await mkdtemp(join(tmpdir(), 'reverie-files-'));
});

afterAll(async () => {
  await rig.close();
  await rm(folder, { recursive: true, force: true });
});

const MB = 1_000_000;

function withFiles(
  text: string,
  ...blocks: readonly (readonly ['image' | 'document', string])[]
): BetaManagedAgentsUserMessageEventParams {
  const sources = blocks.map(([type, file_id]) => ({
    type,
    source: { type: 'file' as const, file_id },
  }));
  return { type: 'user.message', content: [{ type: 'text', text }, ...sources] };
}

async function upload(name: string, bytes: Uint8Array): Promise<string> {
  return (await rig.client.beta.files.upload({ file: await toFile(bytes, name) })).id;
}

/** The user's blocks of the newest request to the model. */
function seen(): unknown[] {
  const { messages } = rig.model.requests.at(-1)?.body ?? { messages: [] };
  return messages.flatMap(({ role, content }) =>
    role === 'user' && Array.isArray(content) ? content : [],
  );
}

/** Of a file's row, as the administrator sees it: `expired` stands there when its bytes are gone. */
async function stateOf(file_id: string): Promise<string | undefined> {
  const { endpoint, region, credentials } = rig.host.aws;
  const table = new DynamoDBClient({ endpoint, region, credentials });
  const { TableNames = [] } = await table.send(new ListTablesCommand({}));
  const Key = { pk: { S: `FILE#${file_id}` }, sk: { S: 'HEAD' } };
  const { Item } = await table.send(new GetItemCommand({ TableName: TableNames[0], Key }));
  return Item?.['state']?.S;
}

test('files in messages reach the model as their contents, and a deleted one as a line', async () => {
  const png = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), randomBytes(500)]);
  const image = await upload('a.png', png);
  const pdf = await upload('b.pdf', Buffer.from('%PDF-1.7 x'));
  const text = await upload('c.csv', Buffer.from('\uFEFFname\nÄda\n'));
  const session_id = await rig.session();
  rig.model.on('look', say('I see.'));
  const files = [
    ['image', image],
    ['document', pdf],
    ['document', text],
  ] as const;
  await rig.send(session_id, withFiles('look', ...files));
  await rig.rested(session_id);
  const source = (media_type: string, data: Buffer) => ({
    type: 'base64',
    media_type,
    data: data.toString('base64'),
  });
  expect(seen()).toMatchObject([
    { type: 'text', text: 'look' },
    { type: 'image', source: source('image/png', png) },
    { type: 'document', source: source('application/pdf', Buffer.from('%PDF-1.7 x')) },
    {
      type: 'document',
      source: { type: 'text', media_type: 'text/plain', data: 'name\nÄda\n' },
    },
  ]);
  const [first] = (await rig.events(session_id)).filter(({ type }) => type === 'user.message');
  expect(first).toMatchObject(withFiles('look', ...files));

  await rig.client.beta.files.delete(pdf);
  rig.model.on('again', say('One is gone.'));
  await rig.send(session_id, message('again'));
  await rig.rested(session_id, 2);
  expect(seen()).toMatchObject([
    { type: 'text', text: 'look' },
    { type: 'image', source: source('image/png', png) },
    { type: 'text', text: '[The document that stood here is gone.]' },
    { type: 'document' },
    { type: 'text', text: 'again' },
  ]);
  expect(JSON.stringify(rig.model.requests.at(-1)?.body.messages)).not.toContain('file_');
});

test('a session that begins with a file reads it, until it has expired', async () => {
  const made = await rig.client.beta.files.upload({
    file: await toFile(Buffer.from('the plan'), 'plan.txt'),
    expires_in_seconds: 3_600,
  });
  rig.model.on('begin', say('Begun.'));
  const initial_events = [withFiles('begin', ['document', made.id])];
  const session_id = await rig.session({}, { initial_events });
  await rig.rested(session_id);
  expect(seen()).toMatchObject([{ type: 'text' }, { source: { data: 'the plan' } }]);
  await rig.host.advance(3_600_000);
  rig.model.on('go on', say('Gone.'));
  await rig.send(session_id, message('go on'));
  await rig.rested(session_id, 2);
  expect(seen()[1]).toMatchObject({ text: '[The document that stood here is gone.]' });
});

test('a large file goes straight to the bucket, which refuses other bytes', async () => {
  const { files } = new ReverieClient(rig.client);
  const bytes = randomBytes(12 * MB);
  const path = join(folder, 'large.bin');
  await writeFile(path, bytes);
  const progress: number[] = [];
  const made = await files.upload(path, {}, { onProgress: (sent) => progress.push(sent) });
  expect(made).toMatchObject({ filename: 'large.bin', size_bytes: bytes.length, state: 'ready' });
  expect(progress.length).toBeGreaterThan(2);
  expect(progress.at(-1)).toBe(bytes.length);
  expect((await rig.client.beta.files.list()).data.map(({ id }) => id)).toContain(made.id);

  const { size_bytes, sha256 } = made;
  const { file, upload: put } = await files.start({ filename: 'x.bin', size_bytes, sha256 });
  const send = async (body: Buffer) =>
    (
      await fetch(put.url, {
        method: put.method,
        headers: { ...put.headers, 'content-length': String(body.length) },
        body,
      })
    ).status;
  const other = Buffer.from(bytes);
  other[0] = (other[0] ?? 0) ^ 1;
  expect(await send(other)).toBe(400);
  expect(await send(bytes.subarray(1))).toBe(403);
  await expect(files.complete(file.id)).rejects.toMatchObject({ status: 409 });
  expect(await send(bytes)).toBe(200);
  expect((await files.complete(file.id)).state).toBe('ready');
});

test.each([5 * MB, 11 * MB])('a form of %i bytes is told where it goes', async (bytes) => {
  // The gateway answers in our envelope, but ids of requests are its own.
  const client = new Anthropic({ baseURL: rig.host.base_url, apiKey: ADMIN_KEY });
  const file = await toFile(new Uint8Array(bytes), 'large.bin');
  const error = await client.beta.files.upload({ file }).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ status: 413, error: { error: { type: 'invalid_request_error' } } });
  expect(String(error)).toContain('POST /v1/reverie/files');
});

test('the largest form that is said to pass does', async () => {
  const file = await toFile(new Uint8Array(limits.form_file_bytes_max), 'full.bin');
  const made = await rig.client.beta.files.upload({ file });
  expect(made.size_bytes).toBe(limits.form_file_bytes_max);
});

test('an empty file can be uploaded directly', async () => {
  const made = await new ReverieClient(rig.client).files.upload(new Blob([]), {
    filename: 'e.txt',
  });
  expect(made).toMatchObject({ size_bytes: 0, state: 'ready' });
});

test('what reconcile finds due goes with its bytes', async () => {
  const made = await rig.client.beta.files.upload({
    file: await toFile(Buffer.from('soon'), 'soon.txt'),
    expires_in_seconds: 3_600,
  });
  await rig.host.advance(3_660_000);
  await expect.poll(async () => await stateOf(made.id), { timeout: 20_000 }).toBe('expired');
  expect((await rig.client.beta.files.retrieveMetadata(made.id)).id).toBe(made.id);
});

test('what an agent hands over can be listed by its session, read and deleted', async () => {
  const session_id = await rig.session();
  rig.model.on(
    'write',
    call('write', { file_path: '/mnt/session/outputs/réport.md', content: '# Hi\n' }),
    say('Written.'),
    call('read', { file_path: '/mnt/session/outputs/réport.md' }),
    say('Still there.'),
  );
  await rig.send(session_id, message('write'));
  await rig.rested(session_id);
  const { files } = rig.client.beta;
  const { data } = await files.list({ scope_id: session_id });
  expect(data).toMatchObject([
    {
      filename: 'réport.md',
      mime_type: 'text/markdown',
      size_bytes: 5,
      downloadable: true,
      scope: { type: 'session', id: session_id },
    },
  ]);
  const id = data[0]?.id ?? '';
  const response = await files.download(id);
  expect(await response.text()).toBe('# Hi\n');
  expect(response.headers.get('content-type')).toBe('text/markdown');
  expect(response.headers.get('content-disposition')).toBe(
    `attachment; filename="r_port.md"; filename*=UTF-8''r%C3%A9port.md`,
  );
  const mine = await upload('mine.txt', Buffer.from('x'));
  await expect(files.download(mine)).rejects.toMatchObject({ status: 400 });

  await files.delete(id);
  expect((await files.list({ scope_id: session_id })).data).toEqual([]);
  await expect(files.download(id)).rejects.toMatchObject({ status: 404 });
  await rig.send(session_id, message('read'));
  await rig.rested(session_id, 2);
  expect(JSON.stringify(seen())).toContain('# Hi');
});
