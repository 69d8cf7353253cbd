import { expect, test } from 'vitest';
import { Fault } from '#shared/core/fault.ts';
import type { Write } from '#shared/core/table.ts';
import { changeOf, type MemoryOperation } from '#shared/memory/changes.ts';
import type { MemoryRow } from '#shared/memory/memory.ts';
import { planMemories, shrinkingFolders } from '#shared/memory/plan.ts';
import { actor } from './store.ts';

/** What a batch of operations becomes: each write in a few words, versions and pointers apart. */

const store_id = 'memstore_1';
const now = new Date('2026-11-21T12:00:00.000Z');

let count = 0;
const facts = {
  store_id,
  actor,
  now,
  newId: (noun: string) => `${noun}_${++count}`,
};

function row(path: string): MemoryRow {
  const { after } = changeOf({ kind: 'create', path, content: path }, facts);
  if (after === undefined) throw new Error('a creation has a row');
  return { ...after, memory_id: `m${path}`, memory_version_id: `v${path}` };
}

const create = (path: string): MemoryOperation => ({ kind: 'create', path, content: 'new' });
const rename = (from: string, path: string): MemoryOperation => ({
  kind: 'write',
  before: row(from),
  path,
});
const write = (path: string): MemoryOperation => ({
  kind: 'write',
  before: row(path),
  content: 'changed',
});
const remove = (path: string): MemoryOperation => ({ kind: 'delete', before: row(path) });

/** `folders` are the counts as they are read before the transaction. */
function planned(
  operations: readonly MemoryOperation[],
  folders: Readonly<Record<string, number>> = {},
  more: { readonly expires_at?: string; readonly workspace_id?: string } = {},
) {
  const changes = operations.map((operation) => changeOf(operation, facts));
  const folder_counts = new Map(Object.entries(folders));
  expect(shrinkingFolders(changes).toSorted()).toEqual([...folder_counts.keys()].toSorted());
  const plan = planMemories(changes, {
    store_id,
    memories_max: 10,
    folder_counts,
    changed_at: '2026-11-20T10:00:00.000Z',
    ...more,
  });
  const keys = plan.map(({ write: one }) => Object.values(keyOf(one)).join(' '));
  expect(new Set(keys).size).toBe(keys.length);
  return plan.map(({ write: one }) => one);
}

function keyOf(one: Write): { pk: string; sk: string } {
  if ('put' in one) return { pk: one.put.pk, sk: one.put.sk };
  if ('delete' in one) return one.delete;
  return 'check' in one ? one.check : one.update;
}

/** The writes on paths, in words. */
function paths(writes: readonly Write[]): string[] {
  return writes.flatMap((one) => {
    const { pk, sk } = keyOf(one);
    return pk.startsWith('PATHS#') ? [`${sk} ${whatOf(one)} ${whenOf(one)}`] : [];
  });
}

function whatOf(one: Write): string {
  if ('put' in one) {
    const { kind, below_count } = one.put;
    return kind === 'folder' ? `folder of ${String(below_count)}` : 'memory';
  }
  if ('delete' in one) return 'gone';
  const growth = Number('update' in one ? one.values?.[':growth'] : 0);
  return growth > 0 ? `+${growth}` : `${growth}`;
}

function whenOf(one: Write): string {
  const values = (one.values ?? {}) as Readonly<Record<string, string | number | undefined>>;
  const { ':seen': seen, ':count': exact, ':leaving': leaving } = values;
  if (seen !== undefined) return `if ${seen}`;
  if (exact !== undefined) return `if it has ${exact}`;
  if (leaving !== undefined) return `if it has more than ${leaving}`;
  return one.condition === 'attribute_not_exists(pk)' ? 'if free' : 'if no memory';
}

test.each<[string, MemoryOperation[], Record<string, number>, string[]]>([
  ['a creation at the root', [create('/a')], {}, ['/a memory if free']],
  [
    'a creation in folders',
    [create('/a/b/c')],
    {},
    ['/a +1 if no memory', '/a/b +1 if no memory', '/a/b/c memory if free'],
  ],
  [
    'two creations in one folder',
    [create('/a/b'), create('/a/c')],
    {},
    ['/a +2 if no memory', '/a/b memory if free', '/a/c memory if free'],
  ],
  ['a new content', [write('/a/b')], {}, ['/a/b memory if v/a/b']],
  [
    'a deletion that empties a folder',
    [remove('/a/b')],
    { '/a': 1 },
    ['/a gone if it has 1', '/a/b gone if v/a/b'],
  ],
  [
    'a deletion that leaves others',
    [remove('/a/b')],
    { '/a': 2 },
    ['/a -1 if it has more than 1', '/a/b gone if v/a/b'],
  ],
  [
    'a rename in its folder',
    [rename('/a/b', '/a/c')],
    {},
    ['/a/b gone if v/a/b', '/a/c memory if free'],
  ],
  [
    'a rename to another folder',
    [rename('/a/b', '/c/d')],
    { '/a': 1 },
    ['/a gone if it has 1', '/a/b gone if v/a/b', '/c +1 if no memory', '/c/d memory if free'],
  ],
  [
    'a rename below itself',
    [rename('/a', '/a/b')],
    {},
    ['/a folder of 1 if v/a', '/a/b memory if free'],
  ],
  [
    'a rename to its folder',
    [rename('/a/b', '/a')],
    {},
    ['/a memory if it has 1', '/a/b gone if v/a/b'],
  ],
  [
    'a swap',
    [rename('/a', '/b'), rename('/b', '/a')],
    {},
    ['/a memory if v/a', '/b memory if v/b'],
  ],
  [
    'a deletion and a creation at its place',
    [remove('/a'), create('/a')],
    {},
    ['/a memory if v/a'],
  ],
  [
    'a folder that becomes a memory',
    [remove('/a/b'), remove('/a/c'), create('/a')],
    {},
    ['/a memory if it has 2', '/a/b gone if v/a/b', '/a/c gone if v/a/c'],
  ],
  [
    'a folder that loses one and gets one',
    [remove('/a/b'), create('/a/c')],
    {},
    ['/a/b gone if v/a/b', '/a/c memory if free'],
  ],
])('%s', (_, operations, folders, expected) => {
  expect(paths(planned(operations, folders)).toSorted()).toEqual(expected);
});

