/**
 * Rule: wherever the fire function dies, what is due is dreamt once, applied once and told once. It is
 * killed around its calls, from the timer's call to the end of the run: all of them with `CRASH=all`,
 * else a sample.
 */
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ReverieClient } from '#shared/client/reverie-client.ts';
import type { DreamScheduleRun } from '#shared/dream-schedules/show-run.ts';
import { askedFor } from '../functions/dream/dreamer.ts';
import { startDreamRig, type DreamRig } from '../functions/dream/rig.ts';
import { answer } from '../model/replies.ts';
import { ADMIN_KEY, message } from '../rig.ts';
import { lookUntil } from '../look.ts';
import { Boundaries, isMet, sampled, type Death } from './boundaries.ts';

/** Deaths that a run of the suite tries. */
const DEATHS = 3;

const boundaries = new Boundaries('fire');

let rig: DreamRig;
let own: ReverieClient;

beforeAll(async () => {
  rig = await startDreamRig({ hooks: boundaries.hooks });
  own = new ReverieClient(new Anthropic({ baseURL: rig.host.base_url, apiKey: ADMIN_KEY }));
  rig.answers = (request) => {
    if (askedFor(request) === 'questions') {
      return answer({ questions: [{ n: 0, question: 'Which port?', expected: '8443' }] });
    }
    return askedFor(request) === 'answers'
      ? answer({ answers: [{ n: 0, answer: '8443' }] })
      : undefined;
  };
});
afterAll(async () => {
  expect(rig.model.violations).toEqual([]);
  await rig.close();
});

/** An agent's session that has something to learn from. @returns the agent */
async function talk(): Promise<string> {
  const agent = await rig.agent({ tools: [] });
  const { environment_id } = rig;
  const { id } = await rig.client.beta.sessions.create({ agent, environment_id });
  await rig.send(id, message('LESSON about ports: the staging port is 8443.'));
  await rig.rested(id);
  return agent;
}

/** A schedule that is due two minutes from now. */
async function schedule(memory_store_id: string, agent_id: string): Promise<string> {
  const due = new Date(rig.host.clock.now_ms() + 120_000);
  const expression = `${due.getUTCMinutes()} ${due.getUTCHours()} * * *`;
  const { id } = await own.dreamSchedules.create({
    name: 'Night',
    schedule: { type: 'cron', expression, timezone: 'UTC' },
    memory_store_id,
    model: 'claude-sonnet-5-5',
    mode: 'auto',
    sessions: { agent_id },
  });
  return id;
}

async function ended(id: string): Promise<DreamScheduleRun[]> {
  return await lookUntil(
    rig.host,
    async () => {
      const { data } = await own.dreamSchedules.runs(id);
      const is_over = data.length > 0 && data.every(({ ended_at }) => ended_at !== null);
      return is_over ? data : undefined;
    },
    { step_ms: 500, stuck: () => `no run of ${id} has ended` },
  );
}

/** What one night came to, in words that do not hang on its ids. */
async function night(dying?: Death<'fire'>): Promise<string> {
  const store_id = await rig.store({});
  const id = await schedule(store_id, await talk());
  const from = rig.model.requests.length;
  boundaries.begin(dying);
  await rig.host.advance(121_000);
  const runs = await ended(id);
  const died = boundaries.end();
  const texts = Object.values(await rig.texts(store_id)).join('');
  const asked = rig.model.requests.slice(from).map((request) => askedFor(request));
  await own.dreamSchedules.archive(id);
  if (!died) missed += 1;
  return JSON.stringify({
    // One that died before it was written down is begun by whoever catches up: that is another trigger.
    runs: runs.map(({ state, reason, sessions_count, applied_count }) => {
      return { state, reason, sessions_count, applied_count };
    }),
    said: texts.split('8443').length - 1,
    lessons: asked.filter((one) => one === 'lessons').length,
  });
}

let missed = 0;

test('a night whose fire function dies anywhere is dreamt, applied and told once', async () => {
  await night();
  const whole = await night();
  expect(whole).toContain('"state":"applied"');
  const deaths = sampled(boundaries.all(), DEATHS);
  expect(deaths.length).toBeGreaterThanOrEqual(DEATHS);
  missed = 0;
  const broken: unknown[] = [];
  for (const { place, ...dying } of deaths) {
    // oxlint-disable-next-line no-await-in-loop -- one death at a time
    const end = await night(dying).catch((error: unknown) => String(error));
    if (end !== whole) broken.push({ ...dying, place, end });
  }
  expect({ broken, whole }).toEqual({ broken: [], whole });
  expect(isMet(missed, deaths)).toBe(true);
}, 1_800_000);
