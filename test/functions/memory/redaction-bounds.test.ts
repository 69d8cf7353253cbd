/** What redactions take at once, when they look, and whom they tell why one has failed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Row } from '#shared/core/table.ts';
import { dreamObject } from '#shared/dreams/dream.ts';
import { forgetQuotes } from '#shared/redactions/scrub.ts';
import { redactDreams } from '#shared/redactions/redact-dreams.ts';
import { redactionKey, type RedactionRow } from '#shared/redactions/redaction.ts';
import { anOperation } from '../../shared/dreams/samples.ts';
import { PHONE, startForgettingRig, type ForgettingRig } from './forgetting-rig.ts';

let rig: ForgettingRig;
beforeAll(async () => {
  rig = await startForgettingRig();
});
afterAll(async () => await rig.door.stop());

const never = (): boolean => false;

test('a dream that began between the time that is told and the write of it is found too', async () => {
  const stored = await rig.storeOf();
  const { clock } = rig.door.ports;
  const id = await rig.dreamOf(stored);
  clock.shift_ms -= 10_000;
  await rig.redact(stored);
  clock.shift_ms += 10_000;
  expect((await rig.allOf(id)).includes(PHONE)).toBe(false);
});

test('of redactions that come at once one dream after the other is held in memory', async () => {
  const stored = await rig.storeOf();
  const ids = [await rig.dreamOf(stored), await rig.dreamOf(stored)];
  const undo = rig.loseReplacing();
  await rig.redact(stored);
  undo();
  const { ports } = rig.door;
  const row = (await ports.table.get(redactionKey(stored.version_id))) as RedactionRow;
  const copy: Row = { ...row, ...redactionKey('memver_of_another') };
  await ports.table.transact([{ put: copy }]);
  let held = 0;
  let held_max = 0;
  const slow = new Proxy(ports.blobs, {
    get: (target, name) => {
      const method = Reflect.get(target, name) as (...args: unknown[]) => unknown;
      if (name !== 'get') return method.bind(target);
      return async (key: string) => {
        if (!key.endsWith('snapshot.json')) return await target.get(key);
        held += 1;
        held_max = Math.max(held_max, held);
        await sleep(20);
        held -= 1;
        return await target.get(key);
      };
    },
  });
  const both = [stored.version_id, 'memver_of_another'];
  const done = both.map(async (id) => await redactDreams({ ...ports, blobs: slow }, id, never));
  expect(await Promise.all(done)).toEqual([true, true]);
  expect(held_max).toBe(1);
  for (const id of ids) expect((await rig.allOf(id)).includes(PHONE)).toBe(false);
});

test('an error names the dream that was not gone through, and why, as a logger writes it', async () => {
  const stored = await rig.storeOf();
  const id = await rig.dreamOf(stored);
  const undo = rig.loseReplacing();
  await rig.redact(stored);
  const failed = redactDreams(rig.door.ports, stored.version_id, never);
  await expect(failed).rejects.toMatchObject({
    message: `1 dreams may still hold what ${stored.version_id} was`,
    cause: { message: `dream ${id} was not gone through`, cause: { message: 'lost' } },
  });
  undo();
});

test('a memory of little else than empty lines is gone through as well', () => {
  const text = `${'\n'.repeat(200_000)}end\n- {"session_id":"sesn_1","quote":"said"}`;
  const add = anOperation('c0001', { op: 'add', path: '/notes/empty.md', text });
  const [forgotten] = forgetQuotes([add], 'sesn_1');
  const left = forgotten?.op === 'add' ? forgotten.text.slice(200_000) : '';
  expect(left).toBe('end\n- {"session_id":"sesn_1","quote":"[redacted]"}');
});

test('what the bucket keeps of before goes by the repeat, where somebody has died before that', async () => {
  const stored = await rig.storeOf();
  const id = await rig.dreamOf(stored);
  const undo = rig.loseReplacing();
  await rig.redact(stored);
  undo();
  const { ports } = rig.door;
  const object = dreamObject(id, 'snapshot.json');
  const cleared: string[] = [];
  const watched = (is_mortal: boolean) =>
    new Proxy(ports.blobs, {
      get: (target, name) => {
        const method = Reflect.get(target, name) as (...args: unknown[]) => unknown;
        if (name !== 'deletePast') return method.bind(target);
        return async (keys: readonly string[]) => {
          if (is_mortal && keys.includes(object)) throw new Error('died');
          cleared.push(...keys);
          await target.deletePast(keys);
        };
      },
    });
  const first = { ...ports, blobs: watched(true) };
  await expect(redactDreams(first, stored.version_id, never)).rejects.toThrow('may still hold');
  expect(cleared).not.toContain(object);
  const second = { ...ports, blobs: watched(false) };
  expect(await redactDreams(second, stored.version_id, never)).toBe(true);
  expect(cleared).toContain(object);
});

test('the time is looked at also where dreams have none of it', async () => {
  const stored = await rig.storeOf();
  await rig.redact(stored);
  const row = (await rig.door.ports.table.get(redactionKey(stored.version_id))) as RedactionRow;
  // Nothing is found in this workspace.
  const put: RedactionRow = { ...row, workspace_id: 'wrkspc_empty' };
  await rig.door.ports.table.transact([{ put }]);
  expect(await redactDreams(rig.door.ports, stored.version_id, () => true)).toBe(false);
  expect(await redactDreams(rig.door.ports, stored.version_id, never)).toBe(true);
});

test('the snapshot, which may be as large as a store, is held once and not twice', async () => {
  const stored = await rig.storeOf();
  const id = await rig.dreamOf(stored);
  const undo = rig.loseReplacing();
  await rig.redact(stored);
  undo();
  const { ports } = rig.door;
  const read: string[] = [];
  const counted = new Proxy(ports.blobs, {
    get: (target, name) => {
      const method = Reflect.get(target, name) as (...args: unknown[]) => unknown;
      if (name !== 'get') return method.bind(target);
      return async (key: string) => {
        read.push(key);
        return await target.get(key);
      };
    },
  });
  expect(await redactDreams({ ...ports, blobs: counted }, stored.version_id, never)).toBe(true);
  expect(read.filter((key) => key === dreamObject(id, 'snapshot.json'))).toHaveLength(1);
});
