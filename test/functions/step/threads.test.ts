/**
 * Rule: a coordinator starts agents on threads of their own; the session's log tells the documented
 * sequence, each thread has its own log and its own context, and the coordinator is woken by reports.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { primaryThreadId } from '#shared/core/id.ts';
import { call, calls, fail, say, stall } from '../../model/replies.ts';
import { firstText } from '../../model/model.ts';
import { all, message, only, startRig, typesOf, type Rig } from '../../rig.ts';
import {
  childrenOf,
  logOf,
  start,
  startAll,
  teamSession,
  textOf,
  threadsOf,
  told,
} from './team-rig.ts';

let rig: Rig;

beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => {
  expect(rig.model.violations).toEqual([]);
  expect(rig.checked.violations).toEqual([]);
  await rig.close();
});

test('a delegation is told as documented, on the log of the session and on that of the thread', async () => {
  rig.model.onTurns(
    'lead-one',
    start('Worker', 'work-one: count'),
    say('I wait.'),
    say('All done.'),
  );
  // So that the coordinator has ended its turn by then.
  rig.model.onTurns('work-one', stall(1_500, say('I counted 3.')));
  const id = await teamSession(rig);
  await rig.send(id, message('lead-one'));
  const events = await rig.rested(id);
  const primary = primaryThreadId(id);
  expect(told(events, primary).filter((type) => !type.startsWith('span.'))).toEqual([
    'user.message',
    'session.status_running',
    'session.thread_status_running',
    'session.thread_created (child)',
    'agent.thread_message_sent',
    'session.thread_status_running (child)',
    'agent.message',
    'session.thread_status_idle',
    'session.thread_status_idle (child)',
    'agent.thread_message_received',
    'session.thread_status_running',
    'agent.message',
    'session.thread_status_idle',
    'session.usage',
    'session.status_idle',
  ]);
  const [child] = await childrenOf(rig, id);
  const thread_id = child?.id ?? '';
  expect(child).toMatchObject({
    status: 'idle',
    parent_thread_id: primary,
    agent: { type: 'agent', name: 'Worker' },
  });
  expect(child?.usage?.output_tokens).toBeGreaterThan(0);
  expect(typesOf(await logOf(rig, id, thread_id))).toEqual([
    'agent.thread_message_received',
    'session.thread_status_running',
    'span.model_request_start',
    'agent.message',
    'span.model_request_end',
    'agent.thread_message_sent',
    'session.thread_status_idle',
  ]);
  const received = only(events, 'agent.thread_message_received');
  expect(received).toMatchObject({ from_session_thread_id: thread_id, from_agent_name: 'Worker' });
  expect(textOf(received)).toBe('I counted 3.');
  const { usage } = await rig.client.beta.sessions.retrieve(id);
  const threads = await threadsOf(rig, id);
  const spent = threads.reduce((sum, thread) => sum + (thread.usage?.output_tokens ?? 0), 0);
  expect(usage.output_tokens).toBe(spent);
});

const LETTERS = ['a', 'b', 'c', 'd', 'e'];

test('five agents at once: one fails for good, four report, files are shared and contexts are not', async () => {
  const marks = LETTERS.map((letter) => `secret-${letter}`);
  rig.model.onTurns(
    'lead-five',
    startAll(
      'Worker',
      LETTERS.map((letter, n) => `work-five-${letter} ${marks[n]}`),
    ),
    say('I wait.'),
    ...LETTERS.map(() => say('Noted.')),
  );
  for (const letter of LETTERS.slice(0, 4)) {
    rig.model.onTurns(
      `work-five-${letter}`,
      call('bash', { command: `echo ${letter} >> /mnt/session/outputs/all.txt` }),
      say(`done-five-${letter}`),
    );
  }
  rig.model.onTurns('work-five-e', fail(400, 'not like this'));
  const id = await teamSession(rig);
  await rig.send(id, message('lead-five: do not tell'));
  const events = await rig.rested(id);
  const children = await childrenOf(rig, id);
  expect(children.map(({ status }) => status).toSorted()).toEqual([
    'idle',
    'idle',
    'idle',
    'idle',
    'terminated',
  ]);
  const reports = all(events, 'agent.thread_message_received').map(textOf).toSorted();
  expect(reports.slice(1)).toEqual(LETTERS.slice(0, 4).map((letter) => `done-five-${letter}`));
  expect(reports[0]).toContain('could not go on');
  expect(all(events, 'session.status_idle')).toHaveLength(1);
  expect(all(events, 'session.thread_status_terminated')).toHaveLength(1);
  // No request of a child holds anything of another thread but what was sent to it.
  const own = rig.model.requests.filter(({ body }) => firstText(body).includes('work-five-'));
  expect(own.length).toBeGreaterThan(5);
  for (const { body } of own) {
    const text = JSON.stringify(body);
    const mark = marks.find((one) => firstText(body).includes(one)) ?? '';
    expect(marks.filter((one) => text.includes(one))).toEqual([mark]);
    expect(text).not.toContain('lead-five');
    expect(text).not.toContain('I wait.');
  }
  const leads = rig.model.requests.filter(({ body }) => firstText(body).includes('lead-five'));
  for (const { body } of leads) expect(JSON.stringify(body)).not.toContain('all.txt');
  // Commands that meet at one file lose nothing: the later one's text stands beside, and it is told so.
  const written: string[] = [];
  for await (const file of rig.client.beta.files.list({ scope_id: id })) {
    expect(file.filename).toMatch(/^all\.txt(\.conflict-\w+)?$/);
    written.push(await (await rig.client.beta.files.download(file.id)).text());
  }
  expect(new Set(written.join('').trim().split('\n'))).toEqual(new Set(LETTERS.slice(0, 4)));
  const idle = children.find(({ status }) => status === 'idle')?.id ?? '';
  const again = await rig.client.beta.sessions.threads.list(id, { statuses: ['terminated'] });
  expect(again.data.map(({ id: thread_id }) => thread_id)).not.toContain(idle);
  expect(again.data).toHaveLength(1);
}, 60_000);

test('a child that waits for a client holds neither its sibling nor the coordinator, which goes on behind it', async () => {
  rig.model.onTurns(
    'lead-ask',
    startAll('Worker', ['work-ask-slow', 'work-ask-fast']),
    say('I wait.'),
    say('One is there.'),
    say('Both are there.'),
  );
  rig.model.onTurns(
    'work-ask-slow',
    calls(['bash', { command: 'echo hello' }], ['look_up', {}]),
    say('slow is done'),
  );
  rig.model.onTurns('work-ask-fast', say('fast is done'));
  const look_up = { type: 'custom' as const, name: 'look_up', description: 'Looks up.' };
  const id = await teamSession(rig, {
    worker: {
      tools: [
        {
          type: 'agent_toolset_20260401',
          default_config: { permission_policy: { type: 'always_ask' } },
        },
        { ...look_up, input_schema: { type: 'object' } },
      ],
    },
  });
  await rig.send(id, message('lead-ask'));
  const asked = await rig.rested(id);
  const use = only(asked, 'agent.tool_use');
  const { id: custom_tool_use_id } = only(asked, 'agent.custom_tool_use');
  expect(use.session_thread_id).toMatch(/^sthr_/);
  const stop = { type: 'requires_action', event_ids: [use.id, custom_tool_use_id] };
  expect(only(asked, 'session.status_idle').stop_reason).toEqual(stop);
  await expect(rig.send(id, message('more'))).rejects.toMatchObject({ status: 400 });
  const echoes = await rig.send(
    id,
    { type: 'user.tool_confirmation', tool_use_id: use.id, result: 'allow' },
    { type: 'user.custom_tool_result', custom_tool_use_id },
  );
  const { session_thread_id } = use;
  expect(echoes).toMatchObject([{ session_thread_id }, { session_thread_id }]);
  const events = await rig.rested(id, 2);
  expect(all(events, 'agent.thread_message_received').map(textOf).toSorted()).toEqual([
    'fast is done',
    'slow is done',
  ]);
  const log = await logOf(rig, id, use.session_thread_id ?? '');
  expect(only(log, 'agent.tool_use')).not.toHaveProperty('session_thread_id');
  expect(only(log, 'user.tool_confirmation')).not.toHaveProperty('session_thread_id');
  expect(textOf(only(log, 'agent.tool_result'))).toContain('hello');
  expect(only(events.slice(-1), 'session.status_idle').stop_reason).toEqual({ type: 'end_turn' });
});

test('an inline agent has the prompt that the coordinator gives it, and a follow-up finds its history', async () => {
  rig.model.onTurns(
    'lead-inline',
    call('start_inline_agent', { name: 'Poet', system: 'You rhyme.', message: 'poem-one' }),
    say('I wait.'),
  );
  rig.model.on(
    ({ body }) => firstText(body).includes('lead-inline') && body.messages.length >= 5,
    say('A poem is there.'),
  );
  rig.model.onTurns('poem-one', say('Roses.'), say('Violets.'));
  const id = await rig.session({ name: 'Lead', multiagent: { type: 'multiagent_20261001' } });
  await rig.send(id, message('lead-inline'));
  await rig.rested(id);
  const [child] = await childrenOf(rig, id);
  const thread_id = child?.id ?? '';
  expect(child?.agent).toMatchObject({ type: 'inline', name: 'Poet', system: 'You rhyme.' });
  rig.model.on(
    ({ body }) => firstText(body).includes('lead-inline') && body.messages.length >= 7,
    call('send_to_agent', { thread_id, message: 'and the second line?' }),
    say('I wait again.'),
    say('Finished.'),
  );
  await rig.send(id, message('go on'));
  const events = await rig.rested(id, 2);
  expect(all(events, 'agent.thread_message_received').map(textOf)).toEqual(['Roses.', 'Violets.']);
  const asked = rig.model.requests.filter(({ body }) => firstText(body).includes('poem-one'));
  expect(JSON.stringify(asked.at(-1)?.body.messages)).toMatch(/Roses.*second line/s);
  expect(JSON.stringify(asked.at(-1)?.body.system)).toContain('You rhyme.');
});

test('what a coordinator calls wrongly is an error that says what to do, and changes nothing', async () => {
  rig.model.onTurns(
    'lead-wrong',
    calls(
      ['start_agent', { agent: 'Nobody', message: 'x' }],
      ['send_to_agent', { thread_id: 'sthr_none', message: 'x' }],
      ['start_agent', { agent: 'Worker' }],
      ['list_agents', {}],
    ),
    say('Understood.'),
  );
  const id = await teamSession(rig);
  await rig.send(id, message('lead-wrong'));
  const events = await rig.rested(id);
  expect(all(events, 'session.thread_created')).toEqual([]);
  const last = rig.model.requests.findLast(({ body }) => firstText(body).includes('lead-wrong'));
  const text = JSON.stringify(last?.body.messages);
  expect(text).toContain("there is no 'Nobody'. Use one of 'Worker'");
  expect(text).toContain("there is no thread 'sthr_none'");
  expect(text).toContain('message');
});

test('a thread may be archived right behind its interrupt, and not without one while it runs', async () => {
  rig.model.onTurns('lead-stop', start('Worker', 'never ends'), say('I wait.'), say('So be it.'));
  rig.model.onTurns('never ends', stall());
  const id = await teamSession(rig);
  await rig.send(id, message('lead-stop'));
  await rig.until(id, (events) => all(events, 'session.thread_status_idle').length === 1);
  const [child] = await childrenOf(rig, id);
  const session_thread_id = child?.id ?? '';
  const archive = async () =>
    await rig.client.beta.sessions.threads.archive(session_thread_id, { session_id: id });
  await expect(archive()).rejects.toThrow(/400.*is running and cannot be archived/);
  await rig.send(id, { type: 'user.interrupt', session_thread_id });
  expect(await archive()).toMatchObject({ status: 'terminated', archived_at: expect.any(String) });
});

test('a session is active while any thread is, and its stats sum what each thread was', async () => {
  const works = { ...say('Done.'), pace: { before_ms: 400 } };
  rig.model.onTurns('lead-times', startAll('Worker', ['times a', 'times b']), say('I wait.'));
  rig.model.onTurns(({ body }) => /\btimes [ab]\b/.test(firstText(body)), works);
  rig.model.otherwise(({ body }) =>
    firstText(body).includes('lead-times') ? say('So.') : undefined,
  );
  const id = await teamSession(rig);
  await rig.send(id, message('lead-times'));
  await rig.until(id, (events) => events.at(-1)?.type === 'session.status_idle');
  const threads = await threadsOf(rig, id);
  const { stats, usage } = await rig.client.beta.sessions.retrieve(id);
  const sum = threads.reduce((seconds, thread) => seconds + (thread.usage?.active_seconds ?? 0), 0);
  expect(threads).toHaveLength(3);
  expect(stats.active_seconds).toBeCloseTo(sum, 6);
  expect(stats.active_seconds).toBeGreaterThan(usage.active_seconds ?? 0);
});
