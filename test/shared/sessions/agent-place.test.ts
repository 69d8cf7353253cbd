/** The place of a session in the list of its agent's sessions, now in its head and before in a row of its own. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { environmentKey } from '#shared/environments/environment.ts';
import { deleteSession } from '#shared/sessions/delete-session.ts';
import { agentListingKey, agentPartition } from '#shared/sessions/new-session.ts';
import { sessionKey, type SessionHead } from '#shared/sessions/session.ts';
import type { Table } from '#shared/core/table.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';
import { aCall, anAgent, putSession, testPorts, type TestPorts } from '../../sessions.ts';

let started: StartedTable;
let ports: TestPorts;
const call = aCall();

beforeAll(async () => {
  started = await startTable();
  ports = testPorts(started.table);
  const environment = environmentKey('env_00000000000000000000000001');
  await ports.table.transact([{ put: { ...environment, sessions_count: 2 } }]);
});
afterAll(async () => await started.stop());

async function listed(): Promise<string[]> {
  const pk = agentPartition(call.workspace_id, anAgent.id);
  const { rows } = await ports.table.query({ pk, index: 'list', from: ' ', to: '~', limit: 10 });
  return rows.map((row) => `${row.pk} ${row.sk}`);
}

test('a session has one place in the list of its agent, which goes when it is deleted', async () => {
  const { session_id } = await putSession(ports, call);
  expect(await listed()).toEqual([`SESSION#${session_id} HEAD`]);
  await deleteSession({ ...ports, sweepLost: () => {} }, call, session_id);
  expect(await listed()).toEqual([]);
  // It is still there for reconcile, which sweeps what was being written.
  expect(await ports.table.get(sessionKey(session_id))).toMatchObject({ gsi2pk: 'DELETED' });
});

test('so has one whose place is a row of its own', async () => {
  const { session_id } = await putSession(ports, call);
  const head = (await ports.table.get(sessionKey(session_id))) as SessionHead;
  const { gsi1pk, gsi1sk } = head;
  await ports.table.transact([
    { update: sessionKey(session_id), expression: 'REMOVE gsi1pk, gsi1sk' },
    { put: { ...agentListingKey(session_id), gsi1pk, gsi1sk } },
  ]);
  expect(await listed()).toEqual([`SESSION#${session_id} AGENT`]);
  const deletion = { ...ports, table: withoutSweep(ports.table), sweepLost: () => {} };
  await deleteSession(deletion, call, session_id);
  expect(await listed()).toEqual([]);
});

/** What the deletion itself does not take away stays. */
const withoutSweep = (table: Table): Table => ({
  get: table.get.bind(table),
  getMany: table.getMany.bind(table),
  query: table.query.bind(table),
  update: table.update.bind(table),
  transact: table.transact.bind(table),
  deleteMany: async () => await Promise.reject(new Error('no sweep')),
});
