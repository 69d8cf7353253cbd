/**
 * Dreams by batches on the local host, with the batches of the scripted model: the same as others, at half
 * the price, whatever becomes of a batch on the way.
 */
import type { BetaDream } from '@anthropic-ai/sdk/resources/beta/dreams';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ReverieClient } from '#shared/client/reverie-client.ts';
import { S3Blobs } from '#shared/core/blobs-s3.ts';
import { limits } from '#shared/core/limits.ts';
import type { MessageCreateParams } from '@anthropic-ai/sdk/resources/messages';
import { say } from '../../model/replies.ts';
import { all } from '../../rig.ts';
import { askedFor } from './dreamer.ts';
import { startDreamRig, type DreamRig } from './rig.ts';

const memories = { '/notes/ports.md': 'ports: the staging port is 8080.\n' };

let rig: DreamRig;
let own: ReverieClient;
let store_id: string;
let session_id: string;
let blobs: S3Blobs;

beforeAll(async () => {
  rig = await startDreamRig();
  own = new ReverieClient(rig.client);
  blobs = new S3Blobs(String(rig.host.outputs['BucketName']), rig.host.aws);
  store_id = await rig.store(memories);
  session_id = await rig.talk('LESSON about ports: the staging port is 8443.');
});
afterAll(async () => {
  expect(rig.model.violations).toEqual([]);
  expect(rig.checked.violations).toEqual([]);
  await rig.close();
});
afterEach(() => {
  rig.answers = () => undefined;
  for (const name of ['polls', 'result'] as const) delete rig.model.batches.options[name];
});

function isLesson({ output_config }: MessageCreateParams): boolean {
  return output_config?.format?.schema['title'] === 'lessons';
}

const errored = (type: string) => ({
  type: 'errored',
  error: { type: 'error', error: { type, message: 'no, never' }, request_id: null },
});

/** As Sonnet 5.5 costs: dollars a million tokens are hundreds of microcents a token. */
function listCost(usage: BetaDream['usage']): number {
  const { input_tokens, output_tokens } = usage;
  const { cache_read_input_tokens, cache_creation_input_tokens } = usage;
  const [plain, out] = [input_tokens * 2, output_tokens * 10];
  const [read, written] = [cache_read_input_tokens * 0.1, cache_creation_input_tokens * 2.5];
  return 100 * (plain + out + read + written);
}

async function objectsOf(prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of blobs.list(prefix)) keys.push(key);
  return keys;
}

/** Begin a dream by batches of what no schedule has dreamt yet: this session. */
async function begin(session_id: string): Promise<string> {
  const schedule = await own.dreamSchedules.create({
    name: 'cheap',
    schedule: { type: 'cron', expression: '0 3 1 1 *', timezone: 'UTC' },
    memory_store_id: store_id,
    model: 'claude-sonnet-5-5',
    processing: 'batch',
  });
  const { dream_id } = await own.dreamSchedules.run(schedule.id);
  await own.dreamSchedules.archive(schedule.id);
  const [, sessions] = (await rig.client.beta.dreams.retrieve(dream_id ?? '')).inputs;
  expect(sessions).toMatchObject({ session_ids: [session_id] });
  return dream_id ?? '';
}

/** What a dream came to, but for its ids. */
async function outcomeOf(dream: BetaDream) {
  const { operations, ledger, gate } = await own.dreams.report(dream.id);
  const changes = operations.map(({ change_id, op, reason }) => ({ change_id, op, reason }));
  return { changes, ledger, gate, status: dream.status };
}

/** The batches of a dream, by what each of their requests asked for. */
function askedBy(dream: BetaDream, from: number): (string | undefined)[][] {
  expect(dream.status).toBe('completed');
  return rig.model.batches.created
    .slice(from)
    .map(({ requests }) => [
      ...new Set(requests.map(({ params }) => params.output_config?.format?.schema['title'])),
    ]) as string[][];
}

async function wordsOf({ session_id }: BetaDream): Promise<string> {
  const said = all(await rig.events(session_id ?? ''), 'agent.message');
  return said.flatMap(({ content }) => content.map((block) => JSON.stringify(block))).join('\n');
}

