import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newId } from '#shared/core/id.ts';
import { changeOf, type MemoryOperation } from '#shared/memory/changes.ts';
import { planMemories } from '#shared/memory/plan.ts';
import { splitOperations } from '#shared/memory/split.ts';
import { actor } from './store.ts';

const facts = { store_id: 'memstore_1', actor, now: new Date(), newId };

function rename(from: string, path: string): MemoryOperation {
  const { after } = changeOf({ kind: 'create', path: from, content: '' }, facts);
  if (after === undefined) throw new Error('a creation has a row');
  return { kind: 'write', before: after, path };
}

function writesOf(operations: readonly MemoryOperation[]): number {
  const changes = operations.map((operation) => changeOf(operation, facts));
  const plan = { store_id: 'memstore_1', memories_max: 9_999, folder_counts: new Map() };
  return planMemories(changes, { ...plan, changed_at: '2026', expires_at: '2026' }).length;
}

function times<Value>(count: number, make: (n: number) => Value): Value[] {
  return Array.from({ length: count }, (_, n) => make(n));
}

test('what fits is one batch, and each batch is one transaction with room for an answer', () => {
  const few = times(20, (n): MemoryOperation => ({ kind: 'create', path: `/${n}`, content: '' }));
  expect(splitOperations(few)).toEqual([few]);
  expect(splitOperations([])).toEqual([]);
  const many = times(2_000, (n) => rename(`/from/a/${n}`, `/to/b/${n}`));
  const batches = splitOperations(many);
  expect(batches.flat()).toEqual(many);
  for (const batch of batches) expect(writesOf(batch)).toBeLessThan(100);
  // Few batches: what they share is counted once.
  expect(batches.length).toBeLessThan(115);
});

test('who takes a place waits for who leaves it, over a chain of any length', () => {
  const chain = times(500, (n) => rename(`/${n}`, `/${n + 1}`));
  for (const given of [chain, chain.toReversed()]) {
    const order = splitOperations(given).flat();
    expect(order).toEqual(chain.toReversed());
  }
});

test('a ring stays together', () => {
  const others = times(30, (n) => rename(`/x${n}`, `/y${n}`));
  const ring = [rename('/a', '/b'), rename('/b', '/c'), rename('/c', '/a/d')];
  const [a, b, c] = ring;
  if (a === undefined || b === undefined || c === undefined) throw new Error('three');
  const batches = splitOperations([a, ...others.slice(0, 15), b, ...others.slice(15), c]);
  const holding = batches.filter((batch) => ring.some((one) => batch.includes(one)));
  expect(holding).toHaveLength(1);
});

test('a ring that no transaction holds is cut, and loses nothing', () => {
  const ring = times(200, (n) => rename(`/${n}`, `/${(n + 1) % 200}`));
  const batches = splitOperations(ring);
  expect(new Set(batches.flat())).toEqual(new Set(ring));
  for (const batch of batches) expect(writesOf(batch)).toBeLessThan(100);
});

test('done one after another, batches meet no place that is still taken', () => {
  const path = fc
    .array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1, maxLength: 2 })
    .map((segments) => `/${segments.join('/')}`);
  const pairs = fc.uniqueArray(fc.tuple(path, path), { selector: ([from]) => from, maxLength: 12 });
  fc.assert(
    fc.property(pairs, (moves) => {
      const from = moves.map(([before]) => before);
      const to = moves.map(([, after]) => after);
      fc.pre(isSound(from) && isSound(to));
      let held = from;
      for (const batch of splitOperations(moves.map(([before, after]) => rename(before, after)))) {
        for (const one of batch) {
          if (one.kind !== 'write') throw new Error('they are renames');
          held = held.with(held.indexOf(one.before.sk), `new ${one.path}`);
        }
        held = held.map((one) => one.replace('new ', ''));
        expect([held, isSound(held)]).toEqual([held, true]);
      }
    }),
    { numRuns: 2_000 },
  );
});

function isSound(paths: readonly string[]): boolean {
  return paths.every((one, index) =>
    paths.every((other, at) => at === index || (one !== other && !other.startsWith(`${one}/`))),
  );
}
