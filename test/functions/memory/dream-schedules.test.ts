/**
 * Schedules of dreams, through the typed client: what is taken and refused, how they live, and what their
 * timers are told.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '#shared/core/id.ts';
import { admin_key } from '../api/door.ts';
import { statusesOf } from './refusals.ts';
import { startScheduleRig, type ScheduleRig } from '../../shared/dream-schedules/schedule-rig.ts';

let rig: ScheduleRig;
beforeAll(async () => void (rig = await startScheduleRig()));
afterAll(async () => await rig.stop());

const schedules = () => rig.own.dreamSchedules;
const timers = () => rig.door.ports.firing.timers;

const berlin = { type: 'cron', expression: '0 3 * * *', timezone: 'Europe/Berlin' } as const;

test('a schedule shows all that it does, and when it will', async () => {
  rig.at('2026-03-27T12:00:00Z');
  const memory_store_id = await rig.store();
  const made = await schedules().create({
    name: 'nightly',
    schedule: { ...berlin, expression: '30 2 * * *' },
    memory_store_id,
    model: 'claude-sonnet-5-5',
  });
  expect(made).toEqual({
    type: 'dream_schedule',
    id: expect.stringMatching(/^dsch_/),
    name: 'nightly',
    status: 'active',
    paused_reason: null,
    schedule: {
      type: 'cron',
      expression: '30 2 * * *',
      timezone: 'Europe/Berlin',
      last_run_at: null,
      // The night of the 29th has no half past two.
      upcoming_runs_at: ['28T01', '30T00', '31T00']
        .map((at) => `2026-03-${at}:30:00.000Z`)
        .concat(['01', '02'].map((day) => `2026-04-${day}T00:30:00.000Z`)),
    },
    memory_store_id,
    sessions: {
      agent_id: null,
      statuses: ['idle', 'terminated'],
      outcome_results: null,
      max_age_days: 30,
      only_new: true,
    },
    model: { id: 'claude-sonnet-5-5', speed: 'standard' },
    instructions: null,
    mode: 'review',
    processing: 'standard',
    retention: { notes_days: null, playbooks_days: null, reviews_days: null, copies_days: null },
    federation: null,
    timer: { state: 'ready', error: null },
    dream_id: null,
    created_at: expect.any(String),
    created_by: expect.any(String),
    updated_at: expect.any(String),
    archived_at: null,
  });
  expect(await schedules().retrieve(made.id)).toEqual(made);
  expect((await schedules().list({ memory_store_id })).data).toEqual([made]);
  expect(timers().all.get(made.id)).toMatchObject({
    expression: 'cron(30 2 * * ? *)',
    timezone: 'Europe/Berlin',
    is_enabled: true,
  });
});

test('what cannot be is refused by its name, and nothing is made', async () => {
  const memory_store_id = await rig.store();
  const before = timers().all.size;
  const base = { name: 'n', schedule: berlin, memory_store_id, model: 'claude-sonnet-5-5' };
  const wrong: [more: object, status: number, says: RegExp][] = [
    [{ schedule: { ...berlin, expression: '0 3 L * *' } }, 400, /schedule.expression: 'L'/],
    [{ schedule: { ...berlin, timezone: 'Mars/Base' } }, 400, /schedule.timezone: is no IANA/],
    [{ schedule: { ...berlin, timezone: undefined } }, 400, /schedule.timezone: is required/],
    [{ schedule: { ...berlin, type: 'rate' } }, 400, /schedule.type/],
    [{ cron: '0 3 * * *' }, 400, /cron: unknown field/],
    [{ model: 'gpt-4' }, 400, /model.*does not dream/],
    [{ mode: 'yolo' }, 400, /mode: must be 'review' or 'auto'/],
    [{ processing: 'later' }, 400, /processing: must be 'standard' or 'batch'/],
    [
      { processing: 'batch', model: { id: 'claude-opus-5', speed: 'fast' } },
      400,
      /model.*speed: must be 'standard'/,
    ],
    [{ retention: { notes_days: 0 } }, 400, /retention.notes_days/],
    [{ sessions: { max_age_days: 1_000 } }, 400, /sessions.max_age_days/],
    [{ sessions: { statuses: [] } }, 400, /sessions.statuses/],
    [{ sessions: { agent_id: 'x' } }, 400, /sessions.agent_id: must be the id/],
    [{ sessions: { agent_id: newId('agent') } }, 404, /sessions.agent_id/],
    [{ memory_store_id: newId('memory_store') }, 404, /memory store/],
    [{ federation: { memory_store_ids: [memory_store_id] } }, 400, /schedule itself/],
    [{ federation: { memory_store_ids: [newId('memory_store')] } }, 404, /memory store/],
    [{ name: '' }, 400, /name/],
  ];
  for (const [more, status, says] of wrong) {
    const refused = schedules().create({ ...base, ...more } as never);
    await expect(refused).rejects.toMatchObject({
      status,
      message: expect.stringMatching(says),
    });
  }
  const archived = await rig.store();
  await rig.client.beta.memoryStores.archive(archived);
  await expect(rig.schedule(archived)).rejects.toMatchObject({ status: 400 });
  expect(timers().all.size).toBe(before);
});

test('no body at all breaks it', async () => {
  const memory_store_id = await rig.store();
  const any = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.string({ unit: 'binary' }));
  const given = <T>(value: T) => fc.oneof(fc.constant(value), any);
  const body = fc.record(
    {
      name: given('n'),
      schedule: fc.oneof(
        any,
        fc.record({
          type: given('cron'),
          expression: fc.oneof(fc.stringMatching(/^[\d*,/\- ]{0,30}$/), given('0 3 * * *')),
          timezone: given('UTC'),
        }),
      ),
      memory_store_id: given(memory_store_id),
      model: given('claude-sonnet-5-5'),
      sessions: given({}),
      retention: given(null),
      federation: given(null),
      instructions: given('Be brief.'),
      processing: given('batch'),
    },
    { requiredKeys: ['schedule'] },
  );
  const statuses = new Set<number>();
  await fc.assert(
    fc.asyncProperty(body, async (sent) => {
      const response = await fetch(`${rig.door.baseURL}/v1/reverie/dream_schedules`, {
        method: 'POST',
        headers: { 'x-api-key': admin_key, 'content-type': 'application/json' },
        body: JSON.stringify(sent),
      });
      statuses.add(response.status);
      expect(response.status).toBeLessThan(500);
    }),
    { numRuns: 25 },
  );
  expect([...statuses]).toContain(400);
});

test('batches are kept with the schedule, and refused by name where the provider has none', async () => {
  rig.at('2026-11-28T12:00:00Z');
  const store_id = await rig.store();
  const id = await rig.schedule(store_id, { processing: 'batch' });
  expect(await schedules().retrieve(id)).toMatchObject({ processing: 'batch' });
  expect(await schedules().update(id, { name: 'b' })).toMatchObject({ processing: 'batch' });
  // The history says how each dream has asked, whatever the schedule is like by now.
  await rig.session();
  const runs = [await schedules().run(id), await schedules().run(id)];
  expect(runs).toMatchObject([
    { state: 'dreaming', processing: 'batch' },
    { state: 'skipped', processing: null },
  ]);
  const standard = { processing: 'standard' };
  expect(await schedules().update(id, { processing: null })).toMatchObject(standard);
  const { ports } = rig.door;
  ports.model_provider = 'bedrock';
  for (const refused of [
    rig.schedule(store_id, { processing: 'batch' }),
    schedules().update(id, { processing: 'batch' }),
  ]) {
    await expect(refused).rejects.toMatchObject({
      status: 400,
      error: { error: { type: 'invalid_request_error' } },
      message: expect.stringMatching(/processing: .*'bedrock'.*Use 'standard'/),
    });
  }
  ports.model_provider = 'anthropic';
  expect(await schedules().retrieve(id)).toMatchObject(standard);
  const run = await schedules().retrieveRun(id, runs[0]?.id ?? '');
  expect(run).toMatchObject({ processing: 'batch' });
});

test('a change is told to the timers, and what needs two of them has two', async () => {
  rig.at('2026-11-28T12:00:00Z');
  const id = await rig.schedule(await rig.store());
  const both = { ...berlin, expression: '0 3 13 * FRI' };
  const changed = await schedules().update(id, { schedule: both, mode: 'auto', name: 'b' });
  expect(changed).toMatchObject({ name: 'b', mode: 'auto', timer: { state: 'ready' } });
  expect(changed.schedule.upcoming_runs_at[0]).toBe('2026-12-04T02:00:00.000Z');
  const expressions = () =>
    [id, `${id}-weekdays`].map((name) => timers().all.get(name)?.expression);
  expect(expressions()).toEqual(['cron(0 3 13 * ? *)', 'cron(0 3 ? * 6 *)']);
  await schedules().update(id, { schedule: berlin });
  expect(expressions()).toEqual(['cron(0 3 * * ? *)', undefined]);
  // What changes nothing is not written.
  const { version } = await rig.head(id);
  await schedules().update(id, { mode: 'auto' });
  expect((await rig.head(id)).version).toBe(version);
});

test('paused it fires no more, unpaused it makes nothing good, archived it ends', async () => {
  rig.at('2026-11-28T12:00:00Z');
  const id = await rig.schedule(await rig.store());
  const paused = await schedules().pause(id);
  expect(paused).toMatchObject({ status: 'paused', paused_reason: { type: 'manual' } });
  expect(paused.schedule.upcoming_runs_at).toHaveLength(5);
  expect(timers().all.get(id)?.is_enabled).toBe(false);
  expect(await schedules().pause(id)).toEqual(paused);
  rig.at('2026-12-05T12:00:00Z');
  const again = await schedules().unpause(id);
  expect(again).toMatchObject({ status: 'active', paused_reason: null });
  expect((await rig.head(id)).due_at).toBe('2026-12-06T02:00:00.000Z');
  await rig.door.ports.firing.heal(id);
  expect((await schedules().runs(id)).data).toEqual([]);
  const archived = await schedules().archive(id);
  expect(archived.archived_at).not.toBeNull();
  expect(archived.schedule.upcoming_runs_at).toEqual([]);
  expect(timers().all.has(id)).toBe(false);
  expect((await rig.head(id)).gsi2pk).toBeUndefined();
  const refused = [schedules().unpause(id), schedules().run(id), schedules().pause(id)];
  expect(await statusesOf(refused)).toEqual([400]);
  const listed = (await schedules().list()).data.map((one) => one.id);
  expect(listed).not.toContain(id);
  expect((await schedules().list({ include_archived: true })).data[0]?.id).toBeDefined();
});

test('a timer that could not be told is told by reconcile, and says why not meanwhile', async () => {
  rig.at('2026-11-28T12:00:00Z');
  const { firing } = rig.door.ports;
  firing.is_away = true;
  const id = await rig.schedule(await rig.store());
  firing.is_away = false;
  expect(await schedules().retrieve(id)).toMatchObject({
    timer: { state: 'pending', error: null },
  });
  const refusal = Object.assign(new Error('No such zone.'), { name: 'ValidationException' });
  timers().failure = refusal;
  await firing.heal(id);
  const told = { state: 'pending', error: 'No such zone.' };
  expect((await schedules().retrieve(id)).timer).toEqual(told);
  // It is where reconcile looks.
  expect((await rig.head(id)).gsi2pk).toBe('SCHEDULED');
  await firing.heal(id);
  expect((await schedules().retrieve(id)).timer).toEqual({ state: 'ready', error: null });
});
