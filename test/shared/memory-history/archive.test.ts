// Goal: an archive is a whole store. Method: random histories, exported, imported and exported again;
// and archives that lie, each in one way, which must be refused by name and leave nothing behind.
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { packTar, unpackTar, type TarHeader } from 'modern-tar';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fileKey, fileListKeys, fileObject, type ApiFile } from '#shared/api-files/api-file.ts';
import { Fault } from '#shared/core/fault.ts';
import { exportStore } from '#shared/memory-history/export.ts';
import { importStore, type StoreImport } from '#shared/memory-history/import.ts';
import { sha256Of } from '#shared/memory/content.ts';
import { readMemories, readStore } from '#shared/memory/read-store.ts';
import { sweepStore } from '#shared/memory/sweep-store.ts';
import { redactVersion } from '#shared/memory/versions.ts';
import { writeMemories } from '#shared/memory/write-memories.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';
import {
  actor,
  broken,
  memoryPorts,
  putStore,
  wholeStore,
  workspace_id,
  type TestMemoryPorts,
} from '../memory/store.ts';
import { call, deeds, heldBy, live, tick } from './history.ts';

let started: StartedTable;
beforeAll(async () => void (started = await startTable()));
afterAll(async () => await started.stop());

async function exported(ports: TestMemoryPorts, store_id: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of (await exportStore(ports, call, store_id)).chunks) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function uploaded(ports: TestMemoryPorts, bytes: Uint8Array): Promise<string> {
  const file_id = ports.newId('file');
  const created_at = ports.clock.now().toISOString();
  const file: ApiFile = {
    ...fileKey(file_id),
    schema: 1,
    file_id,
    workspace_id,
    filename: 'store.tar',
    mime_type: 'application/x-tar',
    size_bytes: bytes.byteLength,
    sha256: sha256Of(''),
    created_at,
    expires_on: null,
    state: 'ready',
    downloadable: false,
    scope: null,
    source: { object: fileObject(file_id) },
    ...fileListKeys({ workspace_id, file_id, created_at }),
  };
  await ports.table.transact([{ put: file }]);
  await ports.blobs.put(fileObject(file_id), bytes);
  return file_id;
}

async function imported(ports: TestMemoryPorts, bytes: Uint8Array): Promise<StoreImport> {
  const file_id = await uploaded(ports, bytes);
  return await importStore(ports, call, { body: { file_id } });
}

test('export, import and export again gives the same bytes, and a store that keeps all rules', async () => {
  await fc.assert(
    fc.asyncProperty(deeds, fc.nat(), async (history, pick) => {
      const ports = memoryPorts(started.table);
      const metadata = { b: '2', a: '1' };
      const store_id = await putStore(ports, { name: 'Ünï', description: 'what it is', metadata });
      await live(ports, store_id, history);
      const { versions, memories } = await wholeStore(ports, store_id);
      const current = new Set(memories.map(({ memory_version_id }) => memory_version_id));
      const old = versions.filter(({ memory_version_id }) => !current.has(memory_version_id));
      const version_id = old[pick % Math.max(old.length, 1)]?.memory_version_id;
      if (version_id !== undefined) await redactVersion(ports, call, { store_id, version_id });
      const held = await heldBy(ports, store_id);
      const first = await exported(ports, store_id);
      expect((await exported(ports, store_id)).equals(first)).toBe(true);
      tick(ports);
      const answer = await imported(ports, first);
      expect(answer).toMatchObject({ imported_count: versions.length, next_cursor: null });
      const copy = answer.memory_store_id;
      expect(await heldBy(ports, copy)).toEqual(held);
      // A redacted or returning version is in no order that `broken` knows of a fresh store.
      expect(await broken(ports, copy)).toEqual(await broken(ports, store_id));
      expect((await exported(ports, copy)).equals(first)).toBe(true);
    }),
    { numRuns: 25 },
  );
}, 120_000);

interface File {
  readonly header: TarHeader;
  readonly body: string | Uint8Array;
}

const PATHS = ['/notes/a.md', '/notes/b.md', '/große Wörter/記憶'];

/** A store with some history, and the files of its archive. */
async function sample(ports: TestMemoryPorts) {
  const store_id = await putStore(ports);
  for (const path of PATHS) {
    const operation = { kind: 'create', path, content: `text of ${path}\n` } as const;
    await writeMemories(ports, { store_id, actor, operations: [operation] });
  }
  tick(ports);
  const [before] = await readMemories(ports.table, store_id);
  if (before === undefined) throw new Error('no memory');
  const operation = { kind: 'write', before, content: 'changed '.repeat(1_000) } as const;
  await writeMemories(ports, { store_id, actor, operations: [operation] });
  const bytes = await exported(ports, store_id);
  const files: File[] = (await unpackTar(bytes)).map(({ header, data }) => ({
    header,
    body: data ?? '',
  }));
  return { store_id, bytes, files };
}

