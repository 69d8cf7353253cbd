import { expect, test } from 'vitest';
import { NOW, Past } from '#shared/memory-history/past.ts';
import { pairsOf, type Side } from '#shared/memory-history/pairs.ts';
import type { VersionRow } from '#shared/memory/memory.ts';

/** What a store held, where clocks and lost versions make it hard to say; and what then differs. */

function version(second: number, memory_id: string, more: Partial<VersionRow> = {}): VersionRow {
  const created_at = `2026-11-21T12:00:${String(second).padStart(2, '0')}.000Z`;
  const memory_version_id = `memver_${String(second).padStart(3, '0')}${memory_id}`;
  return {
    pk: 'MEMVERS#memstore_1',
    sk: memory_version_id,
    schema: 1,
    memory_version_id,
    memory_id,
    memory_store_id: 'memstore_1',
    operation: 'created',
    created_at,
    created_by: { type: 'api_actor', api_key_id: 'apikey_1' },
    path: '/a',
    content: { text: '' },
    content_sha256: memory_version_id,
    content_size_bytes: 0,
    redacted_at: null,
    redacted_by: null,
    gsi1pk: '',
    gsi1sk: '',
    ...more,
  };
}

function pastOf(time: string, versions: readonly VersionRow[]) {
  const past = new Past([time, NOW]);
  for (const one of versions.toSorted((a, b) => (a.sk < b.sk ? -1 : 1))) past.add(one);
  const { held, lost } = past.at(0);
  return { held: [...held.values()].map(({ path, memory_id }) => [path, memory_id]), lost };
}

test('a time that clocks put between leaving and taking a place gives it to who took it', () => {
  const versions = [
    version(1, 'one'),
    // By a clock that is ahead: in truth before the next one.
    version(9, 'one', { operation: 'modified', path: '/b' }),
    version(5, 'two', { path: '/a/x' }),
  ];
  const between = '2026-11-21T12:00:07.000Z';
  expect(pastOf(between, versions)).toEqual({ held: [['/a/x', 'two']], lost: [] });
});

test.each([
  ['first version is gone', [version(5, 'one', { operation: 'modified' })], 'expired'],
  ['first version deletes it', [version(5, 'one', { operation: 'deleted' })], 'expired'],
  ['version of the time is redacted', [version(1, 'one', { path: null })], 'redacted'],
])('a memory whose %s is lost', (_, versions, reason) => {
  const { held, lost } = pastOf('2026-11-21T12:00:03.000Z', versions);
  expect(held).toEqual([]);
  expect(lost).toMatchObject([{ memory_id: 'one', reason }]);
});

test('a redacted deletion is a deletion, and what came later was not there', () => {
  const versions = [
    version(1, 'one'),
    version(2, 'one', { operation: 'deleted', path: null }),
    version(4, 'two'),
  ];
  expect(pastOf('2026-11-21T12:00:03.000Z', versions)).toEqual({ held: [], lost: [] });
});

const side = (path: string, memory_id: string, content_sha256: string): Side => ({
  path,
  memory_id,
  memory_version_id: 'v',
  content_sha256,
});

test('a text that two have left is paired with nobody by its hash, only by its id', () => {
  const from = [side('/a', 'a', 'same'), side('/b', 'b', 'same'), side('/c', 'c', 'x')];
  const to = [side('/d', 'd', 'same'), side('/e', 'c', 'y')];
  expect(pairsOf(from, to).map(({ change, path }) => [change, path])).toEqual([
    ['removed', '/a'],
    ['removed', '/b'],
    ['added', '/d'],
    ['renamed', '/e'],
  ]);
});
