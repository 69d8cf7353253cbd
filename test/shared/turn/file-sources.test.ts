import type { BetaMessageParam } from '@anthropic-ai/sdk/resources/beta/messages/messages';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { fileKey, fileObject, type ApiFile } from '#shared/api-files/api-file.ts';
import { newId } from '#shared/core/id.ts';
import { limits } from '#shared/core/limits.ts';
import { StepTooSmall } from '#shared/turn/step-too-small.ts';
import { fillSources, type SourceCache } from '#shared/turn/file-sources.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';
import { MemoryBlobs } from '../../memory-blobs.ts';
import { WORKSPACE_ID } from '../../samples.ts';

/** What a request to the model carries in the place of files. */

let started: StartedTable;
let blobs: MemoryBlobs;
let sources: SourceCache;
let reads_count: number;
let now = new Date('2026-11-21T12:00:00.000Z');

beforeAll(async () => {
  started = await startTable();
});

beforeEach(() => {
  blobs = new MemoryBlobs();
  sources = new Map();
  reads_count = 0;
  now = new Date('2026-11-21T12:00:00.000Z');
  const read = blobs.read.bind(blobs);
  blobs.read = (key, range) => {
    reads_count += 1;
    return read(key, range);
  };
});

afterAll(async () => {
  await started.stop();
});

async function aFile(bytes: Uint8Array, mime_type: string, patch: Partial<ApiFile> = {}) {
  const file_id = newId('file');
  const file: ApiFile = {
    ...fileKey(file_id),
    schema: 1,
    file_id,
    workspace_id: WORKSPACE_ID,
    filename: 'x',
    mime_type,
    size_bytes: bytes.length,
    sha256: 'unread',
    created_at: now.toISOString(),
    expires_on: null,
    state: 'ready',
    downloadable: false,
    scope: null,
    source: { object: fileObject(file_id) },
    ...patch,
  };
  await started.table.transact([{ put: file }]);
  await blobs.put(fileObject(file_id), bytes);
  return file;
}

const ofFile = (type: 'image' | 'document', { file_id }: ApiFile, title?: string) =>
  ({ type, source: { type: 'file', file_id }, ...(title && { title }) }) as const;

const said = (...content: object[]) => ({ role: 'user', content }) as BetaMessageParam;

async function filled(...messages: BetaMessageParam[]): Promise<BetaMessageParam[]> {
  return await filledIn({ is_large: true }, ...messages);
}

async function filledIn(
  size: { readonly is_large: boolean },
  ...messages: BetaMessageParam[]
): Promise<BetaMessageParam[]> {
  const ports = { table: started.table, blobs, sources, clock: { now: () => now }, ...size };
  return await fillSources(ports, WORKSPACE_ID, messages);
}

/** The only block of the only message. */
async function shownFor(type: 'image' | 'document', file: ApiFile, title?: string) {
  const [message] = await filled(said(ofFile(type, file, title)));
  return Array.isArray(message?.content) ? message.content[0] : undefined;
}

const png = Buffer.from('89504e470d0a1a0a', 'hex');

const line = (text: string) => ({ type: 'text', text });

test('the content of a file takes the place of its id, with what else the block has', async () => {
  const pdf = await aFile(Buffer.from('%PDF-'), 'application/pdf');
  expect(await shownFor('document', pdf, 'Plan')).toEqual({
    type: 'document',
    source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' },
    title: 'Plan',
  });
});

test('a conversation without files costs no read', async () => {
  const words = said({ type: 'text', text: 'hi' });
  expect(await filled(words)).toEqual([words]);
  expect(reads_count).toBe(0);
});

test('a file in the result of a tool is filled in, and what stands beside it stays', async () => {
  const image = await aFile(png, 'image/png');
  const result = {
    type: 'tool_result',
    tool_use_id: 'toolu_1',
    content: [{ type: 'text', text: 'a' }, ofFile('image', image)],
  };
  const [message] = await filled(said(result));
  expect(message?.content).toEqual([
    {
      ...result,
      content: [
        { type: 'text', text: 'a' },
        {
          type: 'image',
          source: { type: 'base64', media_type: 'image/png', data: png.toString('base64') },
        },
      ],
    },
  ]);
});

test('a content is read once, and is not shown when its file is gone', async () => {
  const text = await aFile(Buffer.from('words'), 'text/plain');
  expect(await shownFor('document', text)).toMatchObject({ source: { data: 'words' } });
  expect(await shownFor('document', text)).toMatchObject({ source: { data: 'words' } });
  expect(reads_count).toBe(1);
  await started.table.transact([{ put: { ...text, state: 'deleted' } }]);
  expect(await shownFor('document', text)).toEqual(line('[The document that stood here is gone.]'));
});

test('an expired file is a line, by the clock and not by reconcile', async () => {
  const file = await aFile(Buffer.from('x'), 'image/png', { expires_on: now.toISOString() });
  expect(await shownFor('image', file)).toEqual(line('[The image that stood here is gone.]'));
});

