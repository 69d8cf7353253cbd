/**
 * The runs of a schedule: which sessions they take, when there is none, and what the history says of it.
 * EventBridge calls when the test says so, and dreams end as the test has it.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { anOperation } from '../dreams/samples.ts';
import { startScheduleRig, type ScheduleRig } from './schedule-rig.ts';

let rig: ScheduleRig;
beforeAll(async () => void (rig = await startScheduleRig()));
afterAll(async () => await rig.stop());

const schedules = () => rig.own.dreamSchedules;
const timers = () => rig.door.ports.firing.timers;

const berlin = { type: 'cron', expression: '0 3 * * *', timezone: 'Europe/Berlin' } as const;

test('a run takes what has rested and is new, never what opted out, and the next one the rest', async () => {
  rig.at('2026-11-28T12:00:00Z');
  const store_id = await rig.store();
  const id = await rig.schedule(store_id);
  const rested = [await rig.session(), await rig.session()];
  const off = await rig.session({ dreaming: 'off' });
  const running = await rig.session();
  await rig.change(running, { status: 'running', ended_at: null });
  const idle = await rig.session();
  await rig.change(idle, { ended_at: null });
  const failed = await rig.session();
  await rig.change(failed, { deleted_at: '2026-11-28T12:00:00Z' });
  const run = await schedules().run(id);
  expect(run).toMatchObject({ trigger: 'manual', state: 'dreaming', scheduled_at: null });
  const dream = await rig.client.beta.dreams.retrieve(run.dream_id ?? '');
  const [, sessions] = dream.inputs;
  const taken = sessions?.type === 'sessions' ? sessions.session_ids : [];
  expect(taken).toEqual(expect.arrayContaining(rested));
  for (const other of [off, running, idle, failed]) expect(taken).not.toContain(other);
  expect(run.sessions_count).toBe(taken.length);
  expect(rig.door.ports.dreams.started.map(({ name }) => name)).toContain(`${dream.id}-1`);
  expect((await schedules().retrieve(id)).dream_id).toBe(dream.id);

  // A dream that failed has read nothing.
  await rig.end(dream.id, { status: 'failed' });
  expect(await rig.newest(id)).toMatchObject({
    state: 'failed',
    reason: { type: 'dream_failed', message: 'It broke.' },
  });
  const second = await schedules().run(id);
  expect(second.sessions_count).toBe(taken.length);
  await rig.end(second.dream_id, {});
  expect(await rig.newest(id)).toMatchObject({ state: 'unchanged', reason: null });
  const asked = rig.door.ports.dreams.started.length;
  const third = await schedules().run(id);
  expect(third).toMatchObject({
    state: 'skipped',
    reason: { type: 'nothing_new' },
    dream_id: null,
  });
  expect(third.ended_at).not.toBeNull();
  expect(rig.door.ports.dreams.started).toHaveLength(asked);

  // What has worked since is new again.
  rig.at('2026-11-28T13:00:00Z');
  await rig.change(rested[0] ?? '', { ended_at: '2026-11-28T13:00:00.000Z' });
  expect(await schedules().run(id)).toMatchObject({ state: 'dreaming', sessions_count: 1 });
});

test('of more sessions than a dream reads it takes the newest, and counts the rest', async () => {
  rig.at('2026-12-20T12:00:00Z');
  const agent = await rig.client.beta.agents.create({ name: 'busy', model: 'claude-sonnet-5-5' });
  const made = await rig.restedSessions(agent.id, 103);
  const id = await rig.schedule(await rig.store(), { sessions: { agent_id: agent.id } });
  const run = await schedules().run(id);
  expect(run).toMatchObject({ sessions_count: 100, sessions_left_count: 3 });
  const dream = await rig.client.beta.dreams.retrieve(run.dream_id ?? '');
  const [, sessions] = dream.inputs;
  expect(sessions).toMatchObject({ session_ids: made.slice(3).toSorted() });
  await rig.end(run.dream_id, {});
  expect(await schedules().run(id)).toMatchObject({ sessions_count: 3, sessions_left_count: 0 });
});

test('one fire for one time, from two timers, twice, and at once', async () => {
  rig.at('2026-03-12T12:00:00Z');
  const store_id = await rig.store();
  // Friday the 13th is in both.
  const id = await rig.schedule(store_id, { schedule: { ...berlin, expression: '0 3 13 * FRI' } });
  await rig.session();
  rig.at('2026-03-13T02:00:01Z');
  const { firing } = rig.door.ports;
  const names = [id, `${id}-weekdays`, id];
  await Promise.all(names.map(async (name) => await firing.call(name, '2026-03-13T02:00:00Z')));
  const { data } = await schedules().runs(id);
  expect(data).toHaveLength(1);
  expect(data[0]).toMatchObject({
    trigger: 'schedule',
    state: 'dreaming',
    scheduled_at: '2026-03-13T02:00:00.000Z',
    missed_count: 0,
    processing: 'standard',
  });
  expect(data[0]).toEqual(await schedules().retrieveRun(id, data[0]?.id ?? ''));
  const started = rig.door.ports.dreams.started.filter(({ name }) =>
    name.startsWith(data[0]?.dream_id ?? '?'),
  );
  expect(started).toHaveLength(1);
});

test('a fire while the last dream runs is left out and says so, a late one is counted as missed', async () => {
  rig.at('2026-11-28T12:00:00Z');
  const id = await rig.schedule(await rig.store());
  await rig.session();
  const { firing } = rig.door.ports;
  rig.at('2026-11-29T02:00:01Z');
  const first = await firing.call(id, '2026-11-29T02:00:00Z');
  rig.at('2026-11-30T02:00:01Z');
  await firing.call(id, '2026-11-30T02:00:00Z');
  expect(await rig.newest(id)).toMatchObject({
    state: 'skipped',
    reason: { type: 'overlapping', message: expect.stringContaining(first?.dream_id ?? '?') },
  });
  await rig.end(first?.dream_id ?? '', {});
  await rig.session();
  rig.at('2026-12-03T02:00:01Z');
  await firing.call(id, '2026-12-03T02:00:00Z');
  expect(await rig.newest(id)).toMatchObject({
    state: 'dreaming',
    missed_count: 2,
    missed_since: '2026-12-01T02:00:00.000Z',
  });
});

test('a fire that does not come is made good once, also when it comes after all', async () => {
  rig.at('2026-11-28T12:00:00Z');
  const id = await rig.schedule(await rig.store());
  await rig.session();
  const { firing } = rig.door.ports;
  // Nobody has touched the timer but AWS: it is told again.
  timers().all.delete(id);
  rig.at('2026-11-30T02:05:00Z');
  await firing.heal(id);
  expect((await schedules().runs(id)).data).toMatchObject([
    { trigger: 'catch_up', scheduled_at: '2026-11-29T02:00:00.000Z', missed_count: 2 },
  ]);
  expect(timers().all.has(id)).toBe(true);
  await firing.call(id, '2026-11-29T02:00:00Z');
  expect((await schedules().runs(id)).data).toHaveLength(1);
  await firing.heal(id);
  expect((await schedules().runs(id)).data).toHaveLength(1);
});

test('an outage of more fires than are counted is made good by one run', async () => {
  rig.at('2026-11-20T12:00:00Z');
  const id = await rig.schedule(await rig.store(), {
    schedule: { ...berlin, expression: '*/30 * * * *' },
  });
  const { firing } = rig.door.ports;
  rig.at('2026-11-28T12:10:00Z');
  await firing.heal(id);
  await firing.heal(id);
  const { data } = await schedules().runs(id);
  expect(data.map(({ trigger }) => trigger)).toEqual(['catch_up']);
  expect((await rig.head(id)).due_at).toBe('2026-11-28T12:30:00.000Z');
});