test('an archive holds the memories as files, byte for byte, and the history as lines', async () => {
  const ports = memoryPorts(started.table);
  const { files } = await sample(ports);
  expect(files.map(({ header }) => header.name)).toEqual([
    'store.json',
    'memories/große Wörter/記憶',
    'memories/notes/a.md',
    'memories/notes/b.md',
    'history.jsonl',
    'index.jsonl',
  ]);
  const text = (name: string): string =>
    Buffer.from(files.find(({ header }) => header.name === name)?.body ?? '').toString();
  expect(text('memories/notes/a.md')).toBe('text of /notes/a.md\n');
  expect(JSON.parse(text('store.json'))).toMatchObject({ name: 'a store', metadata: {} });
  const lines = text('history.jsonl').trimEnd().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as { operation: string }).operation)).toEqual([
    'created',
    'created',
    'created',
    'modified',
  ]);
  expect(JSON.parse(text('index.jsonl').split('\n')[1] ?? '')).toMatchObject({
    path: '/notes/a.md',
    content_sha256: sha256Of('text of /notes/a.md\n'),
  });
  const mtime = files.find(({ header }) => header.name === 'memories/große Wörter/記憶')?.header
    .mtime;
  expect(mtime?.toISOString()).toBe('2026-11-21T12:00:01.000Z');
});

async function packed(files: readonly File[]): Promise<Uint8Array> {
  return await packTar(
    files.map(({ header, body }) => {
      const bytes = Buffer.from(body);
      return { header: { ...header, size: bytes.byteLength }, body: bytes };
    }),
  );
}

/** Change the text of one file. */
function edit(name: string, change: (text: string) => string) {
  return (files: readonly File[]): File[] =>
    files.map((file) =>
      file.header.name === name
        ? { ...file, body: change(Buffer.from(file.body).toString()) }
        : file,
    );
}

function add(header: Partial<TarHeader> & { name: string }, body: string | Uint8Array = 'text') {
  return (files: readonly File[]): File[] =>
    files.toSpliced(1, 0, { header: { size: 0, mtime: new Date(0), ...header }, body });
}

const lies: readonly [what: string, lie: (files: readonly File[]) => File[], said: RegExp][] = [
  ['a path that leaves the store', add({ name: 'memories/../../etc/passwd' }), /segment/],
  ['an absolute path', add({ name: '/etc/passwd' }), /no file of an export/],
  ['a symbolic link', add({ name: 'memories/x', type: 'symlink', linkname: '/' }, ''), /a symlink/],
  ['a hard link', add({ name: 'memories/x', type: 'link', linkname: 'store.json' }, ''), /a link/],
  ['a device', add({ name: 'memories/x', type: 'character-device' }, ''), /character-device/],
  ['a file of its own', add({ name: 'README.md' }), /'README.md' is no file of an export/],
  ['bytes that are no text', add({ name: 'memories/x' }, new Uint8Array([0xc3, 0x28])), /UTF-8/],
  ['a memory that is too large', add({ name: 'memories/x' }, 'x'.repeat(102_401)), /102400 bytes/],
  ['a file twice', (files) => files.toSpliced(2, 0, ...files.slice(1, 2)), /another one/],
  ['a memory below another', add({ name: 'memories/notes/a.md/x' }), /another one/],
  ['a file that no line names', add({ name: 'memories/x' }), /not in the index/],
  ['another text', edit('memories/notes/a.md', () => 'else'), /another hash than the file/],
  [
    'no history',
    (files) => files.filter(({ header }) => header.name !== 'history.jsonl'),
    /wrong place/,
  ],
  ['no index', (files) => files.slice(0, -1), /'index.jsonl' is missing/],
  ['no store', (files) => files.slice(1), /wrong place/],
  ['the index first', (files) => [...files.slice(-1), ...files.slice(0, -1)], /wrong place/],
  [
    'a store with more fields',
    edit('store.json', (text) => text.replace('{', '{"x":1,')),
    /wrong ''/,
  ],
  ['history that is no JSON', edit('history.jsonl', () => 'nonsense\n'), /line 1 .* not JSON/],
  [
    'a history without its last line end',
    edit('history.jsonl', (text) => text.slice(0, -1)),
    /has no end/,
  ],
  [
    'a history that is cut',
    edit('history.jsonl', (text) => text.slice(0, text.indexOf('\n') + 1)),
    /else than the history/,
  ],
  [
    'a history out of order',
    edit('history.jsonl', (text) => text.split('\n').slice(0, -1).toReversed().join('\n') + '\n'),
    /order of its id/,
  ],
  [
    'a version twice',
    edit('history.jsonl', (text) => text.slice(0, text.indexOf('\n') + 1) + text),
    /order of its id/,
  ],
  [
    'another time',
    edit('history.jsonl', (text) => text.replace('T12:00:00.000Z', 'T11:00:00.000Z')),
    /another time/,
  ],
  [
    'another text in the history',
    edit('history.jsonl', (text) => text.replace('text of', 'test of')),
    /another hash/,
  ],
  [
    'another size in the history',
    edit('history.jsonl', (text) =>
      text.replace(/"content_size_bytes":\d+/, '"content_size_bytes":1'),
    ),
    /another size/,
  ],
  [
    'a creation that is a change',
    edit('history.jsonl', (text) => text.replace('"modified"', '"created"')),
    /created before/,
  ],
  [
    'a text of the deleted',
    edit('history.jsonl', (text) => text.replace('"modified"', '"deleted"')),
    /deletes a memory, and has a content/,
  ],
  [
    'a redaction by nobody',
    edit('history.jsonl', (text) =>
      text.replace('"redacted_at":null', '"redacted_at":"2026-11-21T12:00:00.000Z"'),
    ),
    /redacted by nobody/,
  ],
  [
    'a bad path in the history',
    edit('history.jsonl', (text) => text.replace('"/notes/a.md"', '"notes/a.md"')),
    /wrong path/,
  ],
  [
    'an index of another version',
    edit('index.jsonl', (text) => text.replace(/memver_\w{26}/, `memver_${'0'.repeat(26)}`)),
    /else than the history/,
  ],
  [
    'an index of another time',
    edit('index.jsonl', (text) => text.replace('T12:00:00.000Z', 'T11:00:00.000Z')),
    /another created_at/,
  ],
  [
    'an index with a line twice',
    edit('index.jsonl', (text) => text.slice(0, text.indexOf('\n') + 1) + text),
    /names a memory twice/,
  ],
  [
    'an index that leaves one out',
    edit('index.jsonl', (text) => text.slice(text.indexOf('\n') + 1)),
    /not in the index/,
  ],
];

