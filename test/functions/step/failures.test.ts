/**
 * When the model fails: what passes is tried again behind a wait of the machine, what does not
 * ends the turn, what never will ends the session. Budgets and the model's window end turns too.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ModelRequest } from '../../model/model.ts';
import {
  call,
  costing,
  cutAfter,
  fail,
  failAfter,
  refuse,
  reply,
  say,
  slowly,
  stopped,
} from '../../model/replies.ts';
import { all, message, only, startRig, typesOf, type Rig, type SendEvents } from '../../rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => {
  expect(rig.checked.violations).toEqual([]);
  await rig.close();
});

test.each([
  ['an overload', fail(529), 'model_overloaded_error'],
  ['a rate limit', fail(429), 'model_rate_limited_error'],
  ['a server error', fail(500), 'model_request_failed_error'],
  ['a cut stream', cutAfter(3, say('half a')), 'model_request_failed_error'],
  [
    'an error inside the stream',
    failAfter(3, 'overloaded_error', say('half')),
    'model_overloaded_error',
  ],
])('%s is tried again after a wait', async (what, failure, type) => {
  rig.model.on(`retry ${what}`, failure, say('at last'));
  const id = await rig.session();
  await rig.send(id, message(`retry ${what}`));
  const events = await rig.rested(id);
  expect(typesOf(events).slice(3)).toEqual([
    'span.model_request_start',
    'span.model_request_end',
    'session.error',
    'session.status_rescheduled',
    'session.thread_status_rescheduled',
    'session.status_running',
    'session.thread_status_running',
    'span.model_request_start',
    'agent.message',
    'span.model_request_end',
    'session.thread_status_idle',
    'session.usage',
    'session.status_idle',
  ]);
  expect(only(events, 'session.error').error).toMatchObject({
    type,
    retry_status: { type: 'retrying' },
  });
  expect(all(events, 'span.model_request_end')[0]).toMatchObject({ is_error: true });
});

test('an interrupt cuts the wait for the next try, alone and with what is to be done instead', async () => {
  const stop = { type: 'user.interrupt' } as const;
  rig.model.on('cut the wait', fail(529), fail(529), say('instead'));
  const id = await rig.session();
  // The clock stands still: whatever happens has waited for nothing.
  const waits = async (text: string, ...sent: SendEvents) => {
    const before = (await rig.events(id)).length;
    await rig.send(id, message(text));
    const types = async () => typesOf((await rig.events(id)).slice(before));
    await expect.poll(types).toContain('session.thread_status_rescheduled');
    await rig.send(id, stop, ...sent);
    await expect.poll(async () => (await types()).at(-1)).toBe('session.status_idle');
    const told = await types();
    return told.slice(told.indexOf('session.thread_status_rescheduled') + 1);
  };
  const ended = ['user.interrupt', 'session.thread_status_idle', 'session.usage'];
  expect(await waits('cut the wait')).toEqual([...ended, 'session.status_idle']);
  // The step behind the wait finds another run.
  await rig.host.advance(120_000);
  const said = await waits('again', message('do this'));
  expect(said.slice(0, 4)).toEqual([...ended, 'session.status_idle']);
  const events = await rig.rested(id, 3);
  expect(only(events, 'agent.message').content[0]).toMatchObject({ text: 'instead' });
  await rig.host.advance(120_000);
  expect(await rig.events(id)).toHaveLength(events.length);
});

test('when every try fails the turn is exhausted, and the next message starts anew', async () => {
  rig.model.on('exhaust', ...Array.from({ length: 6 }, () => fail(529)), say('back'));
  const id = await rig.session();
  await rig.send(id, message('exhaust'));
  const events = await rig.rested(id);
  const errors = all(events, 'session.error').map(({ error }) => error.retry_status.type);
  expect(errors).toEqual([...Array.from({ length: 5 }, () => 'retrying'), 'exhausted']);
  expect(only(events, 'session.status_idle').stop_reason).toEqual({ type: 'retries_exhausted' });
  await rig.send(id, message('again'));
  const after = await rig.rested(id, 2);
  expect(only(after, 'agent.message').content[0]).toMatchObject({ text: 'back' });
});

test('a conversation that the provider refuses for good ends the session', async () => {
  rig.model.on('terminal', fail(404));
  const id = await rig.session();
  await rig.send(id, message('terminal'));
  const events = await rig.rested(id);
  expect(typesOf(events).slice(-3)).toEqual([
    'session.error',
    'session.thread_status_terminated',
    'session.status_terminated',
  ]);
  expect(only(events, 'session.error').error.retry_status).toEqual({ type: 'terminal' });
  expect((await rig.client.beta.sessions.retrieve(id)).status).toBe('terminated');
  await expect(rig.send(id, message('hello?'))).rejects.toThrow(/terminated/);
});

test.each([
  ['a missing credit', fail(402), 'billing_error'],
  ['a refused key', fail(401), 'model_request_failed_error'],
])(
  '%s ends the turn, leaves the session, and is counted for an alarm',
  async (what, failure, type) => {
    const counted = async (): Promise<number> => {
      const log = await readFile(join(rig.host.logs, 'step.log'), 'utf8');
      return log.split('\n').filter((line) => line.includes('"ModelRefusals":1')).length;
    };
    const before = await counted();
    rig.model.on(what, failure, failure, say('paid'));
    const id = await rig.session();
    await rig.send(id, message(what));
    const events = await rig.rested(id);
    expect(only(events, 'session.error').error).toMatchObject({
      type,
      retry_status: { type: 'exhausted' },
    });
    await expect.poll(counted).toBe(before + 1);
  },
);

test('a budget stops the session between requests, and raising it resumes by itself', async () => {
  // 200,000 output tokens cost more than a dollar with every model.
  const dear = costing({ output_tokens: 200_000 }, call('bash', { command: 'true' }));
  rig.model.on('budget', dear, say('rich'));
  const budget = (amount: string) => ({
    type: 'limit' as const,
    max_list_cost: { amount, currency: 'USD' as const },
  });
  const id = await rig.session({}, { budget: budget('50') });
  await rig.send(id, message('budget'));
  const capped = await rig.rested(id);
  expect(only(capped, 'session.status_idle').stop_reason).toEqual({ type: 'budget_reached' });
  expect(all(capped, 'agent.tool_result')).toHaveLength(1);
  await expect(rig.send(id, message('more'))).rejects.toThrow(/user\.tool_confirmation/);
  await expect(rig.client.beta.sessions.update(id, { budget: budget('51') })).rejects.toThrow(
    /budget/,
  );
  await rig.client.beta.sessions.update(id, { budget: budget('100000') });
  const events = await rig.rested(id, 2);
  expect(only(events, 'agent.message').content[0]).toMatchObject({ text: 'rich' });
  expect(all(events, 'user.message')).toHaveLength(1);
  const { usage } = await rig.client.beta.sessions.retrieve(id);
  expect(Number(usage.list_cost?.amount)).toBeGreaterThan(50);
});

test('a turn that ends by itself at the budget leaves the session there, until it is raised', async () => {
  rig.model.on('ends dear', costing({ output_tokens: 200_000 }, say('done')), say('rich'));
  const cents = (amount: string) => ({
    type: 'limit' as const,
    max_list_cost: { amount, currency: 'USD' as const },
  });
  const id = await rig.session({}, { budget: cents('50') });
  await rig.send(id, message('ends dear'));
  const capped = await rig.rested(id);
  expect(only(capped, 'session.thread_status_idle').stop_reason).toEqual({ type: 'end_turn' });
  expect(only(capped, 'session.status_idle').stop_reason).toEqual({ type: 'budget_reached' });
  await expect(rig.send(id, message('more'))).rejects.toThrow(/user\.tool_confirmation/);
  await rig.send(id, { type: 'user.interrupt' });
  await rig.client.beta.sessions.update(id, { budget: cents('100000') });
  const raised = await rig.events(id);
  expect(typesOf(raised.slice(capped.length))).toEqual([
    'session.updated',
    'session.usage',
    'session.status_idle',
  ]);
  expect(all(raised, 'session.status_idle')[1]?.stop_reason).toEqual({ type: 'end_turn' });
  await rig.send(id, message('more'));
  const events = await rig.rested(id, 3);
  expect(all(events, 'agent.message')).toHaveLength(2);
});

test('a call that the length of its reply has cut is not run, and the model is told', async () => {
  const long = call('bash', { command: 'echo it is too long by far for one reply' });
  rig.model.on('cut', stopped('max_tokens', reply(say('Writing.'), long)), say('shorter'));
  const id = await rig.session();
  await rig.send(id, message('cut'));
  const events = await rig.rested(id);
  expect(only(events, 'agent.tool_use')).toMatchObject({ evaluated_permission: 'deny', input: {} });
  const [said] = only(events, 'agent.tool_result').content ?? [];
  expect(said).toMatchObject({ text: expect.stringContaining('greatest length') });
  expect(all(events, 'agent.message')).toHaveLength(2);
});

test('a context that nears the window is replaced by its summary', async () => {
  const full = costing({ input_tokens: 990_000 }, say('I remember everything'));
  rig.model.on(
    ({ body }) =>
      JSON.stringify(body.messages.at(-1)).includes('Write the summary that will stand'),
    say('<summary>the user likes tea</summary>'),
  );
  rig.model.on('remember tea', full);
  rig.model.on(({ body }) => JSON.stringify(body.messages[0]).includes('likes tea'), say('Tea!'));
  const id = await rig.session();
  await rig.send(id, message('remember tea'));
  await rig.rested(id);
  await rig.send(id, message('what do I like?'));
  const events = await rig.rested(id, 2);
  const types = typesOf(events);
  expect(types.indexOf('agent.thread_context_compacted')).toBeGreaterThan(
    types.lastIndexOf('session.status_running'),
  );
  expect(all(events, 'agent.message').at(-1)?.content[0]).toMatchObject({ text: 'Tea!' });
  expect(JSON.stringify(rig.model.requests.at(-1)?.body.messages)).not.toContain('remember tea');
});

test('a summary that an interrupt cuts is charged as far as it came', async () => {
  const words = `<summary>the user likes coffee${' very much'.repeat(200)}</summary>`;
  const summary = costing({ input_tokens: 500_000 }, say(words));
  const asked = ({ body }: ModelRequest) =>
    JSON.stringify(body.messages.at(-1)).includes('Write the summary that will stand') &&
    JSON.stringify(body.messages).includes('remember coffee');
  rig.model.on(asked, slowly(50, summary));
  rig.model.on('remember coffee', costing({ input_tokens: 990_000 }, say('Yes.')));
  const id = await rig.session();
  await rig.send(id, message('remember coffee'));
  await rig.rested(id);
  const tokens = async () => (await rig.client.beta.sessions.retrieve(id)).usage.input_tokens;
  expect(await tokens()).toBe(990_000);
  await rig.send(id, message('what do I like?'));
  await expect.poll(() => rig.model.requests.find(asked)?.reply).toBeDefined();
  await rig.send(id, { type: 'user.interrupt' });
  const events = await rig.rested(id, 2);
  expect(typesOf(events)).not.toContain('agent.thread_context_compacted');
  expect(await tokens()).toBe(1_490_000);
});

test('a prompt that the provider finds too long is compacted and asked again', async () => {
  rig.model.on(
    ({ body }) =>
      JSON.stringify(body.messages.at(-1)).includes('Write the summary that will stand') &&
      JSON.stringify(body.messages).includes('too much'),
    say('<summary>it was too much</summary>'),
  );
  rig.model.on('too much', fail(400, 'prompt is too long: 300000 tokens > 200000 maximum'));
  rig.model.on(({ body }) => JSON.stringify(body.messages[0]).includes('it was too'), say('short'));
  const id = await rig.session();
  await rig.send(id, message('too much'));
  const events = await rig.rested(id);
  expect(only(events, 'agent.message').content[0]).toMatchObject({ text: 'short' });
});

test.each([
  ['a refusal', slowly(60, refuse('cyber', 'No, no, no and no.')), true],
  ['an exhausted turn', { ...fail(402), pace: { before_ms: 400 } }, false],
  ['a session that ends', { ...fail(404), pace: { before_ms: 400 } }, false],
])('a message that was sent meanwhile is not lost by %s', async (what, reply_, answered) => {
  rig.model.on(`meanwhile ${what}`, reply_, say('and the second'));
  const id = await rig.session();
  await rig.send(id, message(`meanwhile ${what}`));
  await rig.until(id, (events) => events.at(-1)?.type === 'span.model_request_start');
  const [sent] = await rig.send(id, message('the second'));
  const events = await rig.until(id, (now) => now.some((event) => event.id === sent?.id));
  expect(events.filter((event) => event.id === sent?.id)).toHaveLength(1);
  const rest = answered ? await rig.rested(id, 2) : await rig.rested(id);
  expect(all(rest, 'agent.message')).toHaveLength(answered ? 1 : 0);
  const page = await rig.client.beta.sessions.events.list(id);
  expect(page.data.filter(({ processed_at }) => processed_at === null)).toEqual([]);
});

test('a picture that the provider will not look at does not end the session', async () => {
  const asked = ({ body }: ModelRequest): boolean => JSON.stringify(body).includes('odd picture');
  const shows = ({ body }: ModelRequest): boolean => JSON.stringify(body).includes('"image"');
  rig.model.on(
    (request) => asked(request) && shows(request),
    ...Array.from({ length: 2 }, () => fail(400, 'Could not process image')),
  );
  const write = "printf '\\x89PNG\\r\\n\\x1a\\nodd' > odd.png";
  rig.model.on(asked, call('bash', { command: write }), call('read', { file_path: 'odd.png' }));
  rig.model.on(asked, say('I cannot see it.'), say('Still here.'));
  const id = await rig.session();
  await rig.send(id, message('odd picture'));
  await rig.rested(id);
  await rig.send(id, message('Go on.'));
  const events = await rig.rested(id, 2);
  expect(all(events, 'session.error')).toEqual([]);
  expect(all(events, 'agent.message').at(-1)?.content[0]).toMatchObject({ text: 'Still here.' });
});
