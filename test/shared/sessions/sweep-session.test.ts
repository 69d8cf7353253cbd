/**
 * Deleting to the end. Method: the sweep is made to fail at each of its writes in turn; after each
 * failure the head must still be there to be found, and a second sweep must leave nothing.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Blobs } from '#shared/core/blobs.ts';
import type { Table } from '#shared/core/table.ts';
import { rowOf, type StoredEntry } from '#shared/files/entry.ts';
import { outcomeKey } from '#shared/outcomes/outcome.ts';
import { gradePrefix, verdictKey, verdictPointerKey } from '#shared/outcomes/verdict-row.ts';
import { partPrefix, sessionKey } from '#shared/sessions/session.ts';
import { sweepContents, sweepSession } from '#shared/sessions/sweep-session.ts';
import { listenKey } from '#shared/threads/thread.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';
import { aCall, append, aReply, putSession, testPorts, type TestPorts } from '../../sessions.ts';

let started: StartedTable;
let ports: TestPorts;

beforeAll(async () => {
  started = await startTable();
  ports = testPorts(started.table);
});
afterAll(async () => await started.stop());

const folder: StoredEntry = {
  kind: 'folder',
  path: '/',
  mode: 0o755,
  modified_at: '2026-11-20T10:00:00.000Z',
  version: '1',
  written_by: { thread_id: 'sthr_1', event_id: 'sevt_1' },
};

async function aSession() {
  const ids = await putSession(ports, aCall());
  const { session_id, thread_id } = ids;
  for (let n = 0; n < 3; n++) await append(ports, thread_id, [aReply('x'.repeat(100_000))]);
  const files = Array.from({ length: 130 }, (_, n) => ({
    put: rowOf(session_id, { ...folder, path: `/${n}` }),
  }));
  await ports.blobs.put(`${partPrefix(session_id)}part.json`, '{}');
  await ports.table.transact(files.slice(0, 100));
  await ports.table.transact([...files.slice(100), { put: { ...listenKey(thread_id) } }]);
  return ids;
}

/** The ports, failing at the n-th write before or after it is done. */
function failing(n: number, when: 'before' | 'after'): Pick<TestPorts, 'table' | 'blobs'> {
  let writes = 0;
  const guard = async <T>(write: () => Promise<T>): Promise<T> => {
    writes += 1;
    if (writes === n && when === 'before') throw new Error('crash');
    const done = await write();
    if (writes === n) throw new Error('crash');
    return done;
  };
  const table: Table = Object.assign(Object.create(ports.table) as Table, {
    get: ports.table.get.bind(ports.table),
    query: ports.table.query.bind(ports.table),
    deleteMany: async (keys: Parameters<Table['deleteMany']>[0]) =>
      await guard(async () => await ports.table.deleteMany(keys)),
  });
  const blobs = Object.assign(Object.create(ports.blobs) as Blobs, {
    deletePrefix: async (...given: Parameters<Blobs['deletePrefix']>) =>
      await guard(async () => await ports.blobs.deletePrefix(...given)),
  });
  return { table, blobs: blobs as TestPorts['blobs'] };
}

async function left(session_id: string, thread_id: string): Promise<number> {
  const partitions = [
    `SESSION#${session_id}`,
    `THREAD#${thread_id}`,
    `LISTEN#${thread_id}`,
    `FILES#${session_id}`,
  ];
  let rows = 0;
  for (const pk of partitions) {
    for (let from = ' '; ;) {
      const page = await ports.table.query({ pk, from, to: '~' });
      rows += page.rows.length;
      if (!page.more) break;
      from = `${page.rows.at(-1)?.sk}!`;
    }
  }
  const objects = [...ports.blobs.objects.keys()].filter((key) => key.includes(session_id));
  return rows + objects.length;
}

const never = (): boolean => false;

/** @returns whether it crashed, and whether it left something without a head to find it by */
async function crashAt(n: number, when: 'before' | 'after') {
  const { session_id, thread_id } = await aSession();
  const crashed = await sweepSession(failing(n, when), session_id, never).then(
    () => false,
    () => true,
  );
  const head = await ports.table.get(sessionKey(session_id));
  const lost = head === undefined && (await left(session_id, thread_id)) > 0;
  await sweepSession(ports, session_id, never);
  return { crashed, lost, left: await left(session_id, thread_id) };
}