test.each(lies)(
  'an archive with %s is refused by name, and nothing of it is left',
  async (_, lie, said) => {
    const ports = memoryPorts(started.table);
    const { files } = await sample(ports);
    const file_id = await uploaded(ports, await packed(lie(files)));
    const objects = ports.blobs.objects.size;
    const attempt = importStore(ports, call, { body: { file_id } });
    await expect(attempt).rejects.toThrow(said);
    await expect(attempt).rejects.toMatchObject({ kind: 'invalid' });
    expect(ports.blobs.objects.size).toBe(objects);
  },
);

test('whatever bytes are uploaded, they are refused as no archive', async () => {
  const ports = memoryPorts(started.table);
  const { bytes } = await sample(ports);
  const garbage = fc.oneof(
    fc.uint8Array({ maxLength: 3_000 }),
    fc.nat(bytes.byteLength - 1_024).map((size) => bytes.subarray(0, size)),
    fc
      .tuple(fc.nat(bytes.byteLength - 1_025), fc.integer({ min: 1, max: 255 }))
      .map(([at, by]) => Buffer.from(bytes).fill((bytes[at] ?? 0) ^ by, at, at + 1)),
  );
  await fc.assert(
    fc.asyncProperty(garbage, async (data) => {
      try {
        await imported(ports, data);
      } catch (error) {
        expect(error).toBeInstanceOf(Fault);
        expect(error).toMatchObject({ kind: 'invalid' });
      }
    }),
    { numRuns: 200 },
  );
}, 60_000);

test('an archive that somebody has unpacked and packed anew is taken', async () => {
  const ports = memoryPorts(started.table);
  const { files, bytes } = await sample(ports);
  const again = [
    ...files.slice(0, 1),
    { header: { name: 'memories/', size: 0, type: 'directory' as const }, body: '' },
    ...files.slice(1, -2).toReversed(),
    ...files.slice(-2),
  ];
  const { memory_store_id } = await imported(ports, await packed(again));
  expect((await exported(ports, memory_store_id)).equals(bytes)).toBe(true);
});

