/**
 * Rule: a team ends as a single thread does. An interrupt and a budget reach every thread, the bound
 * of threads is an error to the model and nobody else, what is archived makes room, and of a session
 * that is put away nothing goes on and nothing stays.
 */
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { limits } from '#shared/core/limits.ts';
import { call, calls, fail, reply, say, stall } from '../../model/replies.ts';
import { firstText } from '../../model/model.ts';
import { all, message, only, startRig, typesOf, type Rig } from '../../rig.ts';
import { isGrader } from './outcome-rig.ts';
import { childrenOf, logOf, startAll, teamSession, tell, textOf } from './team-rig.ts';

let rig: Rig;

beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => {
  expect(rig.model.violations).toEqual([]);
  expect(rig.checked.violations).toEqual([]);
  await rig.close();
});

/** The last request of the thread whose first message says this. */
function lastAsked(text: string): string {
  const asked = rig.model.requests.findLast(({ body }) => firstText(body).includes(text));
  return JSON.stringify(asked?.body.messages ?? []);
}

test('an interrupt reaches all threads, and an interrupted child reports nothing', async () => {
  rig.model.onTurns(
    'lead-stop',
    startAll('Worker', ['work-stop-a', 'work-stop-b']),
    say('I wait.'),
  );
  rig.model.onTurns('work-stop-a', stall());
  rig.model.onTurns('work-stop-b', stall());
  const id = await teamSession(rig);
  await rig.send(id, message('lead-stop'));
  await rig.until(id, (events) => all(events, 'agent.message').length === 1);
  await expect
    .poll(
      () => rig.model.requests.filter(({ body }) => firstText(body).includes('work-stop')).length,
    )
    .toBe(2);
  await rig.send(id, { type: 'user.interrupt' });
  const events = await rig.rested(id);
  expect(only(events, 'session.status_idle').stop_reason).toEqual({ type: 'end_turn' });
  expect(all(events, 'agent.thread_message_received')).toEqual([]);
  const children = await childrenOf(rig, id);
  expect(children.map(({ status }) => status)).toEqual(['idle', 'idle']);
  for (const child of children) {
    const log = await logOf(rig, id, child.id);
    expect(typesOf(log)).not.toContain('agent.message');
    expect(typesOf(log).at(-1)).toBe('session.thread_status_idle');
  }
});

test('a thread more than may be is an error to the model; one that is archived makes room', async () => {
  const max = limits.session_children_max;
  const names = Array.from({ length: max + 1 }, (_, n) => `work-many-${n}.`);
  rig.model.on(
    ({ body }) => firstText(body).includes('work-many-'),
    ...names.map(() => say('done')),
  );
  rig.model.on(
    ({ body }) => firstText(body).includes('lead-many') && body.messages.length === 1,
    startAll('Worker', names),
  );
  rig.model.on(
    ({ body }) =>
      firstText(body).includes('lead-many') && !JSON.stringify(body).includes('again-many'),
    ...names.map(() => say('Noted.')),
  );
  const id = await teamSession(rig);
  await rig.send(id, message('lead-many'));
  const events = await rig.rested(id);
  expect(all(events, 'session.thread_created')).toHaveLength(max);
  expect(lastAsked('lead-many')).toContain(`${max} threads are there already`);
  expect(all(events, 'agent.thread_message_received')).toHaveLength(max);

  const [first] = await childrenOf(rig, id);
  const { threads } = rig.client.beta.sessions;
  const archived = await threads.archive(first?.id ?? '', { session_id: id });
  expect(archived).toMatchObject({ status: 'terminated', archived_at: expect.any(String) });
  await expect(
    threads.archive(id.replace('sesn', 'sthr'), { session_id: id }),
  ).rejects.toMatchObject({ status: 400 });
  rig.model.on(({ body }) => firstText(body).includes('work-again-many'), say('done again'));
  rig.model.on(
    ({ body }) =>
      JSON.stringify(body).includes('again-many') && firstText(body).includes('lead-many'),
    call('start_agent', { agent: 'Worker', message: 'work-again-many' }),
    say('I wait.'),
    say('All.'),
  );
  await rig.send(id, message('again-many'));
  const later = await rig.rested(id, 2);
  expect(all(later, 'session.thread_created')).toHaveLength(max + 1);
}, 120_000);

