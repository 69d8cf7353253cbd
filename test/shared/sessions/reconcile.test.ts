/**
 * Reconcile: what a lost call or a crash leaves, and what it must not touch. Method: a real table,
 * executions in memory; each row is a state of the rows and of its execution, and what is done.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { executionName, sessionKey, type SessionHead } from '#shared/sessions/session.ts';
import {
  reconcileSessions,
  type Found,
  type ReconcileOptions,
} from '#shared/sessions/reconcile.ts';
import { startPatch } from '#shared/threads/start.ts';
import { listEvents } from '#shared/events/list-events.ts';
import { limits } from '#shared/core/limits.ts';
import { changeSession } from '#shared/sessions/session-change.ts';
import { prepareAppend } from '#shared/threads/log.ts';
import { threadKey } from '#shared/threads/thread.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';
import {
  aCall,
  aMessage,
  append,
  aReply,
  headOf,
  putSession,
  queue,
  testPorts,
  type TestPorts,
} from '../../sessions.ts';

let started: StartedTable;
let ports: TestPorts;
const call = aCall();

beforeAll(async () => {
  started = await startTable();
});
beforeEach(async () => {
  ports = testPorts(started.table);
  const every = { pk: 'RUNNING', from: ' ', to: '~', index: 'running' } as const;
  await started.table.deleteMany((await started.table.query(every)).rows);
});
afterAll(async () => await started.stop());

async function running(alive: boolean) {
  const ids = await putSession(ports, call);
  const at = ports.clock.now().toISOString();
  const head = await headOf(ports, ids.thread_id);
  const append = await prepareAppend(ports, head, [], {
    ...startPatch(1, at),
    lease_holder: 'somebody',
    lease_until_ms: ports.clock.ms + 120_000,
  });
  const change = changeSession(ids.session_id, { status: 'running', start: { run: 1, at } }, at);
  await ports.table.transact([...append.writes, change]);
  if (alive) ports.runs.running.add(executionName(ids.session_id, 1));
  return ids;
}

async function reconcile(options: Partial<ReconcileOptions> = {}) {
  const found: Found[] = [];
  const counts = await reconcileSessions(ports, {
    min_age_ms: 60_000,
    is_time_up: () => false,
    found: (one) => void found.push(one),
    ...options,
  });
  return { ...counts, found };
}

async function sessionOf(session_id: string): Promise<SessionHead | undefined> {
  return (await ports.table.get(sessionKey(session_id))) as SessionHead | undefined;
}

interface Case {
  readonly title: string;
  readonly alive: boolean;
  readonly age_ms: number;
  readonly min_age_ms: number;
  readonly restarted: 0 | 1;
  readonly stuck: 0 | 1;
}

const cases = [
  // title, execution lives, age, age asked for, started anew, counted as stuck
  ['a dead one whose lease has run out is started anew', false, 120_001, 60_000, 1, 0],
  ['a dead one whose lease runs is left: a step may be at work', false, 119_999, 60_000, 0, 0],
  ['a dead one that is too young is left: its start may be under way', false, 59_000, 60_000, 0, 0],
  ['one that lives is left', true, 120_001, 60_000, 0, 0],
  ['with no age asked for, a dead one is started however young', false, 1, 0, 1, 0],
  ['with no age asked for, one that lives is left', true, 1, 0, 0, 0],
  ['one that has not moved for half an hour is counted', true, 1_800_001, 60_000, 0, 1],
  ['a dead one that has not moved for so long is both', false, 1_800_001, 60_000, 1, 1],
] as const;

test.each(
  cases.map(([title, alive, age_ms, min_age_ms, restarted, stuck]): Case => ({
    title,
    alive,
    age_ms,
    min_age_ms,
    restarted,
    stuck,
  })),
)('$title', async ({ alive, age_ms, min_age_ms, restarted, stuck }) => {
  const { session_id, thread_id } = await running(alive);
  ports.clock.ms += age_ms;
  const done = await reconcile({ min_age_ms });
  expect(done).toMatchObject({ restarted, stuck, complete: true });
  const run = 1 + restarted;
  expect(await sessionOf(session_id)).toMatchObject({ run, status: 'running', gsi2pk: 'RUNNING' });
  expect(await headOf(ports, thread_id)).toMatchObject({
    run,
    lease_holder: restarted === 1 ? null : 'somebody',
  });
  expect(ports.runs.started).toEqual(restarted === 1 ? [{ session_id, thread_id, run: 2 }] : []);
});

test('one that a step holds is left without asking, though it has been running for long', async () => {
  const { thread_id } = await running(false);
  ports.clock.ms += 600_000;
  await append(ports, thread_id, [aReply('still here')], {
    lease_until_ms: ports.clock.ms + limits.lease_ms,
  });
  ports.clock.ms += 60_000;
  ports.runs.alive = async () => await Promise.reject(new Error('asked'));
  expect(await reconcile()).toMatchObject({ restarted: 0, found: [] });
});

test('what clients send to a dead one does not keep it from being healed', async () => {
  const { session_id, thread_id } = await running(false);
  ports.clock.ms += 121_000;
  await queue(ports, thread_id, [aMessage('anybody there?')]);
  const at = ports.clock.now().toISOString();
  await ports.table.transact([changeSession(session_id, {}, at)]);
  expect(await reconcile()).toMatchObject({ restarted: 1 });
});

test('one that dies at every restart is started less and less often, and then ended', async () => {
  const { session_id, thread_id } = await running(false);
  await append(ports, thread_id, [], {
    open_span: 'sevt_span',
    calls: [{ event_id: 'sevt_call', tool_use_id: 'toolu_1', name: 'bash', state: 'started' }],
  });
  await queue(ports, thread_id, [aMessage('anybody there?')]);
  const minutes: number[] = [];
  let ended = 0;
  for (let minute = 1; ended === 0 && minute < 1_000; minute++) {
    ports.clock.ms += 60_000;
    ports.runs.running.clear();
    const { restarted, exhausted } = await reconcile();
    if (restarted === 1) minutes.push(minute);
    ended = exhausted;
  }
  expect(minutes).toHaveLength(limits.session_restarts_max);
  const waits = minutes.slice(1).map((minute, index) => minute - (minutes[index] ?? 0));
  expect(waits).toEqual([1, 2, 4, 8, 16, 32]);
  const head = await headOf(ports, thread_id);
  const { data } = await listEvents(ports, head, { limit: 100, order: 'asc' });
  expect(data.map(({ type }) => type)).toEqual([
    // No step has come so far as to say it.
    'session.status_running',
    'session.thread_status_running',
    'agent.tool_result',
    'span.model_request_end',
    'session.error',
    'session.thread_status_idle',
    'session.usage',
    'session.status_idle',
    // It waits for the next message.
    'user.message',
  ]);
  expect(data[4]).toMatchObject({ error: { retry_status: { type: 'exhausted' } } });
  const idle = { status: 'idle', stop_reason: { type: 'retries_exhausted' } };
  const session = await sessionOf(session_id);
  expect(session).toMatchObject(idle);
  expect(session?.gsi2pk).toBeUndefined();
  expect(head).toMatchObject({
    ...idle,
    calls: [],
    open_span: null,
    lease_holder: null,
    lease_fence: 1,
    queue: [{ type: 'user.message' }],
  });
  ports.clock.ms += 10_000_000;
  expect(await reconcile()).toMatchObject({ restarted: 0, exhausted: 0, stuck: 0 });
});

test('a new turn has all its restarts before it', async () => {
  const { session_id } = await running(false);
  ports.clock.ms += 121_000;
  await reconcile();
  expect(await sessionOf(session_id)).toMatchObject({ restarts_count: 1 });
  const at = ports.clock.now().toISOString();
  await ports.table.transact([changeSession(session_id, { start: { run: 3, at } }, at)]);
  const session = await sessionOf(session_id);
  expect([session?.restarts_count, session?.restarted_at]).toEqual([undefined, undefined]);
});

test('a host that starts again starts all again at once, and holds it against none', async () => {
  const { session_id } = await running(false);
  for (let n = 0; n <= limits.session_restarts_max; n++) {
    ports.clock.ms += 10;
    ports.runs.running.clear();
    expect(await reconcile({ min_age_ms: 0 })).toMatchObject({ restarted: 1, exhausted: 0 });
  }
  expect((await sessionOf(session_id))?.restarts_count).toBeUndefined();
});

test('two at once start one run', async () => {
  const { session_id } = await running(false);
  ports.clock.ms += 121_000;
  const both = await Promise.all([reconcile(), reconcile()]);
  expect(both.reduce((sum, { restarted }) => sum + restarted, 0)).toBe(1);
  expect(ports.runs.started.length).toBe(1);
  expect(await sessionOf(session_id)).toMatchObject({ run: 2 });
});

test('a start that is lost is made up for by the next reconcile', async () => {
  const { session_id } = await running(false);
  ports.clock.ms += 121_000;
  const { runs } = ports;
  const start = runs.start.bind(runs);
  runs.start = async () => await Promise.reject(new Error('lost'));
  const first = await reconcile();
  expect(first).toMatchObject({ restarted: 0 });
  expect(first.found).toMatchObject([{ what: 'restarted', error: new Error('lost') }]);
  runs.start = start;
  ports.clock.ms += 60_000;
  expect(await reconcile()).toMatchObject({ restarted: 1 });
  expect(ports.runs.started).toMatchObject([{ session_id, run: 3 }]);
});

test('one that came to rest since the index was read is left', async () => {
  const { session_id, thread_id } = await running(false);
  ports.clock.ms += 121_000;
  const { runs } = ports;
  runs.alive = async () => {
    await ports.table.update({
      update: threadKey(thread_id),
      expression: 'SET #status = :idle',
      names: { '#status': 'status' },
      values: { ':idle': 'idle' },
    });
    return false;
  };
  expect(await reconcile()).toMatchObject({ restarted: 0 });
  expect(await sessionOf(session_id)).toMatchObject({ run: 1 });
  expect(runs.started).toEqual([]);
});

test('one that cannot be healed is counted all the same, once it has not moved for half an hour', async () => {
  await running(false);
  ports.runs.alive = async () => await Promise.reject(new Error('no answer'));
  ports.clock.ms += limits.stuck_ms;
  expect(await reconcile()).toMatchObject({ restarted: 0, stuck: 0 });
  ports.clock.ms += 1;
  const { stuck, found } = await reconcile();
  expect(stuck).toBe(1);
  expect(found).toMatchObject([{ error: new Error('no answer') }, { what: 'stuck' }]);
});

test('one that cannot be healed does not keep the others from it', async () => {
  const ill = await running(false);
  const well = await running(false);
  ports.clock.ms += 121_000;
  const { runs } = ports;
  runs.alive = async (name) => {
    if (name.startsWith(ill.session_id)) throw new Error('no answer');
    return false;
  };
  const done = await reconcile();
  expect(done).toMatchObject({ restarted: 1, complete: true });
  expect(runs.started).toMatchObject([{ session_id: well.session_id }]);
});

test('it goes through any number, and stops when the time is up', async () => {
  for (let n = 0; n < 23; n++) await running(false);
  ports.clock.ms += 121_000;
  let asked = 0;
  const part = await reconcile({ is_time_up: () => (asked += 1) > 1 });
  expect(part).toMatchObject({ restarted: 10, complete: false });
  expect(await reconcile({ min_age_ms: 0 })).toMatchObject({ restarted: 13, complete: true });
});
