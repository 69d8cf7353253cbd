// Goal: an archive is a whole store. Method: random histories, exported, imported and exported again.
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { limits } from '#shared/core/limits.ts';
import { exportStore } from '#shared/memory-history/export.ts';
import { importStore } from '#shared/memory-history/import.ts';
import { mayHoldHandwriting } from '#shared/memory/by-hand.ts';
import { sha256Of } from '#shared/memory/content.ts';
import type { MemoryRow } from '#shared/memory/memory.ts';
import { readStore } from '#shared/memory/read-store.ts';
import { sweepStore } from '#shared/memory/sweep-store.ts';
import { redactVersion } from '#shared/memory/versions.ts';
import { writeMemories } from '#shared/memory/write-memories.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';
import { actor, broken, memoryPorts, putStore, wholeStore, workspace_id } from '../memory/store.ts';
import { exported, imported, packed, sample, uploaded } from './archives.ts';
import { call, deeds, heldBy, live, tick } from './history.ts';

let started: StartedTable;
beforeAll(async () => void (started = await startTable()));
afterAll(async () => await started.stop());

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
    { numRuns: 12 },
  );
}, 120_000);

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

test('an imported memory is known to hold handwriting, to be dreamt, and to be as old as it was', async () => {
  const ports = memoryPorts(started.table);
  const store_id = await putStore(ports);
  const dreamer = { type: 'session_actor', session_id: 'sesn_01JAAAAAAAAAAAAAAAAAAAAAAA' } as const;
  const copied = { written_at: '2025-01-02T03:04:05.678Z', may_hold_handwriting: true };
  const operations = [
    { kind: 'create', path: '/copy', content: 'mine', copied } as const,
    { kind: 'create', path: '/dreamt', content: 'its', dreamt_by: 'drm_1' } as const,
  ];
  await writeMemories(ports, { store_id, actor: dreamer, operations });
  const first = await exported(ports, store_id);
  const { memory_store_id } = await imported(ports, first);
  const { versions, memories } = await wholeStore(ports, memory_store_id);
  const of = (path: string) => versions.find((version) => version.path === path);
  expect([of('/copy')?.copied, of('/dreamt')?.dreamt_by]).toEqual([copied, 'drm_1']);
  const held = memories.find(({ sk }) => sk === '/copy');
  expect(await mayHoldHandwriting(ports.table, held as MemoryRow)).toBe(true);
  expect((await exported(ports, memory_store_id)).equals(first)).toBe(true);
});

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

test('a store that Lambda could not stream to its end is refused, and not cut', async () => {
  const ports = memoryPorts(started.table);
  const { store_id } = await sample(ports);
  const { rows } = await ports.table.query({ pk: `PATHS#${store_id}`, from: '/', to: '0' });
  const row = rows.find((one) => 'content_size_bytes' in one);
  if (row === undefined) throw new Error('the sample has a memory');
  await ports.table.transact([{ put: { ...row, content_size_bytes: limits.stream_bytes_max } }]);
  await expect(exportStore(ports, call, store_id)).rejects.toMatchObject({
    kind: 'too_large',
    message: expect.stringMatching(/about 20\d MB; an export ends at 200 MB/),
  });
});

test('a version that is redacted while it is exported breaks the archive off', async () => {
  const ports = memoryPorts(started.table);
  const { store_id } = await sample(ports);
  const { versions } = await wholeStore(ports, store_id);
  const { chunks } = await exportStore(ports, call, store_id);
  const old = versions.find(({ memory_id }) => memory_id === versions.at(-1)?.memory_id);
  await redactVersion(ports, call, { store_id, version_id: old?.memory_version_id ?? '' });
  const reading = (async () => {
    for await (const chunk of chunks) expect(chunk.byteLength).toBeGreaterThan(0);
  })();
  await expect(reading).rejects.toThrow(/size/i);
});
