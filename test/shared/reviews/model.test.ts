// Goal: an apply writes exactly the accepted changes whose memories are as the dream found them, and
// its rollback takes back exactly what nobody has touched. Method: random stores, operations,
// decisions and edits by others against a real table; a model of plain maps, which knows nothing of
// versions or transactions, says what must stand afterwards.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Operation } from '#shared/dreams/operation.ts';
import type { MemoryOperation } from '#shared/memory/changes.ts';
import { readMemories, textOf } from '#shared/memory/read-store.ts';
import { writeMemories } from '#shared/memory/write-memories.ts';
import { INDEX_PATH } from '#shared/playbooks/index-page.ts';
import { applyChanges } from '#shared/reviews/apply.ts';
import { decideChange } from '#shared/reviews/decide.ts';
import { rollBack } from '#shared/reviews/roll-back.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';
import { anOperation } from '../dreams/samples.ts';
import { call, tick } from '../memory-history/history.ts';
import {
  actor,
  broken,
  memoryPorts,
  putStore,
  workspace_id,
  type TestMemoryPorts,
} from '../memory/store.ts';
import { putDream, snapshotOf } from './review-rig.ts';

let started: StartedTable;
beforeAll(async () => void (started = await startTable()));
afterAll(async () => await started.stop());

/** What a store holds, by path. */
interface One {
  readonly id: string;
  readonly text: string;
}
type Plain = ReadonlyMap<string, One>;

async function plainOf(ports: TestMemoryPorts, store_id: string): Promise<Plain> {
  const rows = await readMemories(ports.table, store_id);
  // The index follows from the rest.
  const others = rows.filter(({ sk }) => sk !== INDEX_PATH);
  const entries = others.map(async ({ sk, memory_id, content }) => {
    const text = await textOf(ports.blobs, content);
    return [sk, { id: memory_id, text }] as const;
  });
  return new Map(await Promise.all(entries));
}

/** `/m0` to `/m9` are the store's, `/n0` to `/n3` are free; each is in one operation at most. */
const texts = fc.constantFrom('one', 'two', 'three', 'große Notiz '.repeat(500));
const kinds = fc.array(fc.constantFrom('add', 'revise', 'merge', 'supersede', 'retire'), {
  minLength: 1,
  maxLength: 8,
});

function operationsOf(picked: readonly string[], text: (n: number) => string): Operation[] {
  const olds = Array.from({ length: 10 }, (_, n) => `/m${n}`);
  const fresh = Array.from({ length: 4 }, (_, n) => `/n${n}`);
  return picked.flatMap((kind, n): Operation[] => {
    const id = `c000${n}`;
    const own = { text: `${text(n)} of ${id}` };
    const path = kind === 'add' ? fresh.shift() : olds.shift();
    if (path === undefined) return [];
    if (kind === 'add') return [anOperation(id, { op: 'add', path, ...own })];
    if (kind === 'revise') return [anOperation(id, { op: 'revise', path, removed: [], ...own })];
    if (kind === 'retire') return [anOperation(id, { op: 'retire', path })];
    const other = olds.shift();
    if (other === undefined) return [];
    if (kind === 'merge') {
      const to = n % 2 === 0 ? path : (fresh.shift() ?? path);
      return [
        anOperation(id, { op: 'merge', paths: [path, other], path: to, removed: [], ...own }),
      ];
    }
    const loser = { text: 'once', at: '2026-01-01T00:00:00.000Z' };
    return [anOperation(id, { op: 'supersede', path, by_path: other, loser, ...own })];
  });
}

/** Where each operation leaves what. */
function editsOf(operation: Operation): Map<string, string | null> {
  if (operation.op === 'add' || operation.op === 'revise') {
    return new Map([[operation.path, operation.text]]);
  }
  if (operation.op === 'retire') return new Map([[operation.path, null]]);
  if (operation.op === 'supersede') {
    return new Map([
      [operation.path, null],
      [operation.by_path, operation.text],
    ]);
  }
  const ended = operation.paths.map((path): [string, string | null] => [path, null]);
  return new Map([...ended, [operation.path, operation.text]]);
}