test('a file of another workspace is never shown', async () => {
  const file = await aFile(Buffer.from('x'), 'image/png', { workspace_id: newId('workspace') });
  expect(await shownFor('image', file)).toEqual(line('[The image that stood here is gone.]'));
  expect(reads_count).toBe(0);
});

test('a file that is deleted while it is read is a line; a bucket that fails is a failure', async () => {
  const file = await aFile(Buffer.from('x'), 'application/pdf');
  await blobs.delete([fileObject(file.file_id)]);
  await expect(shownFor('document', file, 'Plan')).rejects.toThrow('no object');
  const remove = blobs.get.bind(blobs);
  blobs.get = async (key) => {
    await started.table.deleteMany([fileKey(file.file_id)]);
    return await remove(key);
  };
  expect(await shownFor('document', file, 'Plan')).toEqual(
    line("[The document 'Plan' that stood here is gone.]"),
  );
});

test.each([
  ['89504e470d0a1a0a', 'image/png', 'image/png'],
  ['ffd8ffe000104a464946', 'image/png', 'image/jpeg'],
  [Buffer.from('GIF89a...').toString('hex'), 'image/webp', 'image/gif'],
  [Buffer.from('RIFF1234WEBPVP8 ').toString('hex'), 'image/jpeg', 'image/webp'],
  [Buffer.from('\n\n%PDF-1.4').toString('hex'), 'application/pdf', 'application/pdf'],
])('%s that was uploaded as %s is shown as %s', async (hex, mime_type, media_type) => {
  const file = await aFile(Buffer.from(hex, 'hex'), mime_type);
  const type = mime_type === 'application/pdf' ? 'document' : 'image';
  expect(await shownFor(type, file)).toMatchObject({ source: { media_type } });
});

test.each([
  ['image/png', 'image', '%PDF-1.4'],
  ['image/png', 'image', 'hello'],
  ['application/pdf', 'document', 'hello'],
  ['application/pdf', 'document', 'GIF89a'],
] as const)('%s whose bytes are none is a line', async (mime_type, type, text) => {
  const file = await aFile(Buffer.from(text), mime_type);
  expect(await shownFor(type, file)).toEqual(line(`[The ${type} that stood here is damaged.]`));
});

test('text without words is a line, for no model takes it', async () => {
  const file = await aFile(Buffer.from('\uFEFF\n \n'), 'text/plain');
  expect(await shownFor('document', file)).toEqual(
    line('[The document that stood here is empty.]'),
  );
});

test('the newest files are carried as far as one request holds them', async () => {
  const half = Buffer.alloc(limits.source_files_bytes_max / 2, '%PDF-');
  const pdfs = [
    await aFile(half, 'application/pdf'),
    await aFile(half, 'application/pdf'),
    await aFile(half, 'application/pdf'),
  ] as const;
  const messages = await filled(
    ...pdfs.map((file) => said(ofFile('document', file))),
    said(ofFile('document', pdfs[1])),
  );
  const shown = messages.map(({ content }) => (content as { type: string }[])[0]?.type);
  expect(shown).toEqual(['text', 'document', 'document', 'document']);
  expect(JSON.stringify(messages[0])).toContain('left out: newer files take all the room');
  expect(reads_count).toBe(2);
});

test.each([
  ['large', limits.sources_chars_max, 5],
  ['small', limits.step_sources_chars_max, 1],
])(
  'what the %s step keeps of contents is bounded, the oldest go first',
  async (size, chars_max, least) => {
    const third = Buffer.alloc(Math.floor(limits.source_chars_max * 0.9), 'x');
    const ids: string[] = [];
    for (let n = 0; n < 9; n++) {
      const file = await aFile(third, 'text/plain');
      ids.push(file.file_id);
      await filledIn({ is_large: size === 'large' }, said(ofFile('document', file)));
    }
    const kept = [...sources.values()].reduce((sum, { length }) => sum + length, 0);
    expect(kept).toBeLessThanOrEqual(chars_max);
    expect([...sources.keys()]).toEqual(ids.slice(-sources.size));
    expect(sources.size).toBeGreaterThan(least);
  },
);

test('files that are too much for the small step are for the large one, and none is loaded to see that', async () => {
  const half = Math.ceil((limits.step_source_bytes_max + 1) / 2);
  const pdf = async () =>
    await aFile(Buffer.from('%PDF-'), 'application/pdf', { size_bytes: half });
  const [one, two] = [await pdf(), await pdf()];
  const small = { is_large: false };
  const both = said(ofFile('document', one), ofFile('document', two));
  await expect(filledIn(small, both)).rejects.toThrow(StepTooSmall);
  expect(reads_count).toBe(0);
  expect(await filledIn(small, said(ofFile('document', one)))).toHaveLength(1);
  expect(await filledIn({ is_large: true }, both)).toHaveLength(1);
});
