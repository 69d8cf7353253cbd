/**
 * Schedules on the local host, from the template, on a clock that jumps: a night that learns, a month with
 * its changes of clocks, and a host that was away when it should have fired.
 */
import Anthropic from '@anthropic-ai/sdk';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ReverieClient } from '#shared/client/reverie-client.ts';
import type { DreamScheduleRun } from '#shared/dream-schedules/show-run.ts';
import { HostClock } from '../../../infra/local/clock.ts';
import { startHost } from '../../../infra/local/host.ts';
import { answer } from '../../model/replies.ts';
import { ADMIN_KEY } from '../../rig.ts';
import { withSlowReconcile } from '../../slow-reconcile.ts';
import { askedFor } from '../dream/dreamer.ts';
import { startDreamRig, type DreamRig } from '../dream/rig.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let rig: DreamRig;
let folder: string;
let own: ReverieClient;

function clientOf(baseURL: string): ReverieClient {
  return new ReverieClient(new Anthropic({ baseURL, apiKey: ADMIN_KEY, maxRetries: 0 }));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reverie-month-'));
  rig = await startDreamRig({
    data_dir: folder,
    clock: new HostClock(new Date('2026-03-14T12:00:00Z')),
    template: withSlowReconcile,
  });
  own = clientOf(rig.host.base_url);
});
afterAll(async () => {
  await rig.close();
  await rm(folder, { recursive: true, force: true });
});

async function schedule(
  store_id: string,
  expression: string,
  timezone: string,
  agent_id: string | null = null,
): Promise<string> {
  const { id, timer } = await own.dreamSchedules.create({
    name: `${expression} in ${timezone}`,
    schedule: { type: 'cron', expression, timezone },
    memory_store_id: store_id,
    model: 'claude-sonnet-5-5',
    mode: 'auto',
    sessions: { agent_id },
  });
  // The row, the function that is told, its role, and Scheduler behind it.
  expect(timer).toEqual({ state: 'ready', error: null });
  return id;
}

async function runsOf(client: ReverieClient, id: string): Promise<DreamScheduleRun[]> {
  const runs: DreamScheduleRun[] = [];
  for (let page: string | null | undefined; page !== null;) {
    const next = await client.dreamSchedules.runs(id, { limit: 100, ...(page ? { page } : {}) });
    runs.push(...next.data);
    page = next.next_page;
  }
  return runs.toReversed();
}

async function until<T>(found: () => Promise<T | undefined>): Promise<T> {
  for (let look = 0; look < 1_000; look++) {
    const result = await found();
    if (result !== undefined) return result;
    await sleep(20);
    await rig.host.advance(200);
  }
  throw new Error('it never came');
}

/** As a clock on a wall there would show it. */
function local(run: DreamScheduleRun, timeZone: string): string {
  const at = new Date(run.scheduled_at ?? '');
  return at.toLocaleString('sv-SE', { timeZone }).slice(0, 16);
}

test('a night learns from the day, applies it by itself, and the next one costs nothing', async () => {
  rig.answers = (request) => {
    if (askedFor(request) === 'questions') {
      return answer({ questions: [{ n: 0, question: 'Which port?', expected: '8443' }] });
    }
    return askedFor(request) === 'answers'
      ? answer({ answers: [{ n: 0, answer: '8443' }] })
      : undefined;
  };
  const store_id = await rig.store({});
  const id = await schedule(store_id, '0 3 * * *', 'Europe/Berlin');
  await rig.talk('LESSON about ports: the staging port is 8443.');
  await rig.host.advance(Date.parse('2026-03-15T02:00:01Z') - rig.host.clock.now_ms());
  const run = await until(async () => {
    const [first] = await runsOf(own, id);
    return first?.ended_at == null ? undefined : first;
  });
  expect(run).toMatchObject({
    trigger: 'schedule',
    scheduled_at: '2026-03-15T02:00:00.000Z',
    state: 'applied',
    reason: null,
    sessions_count: 1,
    missed_count: 0,
  });
  expect(run.applied_count).toBeGreaterThan(0);
  expect(Object.values(await rig.texts(store_id)).join('')).toContain('8443');
  expect(await rig.settled(run.dream_id ?? '')).toMatchObject({ status: 'completed' });

  const asked = rig.model.requests.filter((request) => askedFor(request) !== undefined).length;
  await rig.host.advance(DAY_MS);
  expect((await runsOf(own, id))[1]).toMatchObject({
    scheduled_at: '2026-03-16T02:00:00.000Z',
    state: 'skipped',
    reason: { type: 'nothing_new' },
    dream_id: null,
  });
  expect(rig.model.requests.filter((request) => askedFor(request) !== undefined)).toHaveLength(
    asked,
  );
  await own.dreamSchedules.archive(id);
}, 120_000);