const place = fc.constantFrom(
  ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => `/m${n}`),
  '/n0',
  '/n1',
  '/n2',
  '/n0/x',
  '/m1/x',
  '/other',
);
const deed = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), path: place, text: texts }),
  fc.record({ kind: fc.constant('rename' as const), path: place, to: place }),
  fc.record({ kind: fc.constant('delete' as const), path: place }),
);
const decision = fc.constantFrom('accept', 'accept', 'accept', 'reject', 'none');
const deeds = fc.array(deed, { maxLength: 5 });
type Deed = typeof deed extends fc.Arbitrary<infer Value> ? Value : never;

/** Others at work; what cannot be done is not. */
async function live(ports: TestMemoryPorts, store_id: string, history: readonly Deed[]) {
  for (const one of history) {
    tick(ports);
    const rows = await readMemories(ports.table, store_id);
    const before = rows.find(({ sk }) => sk === one.path);
    const operations = ((): MemoryOperation[] => {
      if (one.kind === 'put' && before === undefined) {
        return [{ kind: 'create', path: one.path, content: one.text }];
      }
      if (before === undefined) return [];
      if (one.kind === 'put') return [{ kind: 'write', before, content: one.text }];
      if (one.kind === 'delete') return [{ kind: 'delete', before }];
      return [{ kind: 'write', before, path: one.to }];
    })();
    await writeMemories(ports, { store_id, operations, actor }).catch(() => undefined);
  }
}

function isFolder(plain: Plain, path: string): boolean {
  return [...plain.keys()].some((other) => other.startsWith(`${path}/`));
}

function isUnder(plain: Plain, path: string): boolean {
  return [...plain.keys()].some((other) => path.startsWith(`${other}/`));
}

/** The model of an apply: what a change needs is as it was, or is there already. */
function canApply(operation: Operation, old: Plain, now: Plain): boolean {
  return [...editsOf(operation)].every(([path, after]) => {
    const [was, is] = [old.get(path)?.text, now.get(path)?.text];
    if (is === (after ?? undefined)) return true;
    if (was !== undefined) return is === was;
    return is === undefined && !isFolder(now, path) && !isUnder(now, path);
  });
}

/**
 * A memory that the apply has made and that others have deleted is where it should be: nowhere. What
 * stands at its path by then is theirs.
 */
function isMadeAndGone(was: One | undefined, wrote: One | undefined, now: Plain): boolean {
  if (was !== undefined || wrote === undefined) return false;
  return [...now.values()].every(({ id }) => id !== wrote.id);
}

/** The model of a rollback: everything that it has written is as it left it. */
function canRollBack(
  paths: readonly string[],
  states: Readonly<Record<'old' | 'new' | 'now', Plain>>,
) {
  const { old, new: left, now } = states;
  return paths.every((path) => {
    const [was, wrote, is] = [old.get(path), left.get(path), now.get(path)];
    if (wrote === undefined) {
      return is === undefined && !isFolder(now, path) && !isUnder(now, path);
    }
    const is_same = is?.id === wrote.id;
    if (was !== undefined) return is_same && (is.text === wrote.text || is.text === was.text);
    return isMadeAndGone(was, wrote, now) || (is_same && is.text === wrote.text);
  });
}

