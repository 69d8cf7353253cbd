// Goal: whatever operations a model proposes, every memory of the input has one true end.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '#shared/core/limits.ts';
import { applyOperations, BrokenLedger } from '#shared/dreams/apply-operations.ts';
import { checkLedger } from '#shared/dreams/check-ledger.ts';
import type { Operation } from '#shared/dreams/operation.ts';
import { structureFaults } from '#shared/dreams/structure.ts';
import { INDEX_PATH } from '#shared/playbooks/index-page.ts';
import { aMemory, anOperation, aSnapshot, OLD } from './samples.ts';

const store = aSnapshot(
  aMemory('/a.md', 'alpha'),
  aMemory('/b.md', 'beta'),
  aMemory('/c.md', 'gamma'),
  aMemory('/d/e.md', 'delta'),
);
const loser = { text: 'gamma', at: OLD };
const one = [
  anOperation('c1', {
    op: 'merge',
    paths: ['/a.md', '/b.md'],
    path: '/a.md',
    text: 'ab',
    removed: [],
  }),
  anOperation('c2', { op: 'supersede', path: '/c.md', by_path: '/notes/c.md', text: 'new', loser }),
  anOperation('c3', { op: 'retire', path: '/d/e.md' }),
  anOperation('c4', { op: 'add', path: '/notes/n.md', text: '# New\n' }),
];

