/**
 * What comes between an outcome and its verdict: interrupts, questions, budgets, failures, slow
 * graders, messages, compaction. Seen through the SDK on the local host.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, costing, fail, refuse, say, stall, type Reply } from '../../model/replies.ts';
import { all, message, only, startRig, typesOf, type Event, type Rig } from '../../rig.ts';
import {
  evaluationsOf,
  isGrader,
  outcome,
  pass,
  read,
  revise,
  script,
  spans,
  whole,
  write,
} from './outcome-rig.ts';

let rig: Rig;
/** Begun first and looked at last: it takes sixteen seconds of real time, in which the others run. */
let slow: Promise<Event[]>;
beforeAll(async () => {
  slow = slowGrading();
  rig = await startRig();
});
afterAll(async () => {
  expect(rig.model.violations).toEqual([]);
  expect(rig.checked.violations).toEqual([]);
  await rig.close();
});

/** By real time, on a host of its own: where the clock jumps, the lease runs out before the heartbeat. */
async function slowGrading(): Promise<Event[]> {
  const own = await startRig();
  const task = 'Report of the slow grader';
  script(own, task, [whole, say('Done.')], [stall(16_500, read), pass]);
  const session_id = await own.session();
  await own.send(session_id, outcome(task));
  let events: Event[] = [];
  for (let look = 0; look < 100; look++) {
    await sleep(500);
    events = await own.events(session_id);
    if (typesOf(events).includes('session.status_idle')) break;
  }
  await own.close();
  return events;
}

async function isGrading(session_id: string): Promise<void> {
  await rig.until(session_id, (events) =>
    typesOf(events).includes('span.outcome_evaluation_start'),
  );
}

function budget(amount: string) {
  return { type: 'limit' as const, max_list_cost: { amount, currency: 'USD' as const } };
}

/** Costs more than a dollar with every model. */
const dear = (said: Reply): Reply => costing({ output_tokens: 200_000 }, said);

test('an interrupt ends a grading at once, by the start that it has', async () => {
  const task = 'Report of the stopped grader';
  script(rig, task, [whole, say('Done.')], [costing({ output_tokens: 777 }, read), stall()]);
  const session_id = await rig.session();
  await rig.send(session_id, outcome(task));
  await isGrading(session_id);
  await rig.until(session_id, () => rig.model.requests.at(-1)?.reply?.pace !== undefined);
  const sent_ms = performance.now();
  await rig.send(session_id, { type: 'user.interrupt' });
  const events = await rig.rested(session_id);
  expect(performance.now() - sent_ms).toBeLessThan(5_000);
  expect(only(events, 'span.outcome_evaluation_end')).toMatchObject({
    result: 'interrupted',
    outcome_evaluation_start_id: only(events, 'span.outcome_evaluation_start').id,
  });
  expect(only(events, 'session.status_idle').stop_reason).toEqual({ type: 'end_turn' });
  expect(await evaluationsOf(rig, session_id)).toMatchObject([{ result: 'interrupted' }]);
  // What the grader had used until then is paid for.
  const { usage } = await rig.client.beta.sessions.retrieve(session_id);
  expect(usage.output_tokens).toBeGreaterThan(777);
});

test('a custom tool inside the loop: the outcome waits for its result', async () => {
  const task = 'Report of the asking';
  script(rig, task, [call('ask_someone', {}), whole, say('Done.')], [read, pass]);
  const session_id = await rig.session({
    tools: [
      { type: 'agent_toolset_20260401' },
      {
        type: 'custom',
        name: 'ask_someone',
        description: 'Asks',
        input_schema: { type: 'object' },
      },
    ],
  });
  await rig.send(session_id, outcome(task));
  const waiting = await rig.rested(session_id);
  const use = only(waiting, 'agent.custom_tool_use');
  expect(only(waiting, 'session.status_idle').stop_reason.type).toBe('requires_action');
  expect(await evaluationsOf(rig, session_id)).toMatchObject([{ result: 'running' }]);
  await rig.send(session_id, { type: 'user.custom_tool_result', custom_tool_use_id: use.id });
  expect(spans(await rig.rested(session_id, 2))).toEqual(['0 satisfied']);
});