test('all that 25 threads wait for is answered 50 at a time, and closed by one interrupt', async () => {
  const names = Array.from({ length: limits.session_children_max }, (_, n) => `work-asks-${n}.`);
  rig.model.onTurns('lead-asks', startAll('Worker', names), say('I wait.'));
  const asks = calls(...[1, 2, 3].map((n) => ['bash', { command: `echo ${n}` }] as const));
  for (const name of names) rig.model.onTurns(name, asks);
  const permission_policy = { type: 'always_ask' } as const;
  const id = await teamSession(rig, {
    worker: { tools: [{ type: 'agent_toolset_20260401', default_config: { permission_policy } }] },
  });
  await rig.send(id, message('lead-asks'));
  const asked = all(await rig.rested(id), 'agent.tool_use');
  expect(asked).toHaveLength(75);
  const two = asked.filter(({ input }) => input['command'] !== 'echo 3');
  const allow = { type: 'user.tool_confirmation', result: 'allow' } as const;
  await rig.send(id, ...two.map((use) => ({ ...allow, tool_use_id: use.id })));
  const left = all(await rig.events(id), 'session.status_idle').at(-1)?.stop_reason;
  expect(left?.type === 'requires_action' && left.event_ids).toHaveLength(25);
  await rig.send(id, { type: 'user.interrupt' });
  const closed = all(await rig.events(id), 'session.status_idle');
  expect(closed.at(-1)?.stop_reason).toEqual({ type: 'end_turn' });
  // What comes too late is heard, and changes nothing.
  await rig.send(id, { ...allow, tool_use_id: asked[2]?.id ?? '' });
  expect(all(await rig.events(id), 'session.status_idle')).toHaveLength(closed.length);
}, 60_000);

test('25 threads that append to one file and edit different lines of another lose nothing', async () => {
  const max = limits.session_children_max;
  const lines = Array.from({ length: max }, (_, n) => `line ${String(n).padStart(2, '0')} open`);
  const path = '/mnt/session/outputs/list.md';
  const names = lines.map((_, n) => `work-edit-${String(n).padStart(2, '0')}.`);
  rig.model.onTurns(
    'lead-edit',
    calls(
      ['write', { file_path: path, content: `${lines.join('\n')}\n` }],
      ['write', { file_path: '/mnt/session/outputs/log.txt', content: 'Log\n' }],
    ),
    startAll('Worker', names),
    ...names.map(() => say('Noted.')),
    say('Noted.'),
  );
  for (const [n, name] of names.entries()) {
    const line = lines[n] ?? '';
    rig.model.onTurns(
      name,
      calls(
        ['edit', { file_path: path, old_string: line, new_string: line.replace('open', 'done') }],
        ['bash', { command: `echo ${name} >> /mnt/session/outputs/log.txt` }],
      ),
      say('done'),
    );
  }
  const id = await teamSession(rig);
  await rig.send(id, message('lead-edit'));
  await rig.rested(id);
  const texts = new Map<string, string>();
  for await (const file of rig.client.beta.files.list({ scope_id: id })) {
    texts.set(file.filename, await (await rig.client.beta.files.download(file.id)).text());
  }
  expect(texts.get('list.md')).toBe(`${lines.join('\n').replaceAll('open', 'done')}\n`);
  expect([...texts.keys()].toSorted()).toEqual(['list.md', 'log.txt']);
  const [head, ...said] = (texts.get('log.txt') ?? '').trim().split('\n');
  expect(head).toBe('Log');
  expect(said.toSorted()).toEqual(names);
  const children = await childrenOf(rig, id);
  const told = await Promise.all(
    children.map(async ({ id: thread_id }) =>
      all(await logOf(rig, id, thread_id), 'agent.tool_result')
        .map(textOf)
        .join('\n'),
    ),
  );
  // Who came second is told that it did.
  expect(told.filter((text) => text.includes('both have appended')).length).toBeGreaterThan(0);
}, 120_000);

