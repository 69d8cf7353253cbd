/** The three-way merge of a call's changes with those of others, over random stores and changes. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { newId } from '#shared/core/id.ts';
import { changeOf } from '#shared/memory/changes.ts';
import { sha256Of } from '#shared/memory/content.ts';
import { pathKey, type MemoryRow } from '#shared/memory/memory.ts';
import { merge, type Intent, type Merged } from '#shared/memory/merge.ts';
import { foldersOf } from '#shared/memory/path.ts';
import type { StoreSnapshot } from '#shared/memory/snapshots.ts';
import { actor } from './store.ts';

type Texts = ReadonlyMap<string, string>;
type Edits = readonly (readonly [path: string, next: string | null])[];

const paths = ['/a', '/b', '/a/x', '/b/x', '/b/y', '/c/d/e', '/c/d', '/c'];
const path = fc.constantFrom(...paths);
const text = fc.constantFrom('1', '2', '3', '4');
const edits = fc.array(fc.tuple(path, fc.option(text)), { maxLength: 5 });

/** As a file system would do it: what is in the way of a new file is removed. */
function edited(texts: Texts, changes: Edits): Texts {
  const after = new Map(texts);
  for (const [at, next] of changes) {
    if (next === null) {
      after.delete(at);
      continue;
    }
    for (const other of after.keys()) {
      if (foldersOf(at).includes(other) || foldersOf(other).includes(at)) after.delete(other);
    }
    after.set(at, next);
  }
  return after;
}

let last = 0;

/** A snapshot with these texts; what `before` held of them is the same memory. */
function snapshotOf(texts: Texts, before?: StoreSnapshot): StoreSnapshot {
  const memories = new Map<string, MemoryRow>();
  for (const [at, content] of texts) {
    const known = before?.memories.get(at);
    const content_sha256 = sha256Of(content);
    if (known?.content_sha256 === content_sha256) memories.set(at, known);
    else {
      memories.set(at, {
        ...pathKey('memstore_1', at),
        kind: 'memory',
        memory_id: known?.memory_id ?? `mem_${++last}`,
        memory_store_id: 'memstore_1',
        memory_version_id: `memver_${++last}`,
        content: { text: content },
        content_sha256,
        content_size_bytes: content.length,
        created_at: '2026-11-21T00:00:00.000Z',
        updated_at: '2026-11-21T00:00:00.000Z',
      });
    }
  }
  const known = { revision: 1, state: 'live', bytes: 0, is_whole: true } as const;
  return { memory_store_id: 'memstore_1', memories, ...known };
}

function intentsOf(seen: Texts, mine: Texts): Intent[] {
  const set = [...mine]
    .filter(([at, content]) => seen.get(at) !== content)
    .map(([at, content]) => ({ path: at, next: { text: content, sha256: sha256Of(content) } }));
  const gone = [...seen.keys()].filter((at) => !mine.has(at));
  return [...set, ...gone.map((at) => ({ path: at, next: undefined }))];
}

function applied(now: StoreSnapshot, { steps }: Merged): Map<string, string> {
  const facts = { store_id: 'memstore_1', actor, now: new Date(), newId };
  const changes = steps.map(({ operation }) => changeOf(operation, facts));
  const after = new Map([...now.memories].map(([at, row]) => [at, textOf(row)]));
  for (const { before } of changes) if (before !== undefined) after.delete(before.sk);
  for (const { after: row } of changes) {
    if (row === undefined) continue;
    expect(after.has(row.sk)).toBe(false);
    after.set(row.sk, textOf(row));
  }
  return after;
}

function textOf({ content }: MemoryRow): string {
  return 'text' in content ? content.text : '';
}

function merged(start: Texts, ours: Edits, theirs: Edits) {
  const [mine, other] = [edited(start, ours), edited(start, theirs)];
  const seen = snapshotOf(start);
  const now = snapshotOf(other, seen);
  const result = merge(intentsOf(start, mine), { seen, now }, '.ours');
  return { mine, other, now, result, after: applied(now, result) };
}

const starts = edits.map((changes) => edited(new Map(), changes));

test('what was intended stands where it should or where the conflict says, and no paths overlap', () => {
  fc.assert(
    fc.property(starts, edits, edits, (texts, ours, theirs) => {
      const { mine, result, after } = merged(texts, ours, theirs);
      for (const at of after.keys()) {
        expect(foldersOf(at).filter((folder) => after.has(folder))).toEqual([]);
      }
      const places = new Map(result.conflicts.map((one) => [one.path, one.saved_as]));
      for (const [at, content] of mine) {
        if (texts.get(at) !== content) expect(after.get(places.get(at) ?? at)).toBe(content);
      }
    }),
    { numRuns: 500 },
  );
});

test('what others have written meanwhile stands as they wrote it', () => {
  fc.assert(
    fc.property(starts, edits, edits, (texts, ours, theirs) => {
      const { other, after } = merged(texts, ours, theirs);
      const written = [...other].filter(([at, content]) => texts.get(at) !== content);
      expect(written.filter(([at, content]) => after.get(at) !== content)).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test('without others the store is just as intended, and a second try finds nothing to do', () => {
  fc.assert(
    fc.property(starts, edits, (texts, ours) => {
      const { mine, result, after } = merged(texts, ours, []);
      expect(result.conflicts).toEqual([]);
      expect(Object.fromEntries(after)).toEqual(Object.fromEntries(mine));
      const seen = snapshotOf(texts);
      const again = merge(intentsOf(texts, mine), { seen, now: snapshotOf(after, seen) }, '.ours');
      expect(again.steps).toEqual([]);
    }),
    { numRuns: 500 },
  );
});