test('a confirmation inside the loop: the outcome waits for it', async () => {
  const task = 'Report of the confirmed';
  script(rig, task, [whole, say('Done.')], [read, pass]);
  const configs = [{ name: 'write', permission_policy: { type: 'always_ask' } } as const];
  const session_id = await rig.session({ tools: [{ type: 'agent_toolset_20260401', configs }] });
  await rig.send(session_id, outcome(task));
  const use = only(await rig.rested(session_id), 'agent.tool_use');
  await rig.send(session_id, {
    type: 'user.tool_confirmation',
    tool_use_id: use.id,
    result: 'allow',
  });
  expect(spans(await rig.rested(session_id, 2))).toEqual(['0 satisfied']);
});

test.each([
  ['while it works', [dear(whole), say('Done.')], 'running', 0],
  ['when it would be judged', [whole, dear(say('Done.'))], 'evaluating', 1],
] as const)(
  'a budget that is reached %s holds the outcome until it is raised',
  async (when, agent, result, starts) => {
    const task = `Report of the budget ${when}`;
    script(rig, task, agent, [read, pass]);
    const session_id = await rig.session({}, { budget: budget('50') });
    await rig.send(session_id, outcome(task));
    const capped = await rig.rested(session_id);
    expect(only(capped, 'session.status_idle').stop_reason).toEqual({ type: 'budget_reached' });
    expect(all(capped, 'span.outcome_evaluation_start')).toHaveLength(starts);
    expect(await evaluationsOf(rig, session_id)).toMatchObject([{ result }]);
    await rig.client.beta.sessions.update(session_id, { budget: budget('100000') });
    const events = await rig.rested(session_id, 2);
    expect(spans(events)).toEqual(['0 satisfied']);
    expect(all(events, 'span.outcome_evaluation_start')).toHaveLength(1);
  },
);

test('a budget is counted with what the grader uses', async () => {
  const task = 'Report of the dear grader';
  script(
    rig,
    task,
    [write('Total: 42\n'), say('Done.'), whole, say('Revised.')],
    [dear(read), revise, read, pass],
  );
  const session_id = await rig.session({}, { budget: budget('50') });
  await rig.send(session_id, outcome(task));
  const capped = await rig.rested(session_id);
  expect(spans(capped)).toEqual(['0 needs_revision']);
  expect(only(capped, 'session.status_idle').stop_reason).toEqual({ type: 'budget_reached' });
  expect(only(capped, 'span.outcome_evaluation_end').usage.output_tokens).toBeGreaterThan(200_000);
  const { usage } = await rig.client.beta.sessions.retrieve(session_id);
  expect(usage.output_tokens).toBeGreaterThan(200_000);
  await rig.client.beta.sessions.update(session_id, { budget: budget('100000') });
  expect(spans(await rig.rested(session_id, 2))).toEqual(['0 needs_revision', '1 satisfied']);
});

test('a grader that fails at every try exhausts the turn, and the session goes on without the outcome', async () => {
  const task = 'Report of the exhausted';
  const failures = Array.from({ length: 6 }, () => fail(529));
  script(rig, task, [whole, say('Done.'), say('Hello again.')], failures);
  const session_id = await rig.session();
  await rig.send(session_id, outcome(task));
  const events = await rig.rested(session_id);
  const errors = all(events, 'session.error').map(({ error }) => error.retry_status.type);
  expect(errors).toEqual([...Array.from({ length: 5 }, () => 'retrying'), 'exhausted']);
  expect(only(events, 'session.status_idle').stop_reason).toEqual({ type: 'retries_exhausted' });
  expect(only(events, 'span.outcome_evaluation_end')).toMatchObject({
    result: 'interrupted',
    outcome_evaluation_start_id: only(events, 'span.outcome_evaluation_start').id,
  });
  expect(await evaluationsOf(rig, session_id)).toMatchObject([
    { result: 'interrupted', completed_at: expect.any(String) },
  ]);
  await rig.send(session_id, message('Are you there?'));
  const after = await rig.rested(session_id, 2);
  expect(all(after, 'span.outcome_evaluation_start')).toHaveLength(1);
});

