/** What chaos has found, each as a test of its own that needs no luck. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AwsError } from '../../infra/local/aws-error.ts';
import { executionName } from '#shared/sessions/session.ts';
import { primaryThreadId } from '#shared/core/id.ts';
import { padded } from '#shared/threads/thread.ts';
import { call, costing, say, slowly, stall } from '../model/replies.ts';
import { all, message, only, startRig, typesOf, type Rig } from '../rig.ts';
import { previewFaults } from './oracle-previews.ts';
import { sequenceFaults } from './sequence.ts';
import { SteadyStream } from './steady-stream.ts';

let rig: Rig;
/** A piece of a preview that cannot be written, by the end of its key. */
let broken_piece: string | undefined;
/** Starts of executions wait here while it is set. */
let held: { readonly release: Promise<void>; count: number } | undefined;

beforeAll(async () => {
  rig = await startRig({
    hooks: {
      before: async ({ action, body }) => {
        const { Key } = (body ?? {}) as { readonly Key?: { readonly sk?: { readonly S: string } } };
        const sk = Key?.sk?.S ?? '';
        if (
          action === 'UpdateItem' &&
          broken_piece &&
          sk.startsWith('D#') &&
          sk.endsWith(broken_piece)
        )
          throw new AwsError('ValidationException', 'Not this one.');
        if (action !== 'StartExecution' || held === undefined) return;
        held.count += 1;
        await held.release;
      },
    },
  });
});
afterAll(async () => {
  expect(rig.model.violations).toEqual([]);
  await rig.close();
});

test('a turn that is interrupted before its first step has begun is said to run before it is said to rest', async () => {
  rig.model.on('early', call('bash', { command: 'true' }), say('done'));
  const id = await rig.session();
  let release: () => void = () => undefined;
  held = { release: new Promise((resolve) => (release = resolve)), count: 0 };
  const sent = [rig.send(id, message('early'))];
  await expect.poll(() => held?.count).toBe(1);
  sent.push(rig.send(id, { type: 'user.interrupt' }));
  await expect.poll(() => held?.count).toBe(2);
  release();
  held = undefined;
  await Promise.all(sent);
  const types = typesOf(await rig.rested(id, 2));
  expect(types.slice(0, 7)).toEqual([
    'session.status_running',
    'session.thread_status_running',
    'user.interrupt',
    'session.thread_status_idle',
    'session.usage',
    'session.status_idle',
    'user.message',
  ]);
  expect(sequenceFaults('session', types.flatMap(statusIn))).toEqual([]);
});

const statusIn = (type: string): string[] => {
  const [, status] = /^session\.status_(\w+)$/.exec(type) ?? [];
  return status === undefined ? [] : [status];
};

test('a turn that is given up before its first step has begun is said to run before it is said to rest', async () => {
  rig.model.on('first', say('done'), say('done again'));
  const id = await rig.session();
  await rig.send(id, message('first'));
  await rig.rested(id);
  let release: () => void = () => undefined;
  held = { release: new Promise((resolve) => (release = resolve)), count: 0 };
  const sent = rig.send(id, message('lost'));
  await expect.poll(() => held?.count).toBe(1);
  const run = { session_id: id, thread_id: primaryThreadId(id), run: 2 };
  await rig.host.invoke('step', { ...run, execution: executionName(id, 2), give_up: true });
  release();
  held = undefined;
  await sent;
  await rig.send(id, message('again'));
  const events = await rig.rested(id, 3);
  expect(all(events, 'session.status_idle').map((event) => event.stop_reason.type)).toEqual([
    'end_turn',
    'retries_exhausted',
    'end_turn',
  ]);
  expect(sequenceFaults('session', typesOf(events).flatMap(statusIn))).toEqual([]);
});

const budget = (amount: string) => ({
  type: 'limit' as const,
  max_list_cost: { amount, currency: 'USD' as const },
});

test('a budget that is reached while a request dies leaves no span open, and what goes on is said to run', async () => {
  rig.model.on('dear', stall(), say('done'));
  // A running hour costs eight cents.
  const id = await rig.session({}, { budget: budget('4') });
  await rig.send(id, message('dear'));
  await rig.until(id, (events) => events.at(-1)?.type === 'span.model_request_start');
  await rig.host.advance(3_600_000);
  await rig.host.kill('step');
  const capped = await rig.rested(id);
  expect(all(capped, 'session.status_idle')[0]?.stop_reason).toEqual({ type: 'budget_reached' });
  expect(all(capped, 'span.model_request_end')).toHaveLength(1);
  await rig.client.beta.sessions.update(id, { budget: budget('1000000') });
  const events = await rig.rested(id, 2);
  expect(sequenceFaults('session', typesOf(events).flatMap(statusIn))).toEqual([]);
  expect(all(events, 'span.model_request_start')).toHaveLength(2);
  expect(all(events, 'agent.message')).toHaveLength(1);
});

test('a turn that a budget stops before its first step is said to run before it is said to rest', async () => {
  // 200,000 output tokens are more than the budget, and what was asked for is taken all the same.
  rig.model.on('costs', costing({ output_tokens: 200_000 }, call('look_up')), say('rich'));
  const tool = { type: 'custom', name: 'look_up', description: 'Looks up.' } as const;
  const id = await rig.session(
    { tools: [{ ...tool, input_schema: { type: 'object' } }] },
    { budget: budget('50') },
  );
  await rig.send(id, message('costs'));
  const { id: custom_tool_use_id } = only(await rig.rested(id), 'agent.custom_tool_use');
  await rig.send(id, { type: 'user.custom_tool_result', custom_tool_use_id });
  const events = await rig.rested(id, 2);
  expect(all(events, 'session.status_idle')[1]?.stop_reason).toEqual({ type: 'budget_reached' });
  expect(sequenceFaults('session', typesOf(events).flatMap(statusIn))).toEqual([]);
});

test('a preview of which a piece could not be written ends there: it is the beginning of what is said', async () => {
  rig.model.on(
    'spoken',
    slowly(40, say('One thing after another, and none of them without the last.')),
  );
  const id = await rig.session();
  const stream = await SteadyStream.open(() => rig.client, id);
  broken_piece = padded(3);
  try {
    await rig.send(id, message('spoken'));
    const events = await rig.rested(id);
    await stream.until(events.at(-1)?.id, 10_000);
  } finally {
    broken_piece = undefined;
    await stream.close();
  }
  const frames = stream.openings.flat();
  expect(frames.map(({ type }) => type)).toContain('event_delta');
  expect(previewFaults(frames)).toEqual([]);
});