test('a timer that is behind fires for nothing, and is brought up', async () => {
  rig.at('2026-11-28T12:00:00Z');
  const id = await rig.schedule(await rig.store());
  const old = timers().all.get(id);
  await schedules().update(id, { schedule: { ...berlin, expression: '0 5 * * *' } });
  if (old !== undefined) timers().all.set(id, old);
  rig.at('2026-11-29T02:00:01Z');
  await rig.door.ports.firing.call(id, '2026-11-29T02:00:00Z');
  expect((await schedules().runs(id)).data).toEqual([]);
  expect(timers().all.get(id)?.expression).toBe('cron(0 5 * * ? *)');
});

test('a run whose function died before its dream is gone on with', async () => {
  rig.at('2026-11-28T12:00:00Z');
  const id = await rig.schedule(await rig.store());
  await rig.session();
  const { firing } = rig.door.ports;
  firing.is_away = true;
  const run = await schedules().run(id);
  firing.is_away = false;
  expect(run).toMatchObject({ state: 'starting', dream_id: null });
  const head = await rig.head(id);
  expect(head.gsi2pk).toBe('SCHEDULED');
  expect(head.gsi2sk?.startsWith(run.started_at)).toBe(true);
  await Promise.all([firing.heal(id), firing.heal(id)]);
  expect(await schedules().retrieveRun(id, run.id)).toMatchObject({ state: 'dreaming' });
});

test('a store that is gone ends the run, pauses the schedule, and says so', async () => {
  rig.at('2026-11-28T12:00:00Z');
  const store_id = await rig.store();
  const id = await rig.schedule(store_id);
  await rig.client.beta.memoryStores.archive(store_id);
  expect(await schedules().run(id)).toMatchObject({
    state: 'skipped',
    reason: { type: 'memory_store_unavailable', message: expect.stringContaining(store_id) },
  });
  expect(await schedules().retrieve(id)).toMatchObject({
    status: 'paused',
    paused_reason: { type: 'memory_store_unavailable' },
  });
  await expect(schedules().unpause(id)).rejects.toMatchObject({ status: 400 });
});

test('dreams that fail three times pause their schedule', async () => {
  rig.at('2026-11-28T12:00:00Z');
  const id = await rig.schedule(await rig.store());
  await rig.session();
  for (let n = 0; n < 3; n++) {
    const { dream_id } = await schedules().run(id);
    await rig.end(dream_id, { status: 'failed' });
  }
  expect(await schedules().retrieve(id)).toMatchObject({
    status: 'paused',
    paused_reason: { type: 'dreams_failing', message: expect.stringContaining('It broke.') },
  });
  expect(await schedules().unpause(id)).toMatchObject({ status: 'active' });
});

test('a dream that was canceled is told, and its sessions are taken again', async () => {
  rig.at('2026-11-28T12:00:00Z');
  const id = await rig.schedule(await rig.store(), { mode: 'auto' });
  await rig.session();
  const { dream_id, sessions_count } = await schedules().run(id);
  const operations = [anOperation('c0001', { op: 'add', path: '/notes/n.md', text: 'n\n' })];
  await rig.end(dream_id, { status: 'canceled', operations });
  expect(await rig.newest(id)).toMatchObject({ state: 'canceled', applied_count: 0 });
  expect(await schedules().run(id)).toMatchObject({ state: 'dreaming', sessions_count });
});
