/**
 * What is redacted or deleted is readable nowhere in what dreams keep, and everything else of them stays.
 * Method: dreams as their pipeline leaves them, over HTTP; then each object and row of theirs is searched.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Row } from '#shared/core/table.ts';
import { dreamKey } from '#shared/dreams/dream.ts';
import { REDACTED } from '#shared/dreams/redacted.ts';
import type { DreamReport } from '#shared/dreams/report.ts';
import { redactDreams } from '#shared/redactions/redact-dreams.ts';
import { redactionKey } from '#shared/redactions/redaction.ts';
import { anOperation } from '../../shared/dreams/samples.ts';
import {
  anna,
  operations,
  PHONE,
  startForgettingRig,
  statusOf,
  PATH,
  type ForgettingRig,
  type Stored,
} from './forgetting-rig.ts';

let rig: ForgettingRig;
beforeAll(async () => {
  rig = await startForgettingRig();
});
afterAll(async () => await rig.door.stop());

const never = (): boolean => false;

const stores = () => rig.client.beta.memoryStores;

describe('a version that a dream has read', () => {
  test('is nowhere in what the dream keeps once it is redacted; ids, kinds and counts stay', async () => {
    const stored = await rig.storeOf({ '/_index.md': `# Index\n- ${PATH}: ${anna}` });
    const id = await rig.dreamOf(stored);
    await rig.own.decide(id, 'c0001', { decision: 'accept' });
    const before = (await rig.readable(id)).report;
    expect(await rig.allOf(id)).toContain(PHONE);
    await rig.redact(stored);

    const { report, said } = await rig.readable(id);
    for (const text of [await rig.allOf(id), said]) {
      expect(text).not.toContain(PHONE);
      expect(text).not.toContain('anna-meier');
      expect(text).not.toContain('Whose phone?');
    }
    expect(said).toContain(REDACTED);
    const countsOf = (one: DreamReport) => [
      one.operations.map(({ change_id, op, source }) => [change_id, op, source]),
      one.ledger.entries.map(({ memory_id, fate }) => [memory_id, fate]),
      [one.memories_before_count, one.memories_after_count, one.dropped_counts],
      one.gate?.scores.map(({ old_correct, new_correct }) => [old_correct, new_correct]),
      one.operations[0]?.evidence.map(({ session_id, event_id }) => [session_id, event_id]),
    ];
    expect(countsOf(report)).toEqual(countsOf(before));
    // What is not about it says what it said.
    expect(report.operations[1]).toEqual(before.operations[1]);

    const { data: changes } = await rig.own.changes(id);
    expect(changes.map(({ redacted, state }) => [redacted, state])).toEqual([
      [true, 'accepted'],
      [false, 'proposed'],
      // It repeats a passage.
      [true, 'proposed'],
    ]);
  });

  test('a redacted change is rejected or nothing, and the others are applied as ever', async () => {
    const stored = await rig.storeOf();
    const { store_id } = stored;
    const id = await rig.dreamOf(stored);
    await rig.own.decide(id, 'c0001', { decision: 'accept' });
    await rig.redact(stored);
    expect(await statusOf(rig.own.decide(id, 'c0003', { decision: 'accept' }))).toBe(400);
    const edit = { decision: 'edit', text: 'mine\n' } as const;
    expect(await statusOf(rig.own.decide(id, 'c0001', edit))).toBe(400);
    expect(await rig.own.acceptAll(id)).toMatchObject({ accepted_count: 1 });
    const apply = await rig.own.apply(id, { memory_store_id: store_id });
    expect(apply).toMatchObject({ applied_count: 1, conflict_count: 1 });
    expect(apply.changes[0]?.conflict).toMatchObject({
      reason: 'redacted',
      message: expect.stringContaining('reject the change'),
    });
    expect(await rig.own.decide(id, 'c0001', { decision: 'reject' })).toMatchObject({
      state: 'rejected',
      text: REDACTED,
    });
    expect(await rig.own.rollBack(id, apply.id)).toMatchObject({ rolled_back_count: 1 });
  });

  test('also where the dream has failed, of which nothing is kept then', async () => {
    const stored = await rig.storeOf();
    const id = await rig.dreamOf(stored, { status: 'failed' });
    await rig.redact(stored);
    expect(await rig.allOf(id)).not.toContain(PHONE);
    expect(await rig.client.beta.dreams.retrieve(id)).toMatchObject({ status: 'failed' });
  });

  test('a dream at work is waited for, since it writes down what it has read', async () => {
    const stored = await rig.storeOf();
    const id = await rig.dreamOf(stored, { gsi2pk: 'DREAMING', gsi2sk: `2026#of-a-test` });
    const other = await rig.dreamOf(stored);
    await rig.redact(stored);
    expect(await rig.allOf(id)).toContain(PHONE);
    expect(await rig.allOf(other)).not.toContain(PHONE);
    expect(await redactDreams(rig.door.ports, stored.version_id, never)).toBe(false);
    const rests = { update: dreamKey(id), expression: 'REMOVE gsi2pk, gsi2sk' };
    await rig.door.ports.table.update(rests);
    expect(await redactDreams(rig.door.ports, stored.version_id, never)).toBe(true);
    expect(await rig.allOf(id)).not.toContain(PHONE);
    // The row that asked for it says neither path nor sum any more: it is gone.
    expect(await rig.door.ports.table.get(redactionKey(stored.version_id))).toBeUndefined();
  });

  test('what is left when the time is up is gone on with, a page of dreams at a time', async () => {
    const stored = await rig.storeOf();
    const ids: string[] = [];
    for (let n = 0; n < 25; n += 1) ids.push(await rig.dreamOf(stored));
    const memory_store_id = stored.store_id;
    await stores().memories.update(stored.memory_id, { memory_store_id, content: '-\n' });
    // As if the request had had no time at all.
    const find = rig.loseReplacing();
    await stores().memoryVersions.redact(stored.version_id, { memory_store_id });
    find();
    let looks = 0;
    const soon = (): boolean => (looks += 1) > 40;
    let rounds = 1;
    while (!(await redactDreams(rig.door.ports, stored.version_id, soon))) {
      rounds += 1;
      looks = 0;
      expect(rounds).toBeLessThan(50);
    }
    expect(rounds).toBeGreaterThan(2);
    for (const id of ids) expect(await rig.allOf(id)).not.toContain(PHONE);
  });

  test('two that are redacted at once both stay away', async () => {
    const second = 'The phone of Ben Alt is 0160-7654321.\n';
    const stored = await rig.storeOf({ '/people/ben.md': second });
    const memory_store_id = stored.store_id;
    const versions: string[] = [stored.version_id];
    for await (const item of stores().memories.list(memory_store_id)) {
      if (item.type !== 'memory' || item.path === '/other.md') continue;
      if (item.path === '/people/ben.md') versions.push(item.memory_version_id);
    }
    const both = anOperation('c0004', {
      op: 'revise',
      path: '/people/ben.md',
      text: `${second}He is away.\n`,
      removed: [],
    });
    const id = await rig.dreamOf(stored, {}, [...operations, both]);
    for await (const item of stores().memories.list(memory_store_id)) {
      if (item.type !== 'memory' || item.path === '/other.md') continue;
      await stores().memories.update(item.id, { memory_store_id, content: '-\n' });
    }
    await Promise.all(
      versions.map(
        async (version) => await stores().memoryVersions.redact(version, { memory_store_id }),
      ),
    );
    for (const version of versions) await redactDreams(rig.door.ports, version, never);
    const said = `${await rig.allOf(id)} ${(await rig.readable(id)).said}`;
    expect(said).not.toContain(PHONE);
    expect(said).not.toContain('0160-7654321');
  });
});

describe('a version that a dream wrote', () => {
  test.each([
    ['as the dream proposed it', { decision: 'accept' } as const],
    ['as an operator put it', { decision: 'edit', text: 'Ask Anna, 0170-1.\n' } as const],
  ])('and that is redacted, %s', async (_, decision) => {
    const { id: store_id } = await stores().create({ name: 'notes' });
    const secret = '0170-1';
    const add = anOperation('c0001', {
      op: 'add',
      path: '/notes/calls.md',
      text: `Call Anna at ${secret}.\n`,
    });
    const other = anOperation('c0002', { op: 'add', path: '/notes/more.md', text: 'More.\n' });
    const id = await rig.dreamOf({ store_id }, {}, [add, other]);
    await rig.own.decide(id, 'c0001', decision);
    await rig.own.apply(id, { memory_store_id: store_id });
    let written: Stored | undefined;
    for await (const item of stores().memories.list(store_id)) {
      if (item.type !== 'memory' || item.path !== '/notes/calls.md') continue;
      written = { store_id, memory_id: item.id, version_id: item.memory_version_id };
    }
    if (written === undefined) throw new Error('it was applied');
    await rig.redact(written);
    const said = `${await rig.allOf(id)} ${(await rig.readable(id)).said}`;
    expect(said).not.toContain(secret);
    expect(said).toContain('More.');
    expect((await rig.own.changes(id)).data.map(({ redacted }) => redacted)).toEqual([true, false]);
  });
});

test('a store that is deleted takes what dreams have read in it along', async () => {
  const stored = await rig.storeOf();
  const id = await rig.dreamOf(stored);
  const untouched = await rig.dreamOf(await rig.storeOf());
  await stores().delete(stored.store_id);
  expect(await rig.allOf(id)).not.toContain(PHONE);
  expect((await rig.own.changes(id)).data.map(({ redacted }) => redacted)).toEqual([
    true,
    true,
    true,
  ]);
  expect(await rig.allOf(untouched)).toContain(PHONE);
});

test('whoever dies on the way leaves nothing readable behind once it is repeated', async () => {
  let deaths = 0;
  for (let at = 1; ; at += 1) {
    const stored = await rig.storeOf();
    const id = await rig.dreamOf(stored);
    await rig.own.decide(id, 'c0003', { decision: 'edit', text: anna });
    const { blobs } = rig.door.ports;
    let count = 0;
    const mortal = new Proxy(blobs, {
      get: (target, name) => {
        const method = Reflect.get(target, name) as (...args: unknown[]) => unknown;
        if (!['replace', 'deletePast', 'deletePrefix'].includes(String(name))) {
          return method.bind(target);
        }
        return async (...args: unknown[]) => {
          count += 1;
          if (count === at * 2 - 1) throw new Error('died before');
          const result = await method.apply(target, args);
          if (count === at * 2) throw new Error('died after');
          return result;
        };
      },
    });
    const memory_store_id = stored.store_id;
    await stores().memories.update(stored.memory_id, {
      memory_store_id,
      path: '/left.md',
      content: '-',
    });
    const find = rig.loseReplacing();
    await stores().memoryVersions.redact(stored.version_id, { memory_store_id });
    find();
    let has_died = false;
    await redactDreams({ ...rig.door.ports, blobs: mortal }, stored.version_id, never).catch(() => {
      has_died = true;
    });
    expect(await redactDreams(rig.door.ports, stored.version_id, never)).toBe(true);
    const said = `${await rig.allOf(id)} ${(await rig.readable(id)).said}`;
    expect(said).not.toContain(PHONE);
    expect(said).not.toContain('anna-meier');
    const { report } = await rig.readable(id);
    expect(report.operations.map(({ redacted }) => redacted ?? false)).toEqual([true, false, true]);
    if (!has_died) break;
    deaths += 1;
  }
  expect(deaths).toBeGreaterThan(5);
});

test('what was redacted before dreams forgot is looked for when it is redacted again', async () => {
  const stored = await rig.storeOf();
  const id = await rig.dreamOf(stored);
  const find = rig.loseReplacing();
  await rig.redact(stored);
  find();
  await rig.door.ports.table.deleteMany([redactionKey(stored.version_id) as Row]);
  expect(await rig.allOf(id)).toContain(PHONE);
  await stores().memoryVersions.redact(stored.version_id, { memory_store_id: stored.store_id });
  expect(await rig.allOf(id)).not.toContain(PHONE);
});