test('a budget that is reached stops the team, and a raised one lets it go on', async () => {
  const dear = { ...say('cheap done'), usage: { output_tokens: 200_000 } };
  rig.model.onTurns('lead-poor', startAll('Worker', ['work-poor-a']), say('I wait.'), say('Both.'));
  rig.model.onTurns(
    'work-poor-a',
    { ...call('bash', { command: 'ls' }), usage: { output_tokens: 200_000 } },
    dear,
  );
  const budget = { type: 'limit', max_list_cost: { amount: '100', currency: 'USD' } } as const;
  const id = await teamSession(rig, { session: { budget } });
  await rig.send(id, message('lead-poor'));
  const events = await rig.rested(id);
  expect(only(events, 'session.status_idle').stop_reason).toEqual({ type: 'budget_reached' });
  const [child] = await childrenOf(rig, id);
  expect(child?.status).toBe('idle');
  await rig.client.beta.sessions.update(id, {
    budget: { type: 'limit', max_list_cost: { amount: '10000', currency: 'USD' } },
  });
  const later = await rig.rested(id, 2);
  expect(textOf(only(later, 'agent.thread_message_received'))).toBe('cheap done');
});

/** What the grader says of a file r.md that names the total. */
const satisfied = call('submit_verdict', {
  criteria: [
    {
      id: 'c1',
      verdict: 'met',
      reason: 'It does.',
      evidence: [{ path: '/mnt/session/outputs/r.md', quote: 'Total: 42' }],
    },
  ],
});

test('an outcome is judged once no child is at work', async () => {
  rig.model.onTurns(
    'lead-graded',
    startAll('Worker', ['work-graded']),
    say('I wait.'),
    say('Done.'),
  );
  rig.model.onTurns(
    'work-graded',
    stall(1_000, call('write', { file_path: '/mnt/session/outputs/r.md', content: 'Total: 42\n' })),
    say('written'),
  );
  rig.model.on(isGrader, satisfied);
  const id = await teamSession(rig);
  await rig.send(id, {
    type: 'user.define_outcome',
    description: 'lead-graded: write r.md',
    rubric: { type: 'text', content: '- r.md names the total' },
  });
  const events = await rig.rested(id);
  expect(all(events, 'span.outcome_evaluation_end').map(({ result }) => result)).toEqual([
    'satisfied',
  ]);
  const types = typesOf(events);
  expect(types.indexOf('span.outcome_evaluation_start')).toBeGreaterThan(
    types.indexOf('agent.thread_message_received'),
  );
});

test.each(['archive', 'interrupt'] as const)(
  'an outcome that waits for a child’s question alone is judged at the %s of that child',
  async (how) => {
    const task = `question-${how}`;
    const path = '/mnt/session/outputs/r.md';
    rig.model.onTurns(
      `lead-${task}`,
      call('write', { file_path: path, content: 'Total: 42\n' }),
      startAll('Worker', [`work-${task}`]),
      say('I wait.'),
    );
    rig.model.onTurns(`work-${task}`, call('bash', { command: 'ls' }));
    rig.model.on(isGrader, satisfied);
    const permission_policy = { type: 'always_ask' } as const;
    const id = await teamSession(rig, {
      worker: {
        tools: [{ type: 'agent_toolset_20260401', default_config: { permission_policy } }],
      },
    });
    await rig.send(id, {
      type: 'user.define_outcome',
      description: `lead-${task}: write r.md`,
      rubric: { type: 'text', content: '- r.md names the total' },
    });
    const asked = await rig.rested(id);
    expect(only(asked, 'session.status_idle').stop_reason.type).toBe('requires_action');
    expect(typesOf(asked)).not.toContain('span.outcome_evaluation_start');
    const [child] = await childrenOf(rig, id);
    const session_thread_id = child?.id ?? '';
    if (how === 'interrupt') await rig.send(id, { type: 'user.interrupt', session_thread_id });
    else await rig.client.beta.sessions.threads.archive(session_thread_id, { session_id: id });
    const events = await rig.rested(id, 2);
    expect(typesOf(events.slice(asked.length))).toEqual([
      ...(how === 'interrupt' ? ['user.interrupt', 'session.thread_status_idle'] : []),
      ...(how === 'archive' ? ['session.thread_status_terminated'] : []),
      'session.status_running',
      'session.thread_status_running',
      'span.outcome_evaluation_start',
      'span.outcome_evaluation_end',
      'session.thread_status_idle',
      'session.usage',
      'session.status_idle',
    ]);
    expect(only(events, 'span.outcome_evaluation_end').result).toBe('satisfied');
  },
);

