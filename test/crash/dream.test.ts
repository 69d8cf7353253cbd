/**
 * Rule: a dream whose function dies anywhere ends as it would have ended. Each time the same texts must
 * stand in the copy, the input must be untouched, each piece told once and each request a span with one
 * end, and what the model was used for must be counted once. A dream takes seconds: a run of the
 * suite kills at a sample of the boundaries; `CRASH=all` kills at each.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Crash } from '../../infra/local/aws-error.ts';
import type { Call } from '../../infra/local/gateway.ts';
import { ReverieClient } from '#shared/client/reverie-client.ts';
import { limits } from '#shared/core/limits.ts';
import { processings, type Processing } from '#shared/dreams/dream.ts';
import { askedFor } from '../functions/dream/dreamer.ts';
import { startDreamRig, type DreamRig } from '../functions/dream/rig.ts';
import { lastText } from '../model/model.ts';
import { all } from '../rig.ts';
import { Boundaries, isMet, sampled, type Boundary, type Death } from './boundaries.ts';

/** Deaths that a run of the suite tries: half of them in dreams by batches. */
const DEATHS = 6;

let rig: DreamRig;
let store_id: string;
let session_id: string;
const boundaries = new Boundaries('dream');
/** Die once before the call that names this. */
let fatal: string | undefined;

function dieOnce(made: Call): void {
  if (made.function_name !== 'dream') return;
  if (fatal === undefined || !made.resource.includes(fatal)) return;
  fatal = undefined;
  throw new Crash();
}

beforeAll(async () => {
  rig = await startDreamRig({
    hooks: {
      ...boundaries.hooks,
      before: (made) => {
        dieOnce(made);
        return boundaries.hooks.before?.(made);
      },
    },
  });
  store_id = await rig.store({ '/notes/ports.md': 'ports: the staging port is 8080.\n' });
  session_id = await rig.talk('LESSON about ports: the staging port is 8443.');
});
afterAll(async () => {
  expect(rig.model.violations).toEqual([]);
  await rig.close();
});

async function begin(processing: Processing): Promise<string> {
  if (processing === 'standard') return (await rig.dream(store_id, [session_id])).id;
  const { dreamSchedules } = new ReverieClient(rig.client);
  const schedule = await dreamSchedules.create({
    name: 'cheap',
    schedule: { type: 'cron', expression: '0 3 1 1 *', timezone: 'UTC' },
    memory_store_id: store_id,
    model: 'claude-sonnet-5-5',
    processing,
    sessions: { only_new: false },
  });
  const { dream_id } = await dreamSchedules.run(schedule.id);
  await dreamSchedules.archive(schedule.id);
  return dream_id ?? '';
}

/** What a dream came to, in words that do not hang on its ids. */
async function run(processing: Processing, dying?: Death<'dream'>): Promise<string> {
  boundaries.begin(dying);
  const id = await begin(processing);
  const dream = await rig.settled(id);
  const texts = await rig.texts(dream.outputs[0]?.memory_store_id ?? '');
  const events = await rig.events(dream.session_id ?? '');
  const ends = all(events, 'span.model_request_end');
  const { usage } = dream;
  // Another request of the same beginning finds it in the provider's cache: only the sum is the same.
  const input =
    usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens;
  return JSON.stringify({
    status: dream.status,
    error: dream.error,
    paths: Object.keys(texts),
    port: texts['/notes/ports.md']?.includes('8443'),
    said: all(events, 'agent.message').length,
    starts: all(events, 'span.model_request_start').length,
    ends: ends.length,
    spent: ends.reduce((sum, { model_usage }) => sum + model_usage.output_tokens, 0),
    output: usage.output_tokens,
    input: Math.round(input / 100),
  });
}

test('a dream killed at any boundary ends the same, and is charged once', async () => {
  const input = await rig.hash(store_id);
  const deaths: Boundary<'dream'>[] = [];
  const broken: string[] = [];
  let missed = 0;
  for (const processing of processings) {
    // oxlint-disable-next-line no-await-in-loop -- one death at a time, in one function
    const whole = await run(processing);
    expect(whole).toContain('"status":"completed"');
    expect(whole).toContain('"port":true');
    const own = sampled(boundaries.all(), DEATHS / processings.length);
    for (const dying of own) {
      // oxlint-disable-next-line no-await-in-loop -- likewise
      const outcome = await run(processing, dying).catch((error: unknown) => String(error));
      if (!boundaries.end()) missed += 1;
      const { at, side, place } = dying;
      if (outcome !== whole)
        broken.push(`${processing}, ${side} call ${at} (${place}): ${outcome}`);
    }
    deaths.push(...own);
  }
  expect(broken).toEqual([]);
  expect(deaths.length).toBeGreaterThanOrEqual(DEATHS);
  expect(isMet(missed, deaths)).toBe(true);
  expect(await rig.hash(store_id)).toBe(input);
}, 1_800_000);

test('a dream of many pieces goes on with the piece at which it died, and asks for none again', async () => {
  const filler = 'x'.repeat(limits.piece_chars_max - limits.piece_overlap_chars);
  const long = await rig.talk(
    `one ${filler}`,
    `two ${filler}`,
    `three ${filler}`,
    `four ${filler}`,
  );
  const asked = () => rig.model.requests.filter((request) => askedFor(request) === 'lessons');
  const before = asked().length;
  fatal = 'pieces/0/2.json';
  const { id } = await rig.dream(store_id, [long]);
  const dream = await rig.settled(id);
  expect(dream.status).toBe('completed');
  expect(fatal).toBeUndefined();
  const texts = asked()
    .slice(before)
    .map(({ body }) => lastText(body));
  expect(texts.length).toBeGreaterThan(3);
  expect(new Set(texts).size).toBe(texts.length);
  const ends = all(await rig.events(dream.session_id ?? ''), 'span.model_request_end');
  expect(ends).toHaveLength(texts.length);
  const spent = ends.reduce((sum, { model_usage }) => sum + model_usage.output_tokens, 0);
  expect(dream.usage.output_tokens).toBe(spent);
}, 300_000);