test('what a grader may not be asked, such as with a broken picture, ends its outcome and not the session', async () => {
  const task = 'Report of the unaskable';
  script(rig, task, [whole, say('Done.'), say('Hello again.')], [fail(400, 'no picture')]);
  const session_id = await rig.session();
  await rig.send(session_id, outcome(task));
  const events = await rig.rested(session_id);
  expect(only(events, 'session.status_idle').stop_reason).toEqual({ type: 'retries_exhausted' });
  expect(only(events, 'span.outcome_evaluation_end')).toMatchObject({
    result: 'interrupted',
    explanation: expect.stringContaining('no picture'),
  });
  await rig.send(session_id, message('Are you there?'));
  expect(all(await rig.rested(session_id, 2), 'agent.message')).toHaveLength(2);
});

test('a slow grader is heard of while it judges', async () => {
  const events = await slow;
  const { outcome_id } = only(events, 'span.outcome_evaluation_start');
  expect(only(events, 'span.outcome_evaluation_ongoing')).toMatchObject({
    outcome_id,
    iteration: 0,
  });
  const loop = typesOf(events).filter((type) => type.startsWith('span.outcome'));
  expect(loop).toEqual([
    'span.outcome_evaluation_start',
    'span.outcome_evaluation_ongoing',
    'span.outcome_evaluation_end',
  ]);
}, 60_000);

test('a refusal rests the session, and the next message takes the outcome up again', async () => {
  const task = 'Report of the refused';
  script(rig, task, [refuse('cyber', 'No.'), whole, say('Done.')], [read, pass]);
  const session_id = await rig.session();
  await rig.send(session_id, outcome(task));
  const refused = await rig.rested(session_id);
  expect(only(refused, 'session.status_idle').stop_reason.type).toBe('refusal');
  expect(await evaluationsOf(rig, session_id)).toMatchObject([{ result: 'running' }]);
  await rig.send(session_id, message('It is about numbers.'));
  expect(spans(await rig.rested(session_id, 2))).toEqual(['0 satisfied']);
});

test('archiving ends an outcome that waits, in the answer, the log and from then on', async () => {
  const task = 'Report of the archived';
  script(rig, task, [call('ask_someone', {})], []);
  const tools = [
    {
      type: 'custom' as const,
      name: 'ask_someone',
      description: 'Asks',
      input_schema: { type: 'object' as const },
    },
  ];
  const session_id = await rig.session({ tools });
  await rig.send(session_id, outcome(task));
  await rig.rested(session_id);
  const archived = await rig.client.beta.sessions.archive(session_id);
  const [shown] = archived.outcome_evaluations;
  expect(shown).toMatchObject({ result: 'interrupted', completed_at: expect.any(String) });
  expect(await evaluationsOf(rig, session_id)).toEqual([shown]);
  expect(spans(await rig.events(session_id))).toEqual(['0 interrupted']);
});

test('a session that an error ends, ends its outcome', async () => {
  const task = 'Report of the terminated';
  script(rig, task, [fail(404)], []);
  const session_id = await rig.session();
  await rig.send(session_id, outcome(task));
  const events = await rig.rested(session_id);
  expect(typesOf(events)).toContain('session.status_terminated');
  expect(only(events, 'span.outcome_evaluation_end')).toMatchObject({
    result: 'interrupted',
    outcome_evaluation_start_id: '',
  });
  expect(await evaluationsOf(rig, session_id)).toMatchObject([{ result: 'interrupted' }]);
});

test('a rubric that does not fit its task fails the outcome', async () => {
  const task = 'Report of the unfitting';
  const misfit = call('submit_verdict', { criteria: [], misfit: 'It asks for a cake.' });
  script(rig, task, [whole, say('Done.')], [misfit]);
  rig.model.on(
    ({ body }) =>
      JSON.stringify(body).includes(task) && JSON.stringify(body.tools).includes('answer_fit'),
    call('answer_fit', { fits: false, reason: 'A cake is no report.' }),
  );
  const session_id = await rig.session();
  await rig.send(session_id, outcome(task));
  const events = await rig.rested(session_id);
  expect(spans(events)).toEqual(['0 failed']);
  expect(only(events, 'session.status_idle').stop_reason).toEqual({ type: 'end_turn' });
  expect(await evaluationsOf(rig, session_id)).toMatchObject([{ result: 'failed' }]);
});