test('an interrupt cuts the waits of children for their next tries', async () => {
  const names = ['work-cut-a', 'work-cut-b'];
  rig.model.onTurns('lead-cut', startAll('Worker', names), say('I wait.'));
  for (const name of names) rig.model.onTurns(name, fail(529));
  const id = await teamSession(rig);
  await rig.send(id, message('lead-cut'));
  // The clock stands still: whatever happens has waited for nothing.
  const types = async () => typesOf(await rig.events(id));
  const wait = 'session.thread_status_rescheduled';
  await expect.poll(async () => (await types()).filter((type) => type === wait)).toHaveLength(2);
  await expect.poll(async () => all(await rig.events(id), 'agent.message')).toHaveLength(1);
  await rig.send(id, { type: 'user.interrupt' });
  await expect.poll(async () => (await types()).at(-1)).toBe('session.status_idle');
  const children = await childrenOf(rig, id);
  expect(children.map(({ status }) => status)).toEqual(['idle', 'idle']);
  const ended = await rig.events(id);
  await rig.host.advance(120_000);
  expect(await rig.events(id)).toEqual(ended);
});

test.each(['archive', 'delete'] as const)(
  '%s of a session puts its children away with it',
  async (how) => {
    const mark = `put-away-${how}`;
    rig.model.onTurns(
      `lead-${mark}`,
      startAll('Worker', [`work-${mark}`]),
      say('I wait.'),
      say('Done.'),
    );
    rig.model.onTurns(`work-${mark}`, say('done'), say('never asked'));
    const id = await teamSession(rig);
    await rig.send(id, message(`lead-${mark}`));
    await rig.rested(id);
    const [child] = await childrenOf(rig, id);
    await rig.client.beta.sessions[how](id);
    if (how === 'archive') {
      expect((await childrenOf(rig, id))[0]).toMatchObject({ status: 'terminated' });
      return;
    }
    await rig.host.advance(600_000);
    const db = new DynamoDBClient(rig.host.aws);
    const left = async (): Promise<string[]> => {
      const found: string[] = [];
      let from: Record<string, never> | undefined;
      do {
        const page = await db.send(
          new ScanCommand({
            TableName: String(rig.host.outputs['TableName']),
            ...(from && { ExclusiveStartKey: from }),
          }),
        );
        found.push(...(page.Items ?? []).map(({ pk }) => pk?.S ?? ''));
        from = page.LastEvaluatedKey as typeof from;
      } while (from !== undefined);
      return found.filter((pk) => pk.includes(id) || pk.includes(child?.id ?? '-'));
    };
    await expect.poll(left, { timeout: 20_000 }).toEqual([]);
  },
);

test('messages to a child at work wait for it, and are read in their order', async () => {
  rig.model.onTurns('work-queue', stall(1_500, say('first')), say('all of it'));
  rig.model.otherwise(({ body }) => {
    if (!firstText(body).includes('lead-queue')) return undefined;
    const spoken = body.messages.filter(({ role }) => role === 'assistant').length;
    if (spoken === 0) return startAll('Worker', ['work-queue']);
    const thread_id = /sthr_\w+/.exec(JSON.stringify(body.messages))?.[0] ?? '';
    if (spoken === 1) return reply(...[1, 2, 3].map((n) => tell(thread_id, `more-${n}`)));
    return say('Noted.');
  });
  const id = await teamSession(rig);
  await rig.send(id, message('lead-queue'));
  await rig.rested(id);
  const [child] = await childrenOf(rig, id);
  const received = all(await logOf(rig, id, child?.id ?? ''), 'agent.thread_message_received');
  expect(received.map(textOf)).toEqual(['work-queue', 'more-1', 'more-2', 'more-3']);
  expect(lastAsked('work-queue')).toMatch(/more-1.*more-2.*more-3/s);
});