test('a month fires at the right times of each wall, once, over changes of the clocks', async () => {
  const store_id = await rig.store({});
  // Of an agent without sessions: nothing is dreamt while the clock jumps.
  const agent_id = await rig.agent();
  await rig.host.advance(Date.parse('2026-03-20T12:00:00Z') - rig.host.clock.now_ms());
  const zones: [zone: string, expression: string, nights: number, local_time: string][] = [
    // The 29th of March has no half past two.
    ['Europe/Berlin', '30 2 * * *', 30, '02:30'],
  ];
  const made = await Promise.all(
    zones.map(async ([zone, expression]) => await schedule(store_id, expression, zone, agent_id)),
  );
  // Fridays and the 13th: two timers, and no day twice.
  const both = await schedule(store_id, '0 6 13 * FRI', 'Asia/Kolkata', agent_id);
  await rig.host.advance(31 * DAY_MS);
  for (const [index, [zone, , nights, time]] of zones.entries()) {
    const runs = await runsOf(own, made[index] ?? '');
    const times = runs.map((run) => local(run, zone));
    expect(times).toHaveLength(nights);
    expect(new Set(times).size).toBe(nights);
    expect(new Set(times.map((at) => at.slice(11)))).toEqual(new Set([time]));
    expect(new Set(runs.map(({ state, reason }) => `${state} ${reason?.type}`))).toEqual(
      new Set(['skipped nothing_new']),
    );
    // Each began when it was due, and none was missed.
    const late = runs.filter(
      (run) => Date.parse(run.started_at) - Date.parse(run.scheduled_at ?? '') > 60_000,
    );
    expect(late).toEqual([]);
    expect(runs.filter(({ missed_count }) => missed_count > 0)).toEqual([]);
    expect(times.includes('2026-03-29 02:30')).toBe(false);
  }
  expect((await runsOf(own, both)).map((run) => local(run, 'Asia/Kolkata'))).toEqual(
    ['03-27', '04-03', '04-10', '04-13', '04-17'].map((day) => `2026-${day} 06:00`),
  );
  await Promise.all([...made, both].map((id) => own.dreamSchedules.archive(id)));
}, 300_000);

test('a host that was away makes a fire good, once, and its timers are still there', async () => {
  const store_id = await rig.store({});
  const id = await schedule(store_id, '0 3 * * *', 'UTC', await rig.agent());
  const before = rig.host.clock.now();
  await rig.host.stop();
  const next_day = new Date(Math.floor(before.getTime() / DAY_MS) * DAY_MS + 2 * DAY_MS);
  const host = await startHost({
    data_dir: folder,
    admin_key: ADMIN_KEY,
    model: { api_key: 'model-key', base_url: rig.model.url },
    // Two fires later, at four in the morning.
    clock: new HostClock(new Date(next_day.getTime() + 4 * HOUR_MS)),
    template: withSlowReconcile,
    is_warmed: false,
  });
  try {
    await host.reconciled;
    const client = clientOf(host.base_url);
    let runs: DreamScheduleRun[] = [];
    for (let look = 0; look < 500 && runs.length === 0; look++) {
      await sleep(20);
      runs = await runsOf(client, id);
    }
    expect(runs).toMatchObject([
      {
        trigger: 'catch_up',
        scheduled_at: new Date(next_day.getTime() + 3 * HOUR_MS).toISOString(),
        missed_count: 2,
      },
    ]);
    await host.advance(DAY_MS);
    expect(
      (await runsOf(client, id)).map(({ trigger, missed_count }) => [trigger, missed_count]),
    ).toEqual([
      ['catch_up', 2],
      ['schedule', 0],
    ]);
  } finally {
    await host.stop();
  }
}, 120_000);
