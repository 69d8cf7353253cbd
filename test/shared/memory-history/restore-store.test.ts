// Goal: a restored store is what it was, to the letter. Method: random histories against a real
// table, with what the store held after each deed written down; then restores to every one of those
// times, and every invariant of a store after each.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { restoreStore, type StoreRestore } from '#shared/memory-history/restore-store.ts';
import { readMemories } from '#shared/memory/read-store.ts';
import { redactVersion } from '#shared/memory/versions.ts';
import { writeMemories } from '#shared/memory/write-memories.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';
import {
  actor,
  broken,
  memoryPorts,
  putStore,
  wholeStore,
  type TestMemoryPorts,
} from '../memory/store.ts';
import { call, deeds, heldBy, live, tick } from './history.ts';

let started: StartedTable;
beforeAll(async () => void (started = await startTable()));
afterAll(async () => await started.stop());

function countOf(answer: StoreRestore): number {
  return answer.created_count + answer.modified_count + answer.deleted_count;
}

test('restoring to any time gives what the store held then, whatever happened in between', async () => {
  await fc.assert(
    fc.asyncProperty(deeds, fc.infiniteStream(fc.nat()), async (history, order) => {
      const ports = memoryPorts(started.table);
      const store_id = await putStore(ports);
      const moments = [...(await live(ports, store_id, history))];
      for (const pick of order.take(4)) {
        const [at, held] = moments[pick % moments.length] ?? ['', []];
        tick(ports);
        const before = await heldBy(ports, store_id);
        const planned = await restoreStore(ports, call, { store_id, body: { at, dry_run: true } });
        expect(await heldBy(ports, store_id)).toEqual(before);
        const done = await restoreStore(ports, call, { store_id, body: { at } });
        expect(done).toEqual(planned);
        expect(await heldBy(ports, store_id)).toEqual(held);
        expect(await broken(ports, store_id)).toEqual([]);
        const again = await restoreStore(ports, call, { store_id, body: { at } });
        expect([countOf(again), again.unchanged_count]).toEqual([0, held.length]);
        // What the restore did is history, too.
        moments.push([ports.clock.at.toISOString(), held]);
      }
    }),
    { numRuns: 12 },
  );
}, 120_000);

async function withMemories(
  ports: TestMemoryPorts,
  contents: Readonly<Record<string, string>>,
): Promise<string> {
  const store_id = await putStore(ports);
  await addMemories(ports, store_id, contents);
  return store_id;
}

async function addMemories(
  ports: TestMemoryPorts,
  store_id: string,
  contents: Readonly<Record<string, string>>,
): Promise<void> {
  const operations = Object.entries(contents).map(
    ([path, content]) => ({ kind: 'create', path, content }) as const,
  );
  for (const operation of operations) {
    await writeMemories(ports, { store_id, operations: [operation], actor });
  }
}

async function rowAt(ports: TestMemoryPorts, store_id: string, path: string) {
  const row = (await readMemories(ports.table, store_id)).find(({ sk }) => sk === path);
  if (row === undefined) throw new Error(`nothing at ${path}`);
  return row;
}

test('a redacted version is told and its memory left as it is, and so is whoever is in its way', async () => {
  const ports = memoryPorts(started.table);
  const store_id = await withMemories(ports, { '/a': 'secret', '/b': 'plain', '/c': 'other' });
  const at = ports.clock.at.toISOString();
  tick(ports);
  const a = await rowAt(ports, store_id, '/a');
  const b = await rowAt(ports, store_id, '/b');
  await writeMemories(ports, {
    store_id,
    actor,
    operations: [
      { kind: 'write', before: a, path: '/b/x', content: 'public' },
      { kind: 'write', before: b, path: '/elsewhere' },
      { kind: 'delete', before: await rowAt(ports, store_id, '/c') },
    ],
  });
  await redactVersion(ports, call, { store_id, version_id: a.memory_version_id });
  tick(ports);
  const answer = await restoreStore(ports, call, { store_id, body: { at } });
  expect(answer).toMatchObject({ created_count: 1, modified_count: 0, deleted_count: 0 });
  expect(answer.unavailable).toEqual([
    { memory_id: a.memory_id, path: '/b/x', reason: 'redacted' },
    { memory_id: b.memory_id, path: '/b', reason: 'path_taken' },
  ]);
  expect((await heldBy(ports, store_id)).map((line) => line.split(' ')[0])).toEqual([
    '/b/x',
    '/c',
    '/elsewhere',
  ]);
});