describe('applying operations', () => {
  test('gives every memory one end, and an index of what is left', () => {
    const { next, ledger, edits } = applyOperations(store, one);
    expect([...next.keys()].toSorted()).toEqual([
      INDEX_PATH,
      '/a.md',
      '/notes/c.md',
      '/notes/n.md',
    ]);
    expect(ledger.entries.map(({ path, fate }) => [path, fate])).toEqual([
      ['/a.md', 'merged'],
      ['/b.md', 'merged'],
      ['/c.md', 'superseded'],
      ['/d/e.md', 'retired'],
    ]);
    expect(ledger.entries[2]).toMatchObject({ by_path: '/notes/c.md', loser });
    expect(ledger.added.map(({ path }) => path)).toEqual([
      '/notes/c.md',
      '/notes/n.md',
      INDEX_PATH,
    ]);
    expect(edits.map(({ path, after, change_ids }) => [path, after === null, change_ids])).toEqual([
      ['/a.md', false, ['c1']],
      ['/b.md', true, ['c1']],
      ['/c.md', true, ['c2']],
      ['/notes/c.md', false, ['c2']],
      ['/d/e.md', true, ['c3']],
      ['/notes/n.md', false, ['c4']],
      [INDEX_PATH, false, ['index']],
    ]);
  });

  test('leaves a store alone when there is nothing to do', () => {
    const { next, edits, ledger } = applyOperations(store, []);
    expect([...next]).toEqual(store.memories.map(({ path, text }) => [path, text]));
    expect(edits).toEqual([]);
    expect(ledger.added).toEqual([]);
  });

  test('keeps untouched memories byte for byte and closes, with any choice of any operations', () => {
    const paths = [
      '/a.md',
      '/b.md',
      '/c.md',
      '/d/e.md',
      '/notes/x.md',
      '/notes/y.md',
      INDEX_PATH,
      '/d',
      '/a.md/x',
    ];
    const path = fc.constantFrom(...paths);
    const text = fc.string({ maxLength: 5 });
    const drafts = fc.oneof(
      fc.record({ op: fc.constant('add' as const), path, text }),
      fc.record({ op: fc.constant('revise' as const), path, text, removed: fc.constant([]) }),
      fc.record({
        op: fc.constant('merge' as const),
        paths: fc.array(path, { maxLength: 3 }),
        path,
        text,
        removed: fc.constant([]),
      }),
      fc.record({
        op: fc.constant('supersede' as const),
        path,
        by_path: path,
        text,
        loser: fc.constant(loser),
      }),
      fc.record({ op: fc.constant('retire' as const), path }),
    );
    fc.assert(
      fc.property(fc.array(drafts, { maxLength: 6 }), fc.array(fc.boolean()), (all, chosen) => {
        const operations = all.map((draft, n): Operation => anOperation(`c${n}`, draft));
        const bad = new Set(structureFaults(store, operations).map(({ change_id }) => change_id));
        const good = operations.filter(({ change_id }) => !bad.has(change_id));
        const some = good.filter((_, n) => chosen[n] === true);
        for (const taken of [good, some]) {
          const { next, ledger, edits } = applyOperations(store, taken);
          expect(checkLedger(store, next, ledger)).toEqual([]);
          const edited = new Set(edits.map((edit) => edit.path));
          for (const memory of store.memories) {
            if (!edited.has(memory.path)) expect(next.get(memory.path)).toBe(memory.text);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ['an unknown memory', { op: 'retire', path: '/nowhere.md' }, 'unknown_path'],
    ['the index', { op: 'add', path: INDEX_PATH, text: 'x' }, 'bad_path'],
    ['a new memory elsewhere', { op: 'add', path: '/x.md', text: 'x' }, 'bad_path'],
    ['a path that is taken', { op: 'add', path: '/a.md', text: 'x' }, 'bad_path'],
    ['an empty text', { op: 'revise', path: '/a.md', text: ' \n', removed: [] }, 'no_change'],
    ['the same text', { op: 'revise', path: '/a.md', text: 'alpha', removed: [] }, 'no_change'],
    [
      'a merge of one',
      { op: 'merge', paths: ['/a.md'], path: '/a.md', text: 'x', removed: [] },
      'no_change',
    ],
    [
      'a playbook without its facts',
      { op: 'add', path: '/playbooks/p.md', text: 'x' },
      'bad_playbook',
    ],
  ] as const)('refuses %s', (_, draft, reason) => {
    const operation = anOperation('c1', draft);
    expect(structureFaults(store, [operation])).toMatchObject([{ change_id: 'c1', reason }]);
    expect(() => applyOperations(store, [operation])).toThrow(BrokenLedger);
  });

  test('gives a memory to the first operation that wants it', () => {
    const second = anOperation('c9', { op: 'retire', path: '/b.md' });
    expect(structureFaults(store, [...one, second])).toMatchObject([
      { change_id: 'c9', reason: 'conflicting_operation' },
    ]);
  });

  test('refuses a path below a memory, also below one that is new', () => {
    const folder = aSnapshot(aMemory('/notes/x.md/y.md', 'x'));
    const add = anOperation('c1', { op: 'add', path: '/notes/x.md', text: 'x' });
    expect(structureFaults(folder, [add])).toMatchObject([{ reason: 'bad_path' }]);
  });

  test('splits a text that is too long for a memory and cuts nothing', () => {
    const text = `# Long\n${'wörter und Wörter\n\n'.repeat(9_000)}`;
    const add = anOperation('c1', { op: 'add', path: '/notes/long.md', text });
    const { next, ledger } = applyOperations(store, [add]);
    const parts = ledger.added
      .filter(({ change_id }) => change_id === 'c1')
      .map(({ path }) => path);
    expect(parts).toEqual(['/notes/long.md', '/notes/long-2.md']);
    expect(parts.map((path) => next.get(path)).join('')).toBe(text);
    for (const path of parts) {
      expect(Buffer.byteLength(next.get(path) ?? '')).toBeLessThanOrEqual(limits.memory_bytes_max);
    }
  });
});

describe('a ledger that is not closed is found by the stores alone', () => {
  const { next, ledger } = applyOperations(store, one);
  test.each([
    ['a memory is left out', { ...ledger, entries: ledger.entries.slice(1) }],
    [
      'a memory is there twice',
      { ...ledger, entries: [...ledger.entries, ...ledger.entries.slice(0, 1)] },
    ],
    [
      'a kept memory has changed',
      {
        ...ledger,
        entries: ledger.entries.map((e) =>
          e.path === '/a.md' ? { path: e.path, memory_id: e.memory_id, fate: 'kept' as const } : e,
        ),
      },
    ],
    ['a new memory is not named', { ...ledger, added: ledger.added.slice(1) }],
    [
      'what was there is called new',
      { ...ledger, added: [...ledger.added, { path: '/a.md', change_id: 'c1' }] },
    ],
  ])('%s', (_, broken) => {
    expect(checkLedger(store, next, broken)).toHaveLength(1);
  });

  test('a memory was lost', () => {
    const lost = new Map([...next].filter(([path]) => path !== '/a.md'));
    expect(checkLedger(store, lost, ledger).length).toBeGreaterThan(0);
  });
});