test('apply and rollback do what the model says, whatever others do before and in between', async () => {
  const seen = { applied: 0, conflicts: 0, rolled_back: 0, rollback_conflicts: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        picked: kinds,
        wanted: fc.array(texts, { minLength: 8, maxLength: 8 }),
        decisions: fc.array(decision, { minLength: 8, maxLength: 8 }),
        first: deeds,
        second: deeds,
      }),
      async ({ picked, wanted, decisions, first, second }) => {
        const ports = memoryPorts(started.table);
        const store_id = await putStore(ports);
        for (let n = 0; n < 10; n++) {
          const content = `${wanted[n % 8] ?? ''} at the beginning`;
          const operations = [{ kind: 'create', path: `/m${n}`, content } as const];
          await writeMemories(ports, { store_id, operations, actor });
        }
        const snapshot = await snapshotOf(ports, store_id);
        const old = await plainOf(ports, store_id);
        const operations = operationsOf(picked, (n) => wanted[n] ?? '');
        const dream_id = await putDream(ports, { workspace_id, store_id, snapshot, operations });
        const accepted: Operation[] = [];
        for (const [n, operation] of operations.entries()) {
          const decided = decisions[n];
          if (decided !== 'accept' && decided !== 'reject') continue;
          if (decided === 'accept') accepted.push(operation);
          const { change_id } = operation;
          await decideChange(ports, call, { dream_id, change_id, body: { decision: decided } });
        }
        await live(ports, store_id, first);
        const before = await plainOf(ports, store_id);
        const target = { memory_store_id: store_id };
        if (accepted.length === 0) {
          await expect(applyChanges(ports, call, dream_id, target)).rejects.toThrow('accepted');
          return;
        }
        tick(ports);
        const applied = await applyChanges(ports, call, dream_id, target);
        const left = await plainOf(ports, store_id);
        const done = accepted.filter((operation) => canApply(operation, old, before));
        expect(outcomes(applied)).toEqual(
          accepted.map((one) => `${one.change_id} ${done.includes(one) ? 'applied' : 'conflict'}`),
        );
        const changed = new Map(done.flatMap((operation) => [...editsOf(operation)]));
        expect(textsOf(left)).toEqual(withEdits(before, changed));
        expect(await broken(ports, store_id)).toEqual([]);

        await live(ports, store_id, second);
        const now = await plainOf(ports, store_id);
        tick(ports);
        const { id: apply_id } = applied;
        const back = await rollBack(ports, call, { dream_id, apply_id });
        const result = await plainOf(ports, store_id);
        const wrote = (one: Operation): string[] =>
          [...editsOf(one).keys()].filter((p) => before.get(p)?.text !== left.get(p)?.text);
        const undone = done.filter((one) =>
          canRollBack(wrote(one), { old: before, new: left, now }),
        );
        expect(outcomes(back).filter((line) => !line.endsWith(' conflict'))).toEqual(
          done.map(
            (one) =>
              `${one.change_id} ${undone.includes(one) ? 'rolled_back' : 'rollback_conflict'}`,
          ),
        );
        const restored = new Map(
          undone
            .flatMap(wrote)
            .filter((p) => !isMadeAndGone(before.get(p), left.get(p), now))
            .map((p) => [p, before.get(p)?.text ?? null] as const),
        );
        expect(textsOf(result)).toEqual(withEdits(now, restored));
        // Who was there before is who is there again, not a copy.
        for (const path of restored.keys()) {
          expect(result.get(path)?.id).toBe(before.get(path)?.id);
        }
        expect(await broken(ports, store_id)).toEqual([]);
        seen.applied += done.length;
        seen.conflicts += accepted.length - done.length;
        seen.rolled_back += undone.length;
        seen.rollback_conflicts += done.length - undone.length;
      },
    ),
    { numRuns: 60 },
  );
  for (const [what, count] of Object.entries(seen)) expect([what, count > 3]).toEqual([what, true]);
}, 240_000);

interface Outcomes {
  readonly changes: readonly { readonly change_id: string; readonly outcome: string }[];
}

function outcomes({ changes }: Outcomes): string[] {
  return changes.map(({ change_id, outcome }) => `${change_id} ${outcome}`).toSorted();
}

function textsOf(plain: Plain): Record<string, string> {
  return Object.fromEntries([...plain].map(([path, { text }]) => [path, text]));
}

function withEdits(plain: Plain, edits: ReadonlyMap<string, string | null>) {
  const next: Record<string, string> = textsOf(plain);
  for (const [path, text] of edits) {
    if (text === null) delete next[path];
    else next[path] = text;
  }
  return next;
}