test.each(['before', 'after'] as const)(
  'a crash %s any of its writes is made up for by the next sweep',
  async (when) => {
    let n = 1;
    for (let crashed = true; crashed; n++) {
      const result = await crashAt(n, when);
      expect(result).toMatchObject({ lost: false, left: 0 });
      ({ crashed } = result);
    }
    expect(n).toBeGreaterThan(6);
  },
);

test('it stops when the time is up, with the head in place, and goes on later', async () => {
  const { session_id, thread_id } = await aSession();
  let asked = 0;
  expect(await sweepSession(ports, session_id, () => (asked += 1) > 1)).toBe(false);
  expect(await ports.table.get(sessionKey(session_id))).toBeDefined();
  expect(await sweepSession(ports, session_id, never)).toBe(true);
  expect(await left(session_id, thread_id)).toBe(0);
});

test('at the deletion itself the head stays, and what is written a moment later goes with it', async () => {
  const { session_id, thread_id } = await aSession();
  expect(await sweepContents(ports, session_id, never)).toBe(true);
  await ports.blobs.put(`transcripts/${session_id}/${thread_id}/late`, 'x');
  await ports.table.update({
    update: { pk: `SESSION#${session_id}`, sk: 'CALL#late' },
    expression: 'SET last_seq = :one',
    values: { ':one': 1 },
  });
  expect(await ports.table.get(sessionKey(session_id))).toBeDefined();
  expect(await sweepSession(ports, session_id, never)).toBe(true);
  expect(await left(session_id, thread_id)).toBe(0);
});

test('rows that are odd go too, and what hangs on the others goes with them', async () => {
  const { session_id, thread_id } = await aSession();
  const output = { pk: 'FILE#file_01K0OUTPUT', sk: 'HEAD' };
  await ports.table.transact([
    { put: output },
    {
      put: {
        pk: `FILES#${session_id}`,
        sk: 'F#/mnt/session/outputs/report.md',
        kind: 'file',
        version: '01K0OUTPUT',
        size_bytes: 'many',
      },
    },
    { put: { pk: `FILES#${session_id}`, sk: 'F#/mnt/session/outputs/odd', kind: 7, version: 8 } },
    { put: { pk: `SESSION#${session_id}`, sk: 'R#sesrsc_odd', type: 'file' } },
  ]);
  expect(await sweepSession(ports, session_id, never)).toBe(true);
  expect(await left(session_id, thread_id)).toBe(0);
  expect(await ports.table.get(output)).toBeUndefined();
});

test('its verdicts go with it, from their agent too, and other sessions keep theirs', async () => {
  const owner = { workspace_id: aCall().workspace_id, agent_id: 'agent_1' };
  const gone = await aSession();
  const kept = await putSession(ports, aCall());
  for (const { session_id } of [gone, kept]) {
    for (const at of ['2026-11-20T10:00:00.000Z', '2026-11-20T10:00:01.000Z']) {
      const verdict = verdictKey(owner, at, session_id);
      const pointer = verdictPointerKey(session_id, at, session_id);
      await ports.table.transact([
        { put: { ...verdict, session_id } },
        { put: { ...pointer, verdict_pk: verdict.pk, verdict_sk: verdict.sk } },
        { put: { ...outcomeKey(session_id, `outc_${at}`), schema: 1 } },
      ]);
      await ports.blobs.put(`${gradePrefix(session_id, session_id, 1)}.jsonl`, '{}');
    }
  }
  await sweepSession(ports, gone.session_id, never);
  expect(await left(gone.session_id, gone.thread_id)).toBe(0);
  const { pk } = verdictKey(owner, '', '');
  const { rows } = await ports.table.query({ pk, from: '!', to: '~' });
  expect(rows.map(({ session_id }) => session_id)).toEqual([kept.session_id, kept.session_id]);
  await sweepSession(ports, kept.session_id, never);
  expect((await ports.table.query({ pk, from: '!', to: '~' })).rows).toEqual([]);
});

test('it leaves other sessions alone, also one whose id begins the same', async () => {
  const { session_id } = await aSession();
  const other = await putSession(ports, aCall(), { session_id: `${session_id}0` });
  await ports.blobs.put(`sessions/${other.session_id}/x`, 'x');
  await sweepSession(ports, session_id, never);
  expect(await left(other.session_id, other.thread_id)).toBe(4);
});