test('what changes nothing is not written, beside what does', () => {
  expect(planned([rename('/a', '/a')])).toEqual([]);
  expect(paths(planned([rename('/a', '/a'), write('/b')]))).toEqual(['/b memory if v/b']);
});

test.each<[string, MemoryOperation[]]>([
  ['one path twice', [create('/a'), create('/a')]],
  ['a path and one below it', [create('/a'), create('/a/b')]],
  ['a path below one that stays', [write('/a'), create('/a/b')]],
  ['a folder of one that stays', [write('/a/b'), create('/a')]],
])('two changes that want %s are refused before anything is written', (_, operations) => {
  for (const batch of [operations, operations.toReversed()]) {
    expect(() => planned(batch)).toThrow(Fault);
  }
});

test('pointers move with the path, and only with it', () => {
  const pointers = (operations: MemoryOperation[], folders = {}) =>
    planned(operations, folders).flatMap((one) => {
      const { sk } = keyOf(one);
      if (!sk.startsWith('M#')) return [];
      return [`${sk} ${'put' in one ? String(one.put['path']) : 'gone'} ${one.condition ?? ''}`];
    });
  expect(pointers([write('/a')])).toEqual([]);
  expect(pointers([rename('/a', '/b')])).toEqual(['M#m/a /b ']);
  expect(pointers([remove('/a')])).toEqual(['M#m/a gone ']);
  expect(pointers([create('/a')])).toEqual([
    expect.stringMatching(/^M#memory_\d+ \/a attribute_not_exists\(pk\)$/),
  ]);
});

test('the head counts what comes and goes, and asks only for what the batch needs', () => {
  const head = (operations: MemoryOperation[], folders = {}, more = {}) => {
    const [one] = planned(operations, folders, more);
    if (one === undefined || !('update' in one)) throw new Error('the head is the first write');
    return [one.values?.[':growth'], one.condition, one.values?.[':room']];
  };
  const live = 'deleted_at = :null AND archived_at = :null';
  expect(head([write('/a')])).toEqual([0, live, undefined]);
  expect(head([remove('/a')])).toEqual([-1, 'deleted_at = :null', undefined]);
  expect(head([remove('/a'), create('/b')])).toEqual([0, live, undefined]);
  const grows = `${live} AND memories_count <= :room`;
  expect(head([create('/a'), create('/b')])).toEqual([2, grows, 8]);
  expect(head([remove('/a')], {}, { workspace_id: 'w' })).toEqual([
    -1,
    'deleted_at = :null AND workspace_id = :workspace',
    undefined,
  ]);
});

test('a version goes once a later one has taken over, and one that says so at once; a head stays', () => {
  const expires_at = '2026-12-21T12:00:00.000Z';
  const expiring = (operations: MemoryOperation[]) =>
    planned(operations, {}, { expires_at }).flatMap((one) => {
      const { pk, sk } = keyOf(one);
      if (!pk.startsWith('MEMVERS#')) return [];
      const place = 'put' in one ? one.put['gsi2sk'] : one.values?.[':place'];
      return [[sk.replace(/\d+$/, ''), place]];
    });
  expect(expiring([create('/a')])).toEqual([['memory_version_', undefined]]);
  expect(expiring([write('/a')])).toEqual([
    ['memory_version_', undefined],
    ['v/a', `${expires_at}#v/a`],
  ]);
  expect(expiring([remove('/a')])).toEqual([
    ['memory_version_', expect.stringContaining(expires_at)],
    ['v/a', `${expires_at}#v/a`],
  ]);
});

test('a version is later than the one before it, also when the clock is behind', () => {
  const before = { ...row('/a'), updated_at: '2026-11-21T12:00:05.000Z' };
  const times: unknown[] = [];
  const { after, version } = changeOf(
    { kind: 'write', before, content: 'x' },
    { ...facts, newId: (noun, at_ms) => (times.push(at_ms), noun) },
  );
  expect(after?.updated_at).toBe('2026-11-21T12:00:05.001Z');
  expect(version?.created_at).toBe(after?.updated_at);
  expect(times).toEqual([Date.parse('2026-11-21T12:00:05.001Z')]);
});
