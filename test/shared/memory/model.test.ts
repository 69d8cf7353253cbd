// Goal: whatever is done to a store, it stays what the rules say. Method: random batches against a
// real table and beside it a model in plain memory, which says what each must do; after each batch
// every invariant is looked at in what is stored.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Fault } from '#shared/core/fault.ts';
import type { MemoryOperation } from '#shared/memory/changes.ts';
import type { MemoryRow } from '#shared/memory/memory.ts';
import { readMemories, textOf } from '#shared/memory/read-store.ts';
import { writeMemories } from '#shared/memory/write-memories.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';
import { actor, broken, memoryPorts, putStore, wholeStore, workspace_id } from './store.ts';

let started: StartedTable;
beforeAll(async () => void (started = await startTable()));
afterAll(async () => await started.stop());

/** Few names, so that places are taken, freed, and turned from folders into memories and back. */
const path = fc
  .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 })
  .map((segments) => `/${segments.join('/')}`);
const content = fc.constantFrom('', 'one', 'two', 'large '.repeat(1_000), 'larger '.repeat(2_000));

/** `which` picks a live memory; none is there, it is nothing. */
const step = fc.oneof(
  fc.record({ kind: fc.constant('create' as const), path, content }),
  fc.record(
    { kind: fc.constant('write' as const), which: fc.nat(20), path, content },
    { requiredKeys: ['kind', 'which'] },
  ),
  fc.record({ kind: fc.constant('delete' as const), which: fc.nat(20) }),
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** Paths and texts of a store, by the ids of its memories. */
type Model = Map<string, { readonly path: string; readonly content: string }>;

function operationsOf(steps: readonly Step[], memories: readonly MemoryRow[]): MemoryOperation[] {
  const used = new Set<string>();
  return steps.flatMap((one): MemoryOperation[] => {
    if (one.kind === 'create') return [one];
    const before = memories[one.which % Math.max(memories.length, 1)];
    if (before === undefined || used.has(before.memory_id)) return [];
    used.add(before.memory_id);
    if (one.kind === 'delete') return [{ kind: 'delete', before }];
    const { path: to, content: text } = one;
    return [
      {
        kind: 'write',
        before,
        ...(to === undefined ? {} : { path: to }),
        ...(text === undefined ? {} : { content: text }),
      },
    ];
  });
}

/** What the operations make of the model; undefined when two paths would overlap. */
function applied(model: Model, operations: readonly MemoryOperation[]): Model | undefined {
  const next: Model = new Map(model);
  for (const [index, operation] of operations.entries()) {
    if (operation.kind === 'create') next.set(`new ${index}`, operation);
    else if (operation.kind === 'delete') next.delete(operation.before.memory_id);
    else {
      const { memory_id } = operation.before;
      const before = model.get(memory_id);
      if (before === undefined) throw new Error('the model has lost a memory');
      next.set(memory_id, {
        path: operation.path ?? before.path,
        content: operation.content ?? before.content,
      });
    }
  }
  const paths = [...next.values()].map((memory) => memory.path).toSorted();
  const overlaps = paths.some((one, index) =>
    paths.some((other, at) => at !== index && (one === other || other.startsWith(`${one}/`))),
  );
  return overlaps ? undefined : next;
}

function shownOf(model: Model): string[] {
  return [...model.values()]
    .map((memory) => JSON.stringify([memory.path, memory.content]))
    .toSorted();
}

test('random batches do what the model says, and every invariant holds after each', async () => {
  const ports = memoryPorts(started.table);
  const refused = { written: 0, conflicts: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(step, { minLength: 1, maxLength: 5 }), { minLength: 4, maxLength: 14 }),
      async (batches) => {
        const store_id = await putStore(ports);
        let model: Model = new Map();
        for (const steps of batches) {
          ports.clock.at = new Date(ports.clock.at.getTime() + 1);
          const memories = await readMemories(ports.table, store_id);
          const operations = operationsOf(steps, memories);
          const expected = applied(model, operations);
          const batch = { store_id, workspace_id, operations, actor };
          if (expected === undefined) {
            const before = await wholeStore(ports, store_id);
            await expect(writeMemories(ports, batch)).rejects.toMatchObject({
              kind: 'memory_path_conflict',
            });
            expect(await wholeStore(ports, store_id)).toEqual(before);
            refused.conflicts++;
          } else {
            expect(await writeMemories(ports, batch)).toMatchObject({ outcome: 'written' });
            refused.written++;
            model = await stored(store_id);
            expect(shownOf(model)).toEqual(shownOf(expected));
          }
          expect(await broken(ports, store_id)).toEqual([]);
        }
      },
    ),
    { numRuns: 40 },
  );
  // Both sides of the rules were met, often.
  expect(refused.written).toBeGreaterThan(50);
  expect(refused.conflicts).toBeGreaterThan(50);

  async function stored(store_id: string): Promise<Model> {
    const rows = await readMemories(ports.table, store_id);
    return new Map(
      await Promise.all(
        rows.map(async ({ memory_id, sk, content: held }) => {
          const text = await textOf(ports.blobs, held);
          return [memory_id, { path: sk, content: text }] as const;
        }),
      ),
    );
  }
});

