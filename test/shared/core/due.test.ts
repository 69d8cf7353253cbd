/**
 * Chores of reconcile: what is deleted is swept, what is due is removed, nothing else is touched.
 * Method: a real table, sessions for the one and rows of our own for the other.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { doChores, type Chores, type Done, type DueOptions } from '#shared/core/due.ts';
import { limits } from '#shared/core/limits.ts';
import type { Row } from '#shared/core/table.ts';
import { sessionKey } from '#shared/sessions/session.ts';
import { sweepSession } from '#shared/sessions/sweep-session.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';
import { aCall, putSession, testPorts, type TestPorts } from '../../sessions.ts';

let started: StartedTable;
let ports: TestPorts;
const expired: string[] = [];

const chores: Chores = {
  deleted: { 'SESSION#': sweepSession },
  expired: {
    'THING#': async ({ table }, row) => {
      expired.push(row.pk);
      await table.deleteMany([row]);
      return true;
    },
    'ILL#': async () => await Promise.reject(new Error('ill')),
    'LATER#': async () => false,
  },
};

beforeAll(async () => {
  started = await startTable();
});
beforeEach(async () => {
  ports = testPorts(started.table);
  expired.length = 0;
  for (const pk of ['DELETED', 'EXPIRES']) {
    const page = await started.table.query({ pk, from: ' ', to: '~', index: 'running' });
    await started.table.deleteMany(page.rows);
  }
});
afterAll(async () => await started.stop());

async function run(options: Partial<DueOptions> = {}) {
  const done: Done[] = [];
  const counts = await doChores(ports, chores, {
    min_age_ms: 60_000,
    is_time_up: () => false,
    done: (one) => void done.push(one),
    ...options,
  });
  return { ...counts, done };
}

async function due(pk: string, in_ms: number): Promise<Row> {
  const at = new Date(ports.clock.ms + in_ms).toISOString();
  const row = { pk, sk: 'HEAD', gsi2pk: 'EXPIRES', gsi2sk: `${at}#${pk}|HEAD` };
  await ports.table.transact([{ put: row }]);
  return row;
}

test('a deleted session is swept to the end once it is old enough', async () => {
  const { session_id, thread_id } = await putSession(ports, aCall());
  for (const prefix of ['sessions', 'transcripts']) {
    await ports.blobs.put(`${prefix}/${session_id}/x`, 'x');
  }
  const at = ports.clock.now().toISOString();
  await ports.table.update({
    update: sessionKey(session_id),
    expression: 'SET deleted_at = :at, gsi2pk = :deleted, gsi2sk = :place',
    values: { ':at': at, ':deleted': 'DELETED', ':place': `${at}#${session_id}` },
  });
  expect(await run()).toMatchObject({ swept: 0, complete: true });
  ports.clock.ms += 61_000;
  expect(await run()).toMatchObject({ swept: 1, expired: 0, complete: true });
  for (const pk of [`SESSION#${session_id}`, `THREAD#${thread_id}`]) {
    expect((await ports.table.query({ pk, from: ' ', to: '~' })).rows).toEqual([]);
  }
  expect(ports.blobs.objects.size).toBe(0);
  expect(await run()).toMatchObject({ swept: 0 });
});

test('what is due goes to its noun, however young, and what is not due is left', async () => {
  await due('THING#now', 0);
  await due('THING#past', -100_000_000);
  await due('THING#soon', 1_000);
  expect(await run()).toMatchObject({ expired: 2, complete: true });
  expect(expired.toSorted()).toEqual(['THING#now', 'THING#past']);
  ports.clock.ms += 1_001;
  expect(await run()).toMatchObject({ expired: 1 });
});

test('one that fails, one of an unknown noun and one with nothing to do keep none of the others', async () => {
  await due('ILL#1', -3);
  await due('STRANGE#1', -2);
  await due('LATER#1', -1);
  await due('THING#1', 0);
  const { done, ...counts } = await run();
  expect(counts).toEqual({ swept: 0, expired: 1, stuck: 0, complete: true });
  const errors = done.map(({ row, error }): [string, unknown] => [
    row.pk,
    error instanceof Error && error.message,
  ]);
  expect(errors.toSorted(([a], [b]) => a.localeCompare(b))).toEqual([
    ['ILL#1', 'ill'],
    ['STRANGE#1', expect.stringContaining('STRANGE#1')],
    ['THING#1', false],
  ]);
});

test('one that has failed for half an hour is counted: what was deleted is still there', async () => {
  await due('ILL#late', -limits.stuck_ms - 1);
  await due('ILL#young', -limits.stuck_ms);
  await due('LATER#late', -limits.stuck_ms - 1);
  expect(await run()).toMatchObject({ expired: 0, stuck: 1 });
});

test('a row that has been put off since the index was read is left', async () => {
  const row = await due('THING#off', 0);
  const later = { ...row, gsi2sk: `${new Date(ports.clock.ms + 60_000).toISOString()}#` };
  const { table } = ports;
  const query = table.query.bind(table);
  table.query = async (asked) => {
    const page = await query(asked);
    await table.transact([{ put: later }]);
    return page;
  };
  expect(await run()).toMatchObject({ expired: 0 });
  table.query = query;
  expect(expired).toEqual([]);
});

test('it goes through any number, and stops when the time is up', async () => {
  for (let n = 0; n < 23; n++) await due(`THING#${n}`, -n);
  let asked = 0;
  const part = await run({ is_time_up: () => (asked += 1) > 2 });
  expect(part).toMatchObject({ expired: 10, complete: false });
  expect(await run()).toMatchObject({ expired: 13, complete: true });
});
