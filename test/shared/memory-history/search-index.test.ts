import { expect, test } from 'vitest';
import { SearchIndex } from '#shared/memory-history/search-index.ts';
import { limits } from '#shared/core/limits.ts';
import type { MemoryRow } from '#shared/memory/memory.ts';

/** An index keeps up with its store, and knows of very large stores the beginnings of their texts. */

function row(path: string, version: string, content_size_bytes: number): MemoryRow {
  return {
    pk: 'PATHS#memstore_1',
    sk: path,
    kind: 'memory',
    memory_id: `mem${path}`,
    memory_store_id: 'memstore_1',
    memory_version_id: version,
    content: { blob: path },
    content_sha256: '',
    content_size_bytes,
    created_at: '2026-11-21T12:00:00.000Z',
    updated_at: '2026-11-21T12:00:00.000Z',
  };
}

const asked = { path_prefix: '/', limit: 10 };

function reader(texts: Readonly<Record<string, string>>, read: string[] = []) {
  return async (rows: readonly MemoryRow[]) => {
    read.push(...rows.map(({ sk }) => sk));
    return new Map(rows.map(({ memory_id, sk }) => [memory_id, texts[sk] ?? '']));
  };
}

test('only what has changed is read again', async () => {
  const index = new SearchIndex();
  const read: string[] = [];
  const texts = { '/a': 'apple', '/b': 'banana', '/c': 'cherry' };
  await index.update([row('/a', 'v1', 5), row('/b', 'v2', 6)], reader(texts, read));
  await index.update([row('/b', 'v2', 6), row('/c', 'v3', 6)], reader(texts, read));
  expect(read).toEqual(['/a', '/b', '/c']);
  expect(index.search('apple', asked)).toEqual([]);
  expect(index.search('banana', asked).map((hit) => hit.row.sk)).toEqual(['/b']);
  expect(index.is_partial).toBe(false);
});

test('an update that fails half way is done again by the next one', async () => {
  const index = new SearchIndex();
  const rows = Array.from({ length: 250 }, (_, n) => row(`/m${n}`, `v${n}`, 5));
  const texts = Object.fromEntries(rows.map(({ sk }) => [sk, `word${sk.slice(2)}`]));
  let calls = 0;
  const failing = async (part: readonly MemoryRow[]) => {
    if ((calls += 1) === 2) throw new Error('the bucket is away');
    return await reader(texts)(part);
  };
  await expect(index.update(rows, failing)).rejects.toThrow('away');
  await index.update(rows, reader(texts));
  expect(index.search('word7', { ...asked, limit: 1 })[0]?.row.sk).toBe('/m7');
  expect(index.search('word249', asked)).toHaveLength(1);
});

test('of a store with too much text the beginnings are known, and it says so', async () => {
  const index = new SearchIndex();
  const count = Math.ceil((limits.search_text_bytes_max * 1.5) / limits.memory_bytes_max);
  const rows = Array.from({ length: count }, (_, n) =>
    row(`/m${n}`, `v${n}`, limits.memory_bytes_max),
  );
  const texts = { '/m0': `early ${'. '.repeat(40_000)} late` };
  await index.update(rows, reader(texts));
  expect(index.is_partial).toBe(true);
  expect(index.search('early', asked)).toHaveLength(1);
  expect(index.search('late', asked)).toEqual([]);
  await index.update(rows.slice(0, 10), reader(texts));
  expect(index.is_partial).toBe(false);
  expect(index.search('late', asked)).toHaveLength(1);
});