test('it comes to what others come to, by one batch a round, at half the price', async () => {
  const standard = await rig.settled((await rig.dream(store_id, [session_id])).id);
  const from = rig.model.batches.created.length;
  // The first keeps it waiting; the others have ended when they are created.
  const { options } = rig.model.batches;
  options.polls = 1;
  options.result = () => void (options.polls = 0);
  const batched = await rig.settled(await begin(session_id));
  expect(await outcomeOf(batched)).toEqual(await outcomeOf(standard));
  expect(askedBy(batched, from)).toEqual(
    ['lessons', 'operations', 'verdicts', 'questions', 'answers'].map((title) => [title]),
  );
  const { spending, processing, cost_share } = await own.dreams.report(batched.id);
  const whole = (await own.dreams.report(standard.id)).spending;
  expect(spending.output_tokens).toBe(whole.output_tokens);
  const full = listCost(batched.usage);
  expect((spending.cost_microcents ?? 0) / full).toBeCloseTo(0.5, 6);
  expect((whole.cost_microcents ?? 0) / listCost(standard.usage)).toBeCloseTo(1, 6);
  expect(cost_share).toBe(
    (spending.cost_microcents ?? 0) / (spending.sessions_cost_microcents ?? 0),
  );
  const requests = rig.model.batches.created.slice(from).flatMap((batch) => batch.requests);
  expect(processing).toEqual({
    type: 'batch',
    batches_count: 5,
    batched_count: requests.length,
    alone_count: 0,
    reasons: [],
  });
  // Neither here nor there is kept what was asked.
  const created = rig.model.batches.created.slice(from).map(({ id }) => id);
  expect(rig.model.batches.deleted).toEqual(expect.arrayContaining(created));
  expect(await objectsOf(`dreams/${batched.id}/`)).not.toContainEqual(
    expect.stringContaining('/asked/'),
  );
  expect(await own.dreams.report(standard.id)).toMatchObject({ processing: { type: 'standard' } });
});

test('what a batch does not answer is asked by itself, what it refuses never again, and both are said', async () => {
  const filler = 'x'.repeat(limits.piece_chars_max - limits.piece_overlap_chars);
  const words = ['one', 'two', 'three'].map((word) => `${word} ${filler}`);
  const long = await rig.talk(...words, `LESSON about tea: stir it.\n${filler}`);
  let n = 0;
  rig.model.batches.options.result = ({ params }) => {
    const title = params.output_config?.format?.schema['title'];
    if (title !== 'lessons') return undefined;
    n += 1;
    if (n === 1) return { type: 'expired' };
    if (n === 2) return errored('overloaded_error');
    return n === 3 ? errored('invalid_request_error') : undefined;
  };
  let is_broken = true;
  rig.answers = (request) => {
    if (askedFor(request) !== 'operations' || !is_broken) return undefined;
    is_broken = false;
    return say('Not JSON.');
  };
  const from = rig.model.batches.created.length;
  const single = () =>
    rig.model.requests.filter(({ body }) => body.stream === true && isLesson(body)).length;
  const before = single();
  const dream = await rig.settled(await begin(long));
  // All pieces of the session are in one batch, and a bad answer is asked for again by the next.
  const titles = askedBy(dream, from);
  expect(titles.slice(0, 3)).toEqual([['lessons'], ['operations'], ['operations']]);
  expect(rig.model.batches.created[from]?.requests.length).toBeGreaterThan(3);
  expect(single() - before).toBe(2);
  const { processing, skipped, operations } = await own.dreams.report(dream.id);
  expect(processing).toMatchObject({
    alone_count: 2,
    reasons: [expect.stringMatching(/1 expired/)],
  });
  expect(skipped).toMatchObject([
    { session_id: long, reason: expect.stringContaining('no, never') },
  ]);
  expect(operations.map(({ op }) => op)).toEqual(['add']);
  expect(await wordsOf(dream)).toContain('2 are made by themselves, at the full price');
  const events = await rig.events(dream.session_id ?? '');
  const ends = all(events, 'span.model_request_end');
  expect(ends).toHaveLength(all(events, 'span.model_request_start').length);
  expect(ends.filter(({ is_error }) => is_error)).toHaveLength(1);
  const spent = ends.reduce((sum, { model_usage }) => sum + model_usage.output_tokens, 0);
  expect(dream.usage.output_tokens).toBe(spent);
});

test('canceled while it waits, it cancels its batch, and each request has an end', async () => {
  rig.model.batches.options.polls = 1_000;
  const from = rig.model.batches.created.length;
  const id = await begin(await rig.talk('LESSON about ports: the staging port is 8444.'));
  await rig.untilDream(id, () => rig.model.batches.created.length > from);
  const { session_id: pipeline } = await rig.client.beta.dreams.cancel(id);
  const dream = await rig.settled(id);
  expect(dream).toMatchObject({ status: 'canceled', usage: { output_tokens: 0 } });
  expect(rig.model.batches.canceled).toEqual([rig.model.batches.created[from]?.id]);
  const events = await rig.events(pipeline ?? '');
  expect(all(events, 'span.model_request_start')).toHaveLength(1);
  expect(all(events, 'span.model_request_end')).toMatchObject([{ is_error: true }]);
  expect(await objectsOf(`dreams/${id}/asked/`)).toEqual([]);
});