test('the next outcome can be defined while the last word on the one before is said', async () => {
  const [first, second] = ['Report of the chained one', 'Report of the chained two'] as const;
  // Its conversation has the first task in it: the second one must answer before it.
  rig.model.on(
    (request) => !isGrader(request) && JSON.stringify(request.body).includes(second),
    whole,
    say('Both are done.'),
  );
  rig.model.on(
    (request) => isGrader(request) && JSON.stringify(request.body).includes(second),
    read,
    pass,
  );
  script(
    rig,
    first,
    [write('Total: 42\n'), say('Done.'), stall(700, say('A source is missing.'))],
    [read, revise],
  );
  const session_id = await rig.session();
  await rig.send(session_id, outcome(first, { max_iterations: 1 }));
  await rig.until(session_id, (events) => spans(events).length === 1);
  await rig.send(session_id, outcome(second));
  await expect(rig.send(session_id, outcome('a third'))).rejects.toThrow(/only one can be active/);
  const events = await rig.rested(session_id);
  expect(spans(events)).toEqual(['0 max_iterations_reached', '0 satisfied']);
  expect(all(events, 'session.status_idle')).toHaveLength(1);
  expect(await evaluationsOf(rig, session_id)).toMatchObject([
    { description: first, result: 'max_iterations_reached' },
    { description: second, result: 'satisfied' },
  ]);
});

test.each([
  ['sends the work back', [revise, read, pass], ['0 needs_revision', '1 satisfied']],
  ['passes it', [pass], ['0 satisfied']],
] as const)(
  'a message during a grading that %s is taken with the verdict',
  async (what, [first, ...more], ends) => {
    const task = `Report of the told, who ${what}`;
    const agent = [write('Total: 42\nSource: ledger\n'), say('Done.'), say('I have heard.')];
    script(rig, task, agent, [stall(700, read), first, ...more]);
    const session_id = await rig.session();
    await rig.send(session_id, outcome(task));
    await isGrading(session_id);
    const [sent] = await rig.send(session_id, message(`Mind the units, ${what}.`));
    expect(sent?.processed_at).toBeNull();
    const events = await rig.rested(session_id);
    expect(spans(events)).toEqual(ends);
    const types = typesOf(events);
    expect(types.indexOf('user.message')).toBeGreaterThan(
      types.indexOf('span.outcome_evaluation_end'),
    );
    // Nothing is asked of the model between the verdict and the message.
    expect(
      types.slice(types.indexOf('span.outcome_evaluation_end'), types.indexOf('user.message')),
    ).toEqual(['span.outcome_evaluation_end']);
    const asked = rig.model.requests.filter(({ body }) =>
      JSON.stringify(body).includes(`Mind the units, ${what}.`),
    );
    expect(asked.some(isGrader)).toBe(false);
    expect(asked).toHaveLength(1);
  },
);

test('a compaction keeps the task and its rubric before the model', async () => {
  const task = 'Report of the compacted';
  const summary = 'Write the summary that will stand';
  rig.model.on(
    ({ body }) =>
      JSON.stringify(body.messages.at(-1)).includes(summary) && JSON.stringify(body).includes(task),
    say('<summary>half of it is written</summary>'),
  );
  script(
    rig,
    task,
    [costing({ input_tokens: 990_000 }, write('Total: 42\n')), whole, say('Done.')],
    [read, pass],
  );
  const session_id = await rig.session();
  await rig.send(session_id, outcome(task));
  const events = await rig.rested(session_id);
  expect(typesOf(events)).toContain('agent.thread_context_compacted');
  expect(spans(events)).toEqual(['0 satisfied']);
  const after = rig.model.requests.filter(
    (request) =>
      !isGrader(request) && JSON.stringify(request.body).includes('half of it is written'),
  );
  expect(after.length).toBeGreaterThan(0);
  for (const { body } of after)
    expect(JSON.stringify(body.messages[0])).toContain('The report has a source');
});