test('an import goes on by its cursor; until its end nobody sees the store, and a repeat changes nothing', async () => {
  const ports = memoryPorts(started.table);
  const store_id = await putStore(ports);
  const operations = Array.from({ length: 18 }, (_, index) => index);
  for (const round of operations) {
    const contents = Array.from({ length: 30 }, (_, index) => `/r${round}/m${index}`);
    const batch = contents.map((path) => ({ kind: 'create', path, content: path }) as const);
    await writeMemories(ports, { store_id, actor, operations: batch });
  }
  const file_id = await uploaded(ports, await exported(ports, store_id));
  const step = async (body: { file_id: string; name: string } | { cursor: string }) =>
    await importStore(ports, call, { body, work_ms: 0 });
  const answers = [await step({ file_id, name: 'a copy' })];
  const id = answers[0]?.memory_store_id ?? '';
  for (let cursor = answers[0]?.next_cursor; typeof cursor === 'string';) {
    await expect(readStore(ports.table, workspace_id, id)).rejects.toThrow('not found');
    const answer = await step({ cursor });
    expect(await step({ cursor })).toEqual(answer);
    answers.push(answer);
    cursor = answer.next_cursor;
  }
  expect(answers.map(({ imported_count }) => imported_count)).toEqual([200, 400, 540]);
  expect(await readStore(ports.table, workspace_id, id)).toMatchObject({
    name: 'a copy',
    memories_count: 540,
  });
  expect(await broken(ports, id)).toEqual([]);
  expect([...ports.blobs.objects.keys()].filter((key) => key.includes(id))).toEqual([]);
  // And it is a store like any other.
  const operation = { kind: 'create', path: '/new', content: 'x' } as const;
  await writeMemories(ports, { store_id: id, actor, operations: [operation] });
  expect(await broken(ports, id)).toEqual([]);
});

test('an import that is given up is swept after a day, and cannot be gone on with', async () => {
  const ports = memoryPorts(started.table);
  const store_id = await putStore(ports);
  for (let round = 0; round < 8; round++) {
    const paths = Array.from({ length: 30 }, (_, index) => `/r${round}/m${index}`);
    const batch = paths.map((path) => ({ kind: 'create', path, content: path }) as const);
    await writeMemories(ports, { store_id, actor, operations: batch });
  }
  const file_id = await uploaded(ports, await exported(ports, store_id));
  const first = await importStore(ports, call, { body: { file_id }, work_ms: 0 });
  const due = await ports.table.query({ pk: 'DELETED', from: '!', to: '~', index: 'running' });
  const [row] = due.rows.filter(({ pk }) => pk.includes(first.memory_store_id));
  expect(String(row?.['gsi2sk'])).toMatch(/^2026-11-22T/);
  ports.clock.at = new Date(ports.clock.at.getTime() + 86_400_001);
  const late = importStore(ports, call, { body: { cursor: first.next_cursor } });
  await expect(late).rejects.toThrow('under way');
  expect(await sweepStore(ports, first.memory_store_id, () => false)).toBe(true);
  expect((await wholeStore(ports, first.memory_store_id)).versions).toEqual([]);
});

test('a store of many large memories is exported in pieces, at the pace of its reader', async () => {
  const ports = memoryPorts(started.table);
  const store_id = await putStore(ports);
  for (let index = 0; index < 40; index++) {
    const content = randomBytes(50_000).toString('hex');
    const operation = { kind: 'create', path: `/m${index}`, content } as const;
    await writeMemories(ports, { store_id, actor, operations: [operation] });
  }
  let read_count = 0;
  const { blobs } = ports;
  const counting = Object.assign(Object.create(blobs) as typeof blobs, {
    get: async (key: string) => {
      read_count += 1;
      return await blobs.get(key);
    },
  });
  const { chunks } = await exportStore({ ...ports, blobs: counting }, call, store_id);
  const surveyed = read_count;
  const iterator = chunks[Symbol.asyncIterator]();
  let largest = 0;
  for (let bytes = 0; bytes < 500_000;) {
    const { value } = await iterator.next();
    largest = Math.max(largest, value?.byteLength ?? 0);
    bytes += value?.byteLength ?? 0;
  }
  expect(surveyed).toBe(40);
  expect(read_count - surveyed).toBeLessThanOrEqual(32);
  expect(largest).toBeLessThanOrEqual(200_000);
  await iterator.return?.(undefined);
});

test('a version that is redacted while it is exported breaks the archive off', async () => {
  const ports = memoryPorts(started.table);
  const { store_id } = await sample(ports);
  const { versions } = await wholeStore(ports, store_id);
  const version_id = versions[0]?.memory_version_id ?? '';
  const { chunks } = await exportStore(ports, call, store_id);
  const redactable = versions.find(({ sk }) => sk !== version_id) ?? versions[0];
  expect(redactable).toBeDefined();
  const old = versions.find(({ memory_id }) => memory_id === versions.at(-1)?.memory_id);
  await redactVersion(ports, call, { store_id, version_id: old?.memory_version_id ?? '' });
  const reading = (async () => {
    for await (const chunk of chunks) expect(chunk.byteLength).toBeGreaterThanOrEqual(0);
  })();
  await expect(reading).rejects.toThrow();
});