test('a memory whose versions of the time have expired is told and left as it is', async () => {
  const ports = memoryPorts(started.table, { version_days: 30 });
  const store_id = await withMemories(ports, { '/a': 'old', '/b': 'kept' });
  const at = ports.clock.at.toISOString();
  tick(ports);
  const before = await rowAt(ports, store_id, '/a');
  await writeMemories(ports, {
    store_id,
    actor,
    operations: [{ kind: 'write', before, content: 'new' }],
  });
  ports.clock.at = new Date(ports.clock.at.getTime() + 31 * 86_400_000);
  const answer = await restoreStore(ports, call, { store_id, body: { at } });
  expect(answer.unavailable).toEqual([
    { memory_id: before.memory_id, path: '/a', reason: 'expired' },
  ]);
  expect(answer).toMatchObject({ modified_count: 0, deleted_count: 0, unchanged_count: 1 });
  expect((await heldBy(ports, store_id))[0]).toContain('new');
});

test('what others write while it runs is reported and not overwritten', async () => {
  const ports = memoryPorts(started.table);
  const store_id = await withMemories(ports, { '/a': 'a1', '/b': 'b1', '/c': 'c1', '/d': 'd1' });
  const at = ports.clock.at.toISOString();
  tick(ports);
  for (const path of ['/a', '/b', '/c']) {
    const before = await rowAt(ports, store_id, path);
    const operation = { kind: 'write', before, content: 'second' } as const;
    await writeMemories(ports, { store_id, actor, operations: [operation] });
  }
  const d = await rowAt(ports, store_id, '/d');
  await writeMemories(ports, { store_id, actor, operations: [{ kind: 'delete', before: d }] });
  tick(ports);
  // Between the reading and the writing of the restore, somebody else changes /a and takes /d.
  const { table } = ports;
  let is_first = true;
  const racing: TestMemoryPorts = {
    ...ports,
    table: new Proxy(table, {
      get: (target, name) => {
        if (name !== 'transact') return Reflect.get(target, name).bind(target);
        return async (writes: Parameters<typeof table.transact>[0]) => {
          if (is_first) {
            is_first = false;
            const before = await rowAt(ports, store_id, '/a');
            await writeMemories(ports, {
              store_id,
              actor,
              operations: [
                { kind: 'write', before, content: 'theirs' },
                { kind: 'create', path: '/d', content: 'theirs too' },
              ],
            });
          }
          await target.transact(writes);
        };
      },
    }),
  };
  const answer = await restoreStore(racing, call, { store_id, body: { at } });
  expect(answer.conflicts.map(({ path, reason }) => `${path} ${reason}`).toSorted()).toEqual([
    '/a changed',
    '/d path_taken',
  ]);
  expect(answer).toMatchObject({ modified_count: 2, created_count: 0 });
  const texts = (await heldBy(ports, store_id)).map((line) => line.split(' ').slice(2).join(' '));
  expect(texts).toEqual(['theirs', 'b1', 'c1', 'theirs too']);
  expect(await broken(ports, store_id)).toEqual([]);
});

test('a restore of many goes on by its cursor, and a repeated request changes nothing', async () => {
  const ports = memoryPorts(started.table);
  const contents = Object.fromEntries(
    Array.from({ length: 80 }, (_, index) => [`/f${index % 7}/m${index}`, `text ${index}`]),
  );
  const store_id = await putStore(ports);
  const at_empty = ports.clock.at.toISOString();
  tick(ports);
  await addMemories(ports, store_id, contents);
  const at_full = ports.clock.at.toISOString();
  tick(ports);
  const full = await heldBy(ports, store_id);
  await restoreStore(ports, call, { store_id, body: { at: at_empty } });
  expect(await heldBy(ports, store_id)).toEqual([]);
  tick(ports);
  const oneBatch = async (body: { at: string } | { cursor: string }) =>
    await restoreStore(ports, call, { store_id, body, work_ms: 0 });
  const answers = [await oneBatch({ at: at_full })];
  for (let cursor = answers[0]?.next_cursor; typeof cursor === 'string';) {
    const answer = await oneBatch({ cursor });
    expect(await oneBatch({ cursor })).toEqual(answer);
    answers.push(answer);
    cursor = answer.next_cursor;
  }
  expect(answers.length).toBeGreaterThan(2);
  expect(answers.reduce((sum, { created_count }) => sum + created_count, 0)).toBe(80);
  expect(answers.map(({ remaining_count }) => remaining_count)).toEqual(
    answers.map((_, index) =>
      answers.slice(index + 1).reduce((sum, { created_count }) => sum + created_count, 0),
    ),
  );
  expect(await heldBy(ports, store_id)).toEqual(full);
  expect(await broken(ports, store_id)).toEqual([]);
  expect((await wholeStore(ports, store_id)).versions).toHaveLength(240);
  // Nothing that is kept of a restore tells a path: redaction must be for good.
  const agendas = [...ports.blobs.objects].filter(([key]) => key.includes('/restores/'));
  expect(agendas).toHaveLength(1);
  expect(Buffer.from(agendas[0]?.[1] ?? '').toString()).not.toContain('/f');
});