test('what was seen and is gone is said, and nothing is written', async () => {
  const ports = memoryPorts(started.table);
  const store_id = await putStore(ports);
  const batch = { store_id, workspace_id, actor };
  const created = await writeMemories(ports, {
    ...batch,
    operations: [{ kind: 'create', path: '/a', content: 'one' }],
  });
  if (created.outcome !== 'written') throw new Error('it was not written');
  const before = created.changes[0]?.after;
  if (before === undefined) throw new Error('it was not created');
  const write = { kind: 'write', before, content: 'x'.repeat(5_000) } as const;
  expect(await writeMemories(ports, { ...batch, operations: [write] })).toMatchObject({
    outcome: 'written',
  });
  const whole = await wholeStore(ports, store_id);
  for (const operation of [
    { ...write, content: 'y'.repeat(5_000) },
    { ...write, path: '/b' },
    { kind: 'delete', before } as const,
  ]) {
    expect(await writeMemories(ports, { ...batch, operations: [operation] })).toEqual({
      outcome: 'stale',
      stale: [before],
    });
  }
  expect(await wholeStore(ports, store_id)).toEqual(whole);
});

test('each thing that stands in the way is named', async () => {
  const ports = memoryPorts(started.table, { memories_max: 1 });
  const create = { kind: 'create', path: '/a/b', content: '' } as const;
  const tried = async (store_id: string, path: string, other = workspace_id) => {
    const batch = { store_id, workspace_id: other, actor };
    return await writeMemories(ports, { ...batch, operations: [{ ...create, path }] }).then(
      () => undefined,
      (error: unknown) =>
        error instanceof Fault ? [error.kind, error.details, error.fields] : error,
    );
  };
  const one = await putStore(ports);
  expect(await tried(one, '/a/b')).toBeUndefined();
  const [memory] = await readMemories(ports.table, one);
  const conflict = [
    'memory_path_conflict',
    undefined,
    { conflicting_memory_id: memory?.memory_id, conflicting_path: '/a/b' },
  ];
  for (const path of ['/a', '/a/b', '/a/b/c', '/a/b/c/d']) {
    expect([path, await tried(one, path)]).toEqual([path, conflict]);
  }
  const full = ['invalid', { error_code: 'memory_store_full' }, undefined];
  expect(await tried(one, '/a/c')).toEqual(full);
  const at = ports.clock.now().toISOString();
  const archived = await putStore(ports, { archived_at: at });
  expect(await tried(archived, '/a')).toEqual([
    'invalid',
    { error_code: 'memory_store_archived' },
    undefined,
  ]);
  const missing = ['missing', undefined, undefined];
  expect(await tried(await putStore(ports, { deleted_at: at }), '/a')).toEqual(missing);
  expect(await tried(ports.newId('memory_store'), '/a')).toEqual(missing);
  expect(await tried(one, '/b', 'wrkspc_other')).toEqual(missing);
});
