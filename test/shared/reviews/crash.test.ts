// Goal: an apply and its rollback are done once in effect, wherever they die. Method: each write of
// the table in turn fails before or after it has taken effect; then the request is repeated.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Table } from '#shared/core/table.ts';
import type { Operation } from '#shared/dreams/operation.ts';
import { writeMemories } from '#shared/memory/write-memories.ts';
import { applyChanges } from '#shared/reviews/apply.ts';
import { acceptAll } from '#shared/reviews/decide.ts';
import { rollBack } from '#shared/reviews/roll-back.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';
import { anOperation } from '../dreams/samples.ts';
import { call, heldBy, tick } from '../memory-history/history.ts';
import { actor, broken, memoryPorts, putStore, wholeStore, workspace_id } from '../memory/store.ts';
import { putDream, snapshotOf } from './review-rig.ts';

let started: StartedTable;
beforeAll(async () => void (started = await startTable()));
afterAll(async () => await started.stop());

/** A table whose write number `at` fails, before or after it has taken effect. */
function dying(table: Table, at: number, when: 'before' | 'after'): Table {
  let count = 0;
  return {
    get: async (...args) => await table.get(...args),
    getMany: async (...args) => await table.getMany(...args),
    query: async (...args) => await table.query(...args),
    update: async (...args) => await table.update(...args),
    deleteMany: async (...args) => await table.deleteMany(...args),
    transact: async (writes) => {
      count++;
      if (count === at && when === 'before') throw new Error('died');
      await table.transact(writes);
      if (count === at) throw new Error('died');
    },
  };
}

const MEMORIES = 40;

function operations(): Operation[] {
  const revised = Array.from({ length: MEMORIES - 3 }, (_, n) =>
    anOperation(`c${String(n + 1).padStart(4, '0')}`, {
      op: 'revise',
      path: `/m${n}`,
      text: `revised ${n}`,
      removed: [],
    }),
  );
  const [a, b, c] = [`/m${MEMORIES - 3}`, `/m${MEMORIES - 2}`, `/m${MEMORIES - 1}`];
  const merged = { op: 'merge', paths: [a, b], path: a, text: 'both', removed: [] } as const;
  return [
    ...revised,
    anOperation('c0901', merged),
    anOperation('c0902', { op: 'retire', path: c }),
    anOperation('c0903', { op: 'add', path: '/notes/n', text: 'new' }),
  ];
}

test.each(['before', 'after'] as const)(
  'an apply and a rollback that die %s any of their writes are done once',
  async (when) => {
    let deaths = 0;
    for (let at = 1; ; at++) {
      const ports = memoryPorts(started.table);
      const store_id = await putStore(ports);
      for (let n = 0; n < MEMORIES; n++) {
        const create = { kind: 'create', path: `/m${n}`, content: `text ${n}` } as const;
        await writeMemories(ports, { store_id, operations: [create], actor });
      }
      const held = await heldBy(ports, store_id);
      const snapshot = await snapshotOf(ports, store_id);
      const fabricated = { workspace_id, store_id, snapshot, operations: operations() };
      const dream_id = await putDream(ports, fabricated);
      await acceptAll(ports, call, dream_id);
      tick(ports);
      const target = { memory_store_id: store_id };
      const mortal = { ...ports, table: dying(ports.table, at, when) };
      let died = 0;
      await applyChanges(mortal, call, dream_id, target).catch(() => died++);
      const applied = await applyChanges(ports, call, dream_id, target);
      expect(applied).toMatchObject({ state: 'applied', applied_count: operations().length });
      const { versions } = await wholeStore(ports, store_id);
      const modified = versions.filter(({ operation }) => operation === 'modified');
      expect(modified).toHaveLength(MEMORIES - 2);
      expect(await broken(ports, store_id)).toEqual([]);

      tick(ports);
      const apply = { dream_id, apply_id: applied.id };
      const mortal_too = { ...ports, table: dying(ports.table, at, when) };
      await rollBack(mortal_too, call, apply).catch(() => died++);
      const back = await rollBack(ports, call, apply);
      expect(back).toMatchObject({ state: 'rolled_back', rolled_back_count: operations().length });
      expect(await heldBy(ports, store_id)).toEqual(held);
      expect(await broken(ports, store_id)).toEqual([]);
      deaths += died;
      if (died === 0) break;
    }
    // Of each: its beginning, two parts, and the index.
    expect(deaths).toBe(8);
  },
  120_000,
);
