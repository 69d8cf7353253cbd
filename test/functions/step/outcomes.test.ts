/**
 * Outcomes on the local host: the loop of the session machine with its state Grade, seen through the
 * SDK. Agent and grader are the same scripted model, told apart by what they are offered.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ModelRequest } from '../../model/model.ts';
import { call, fail, reply, say } from '../../model/replies.ts';
import { message, only, startRig, typesOf, type Rig } from '../../rig.ts';
import {
  evaluationsOf,
  isGrader,
  open,
  outcome,
  pass,
  read,
  revise,
  RUBRIC,
  script,
  spans,
  whole,
  write,
} from './outcome-rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => {
  expect(rig.model.violations).toEqual([]);
  expect(rig.checked.violations).toEqual([]);
  await rig.close();
});

test('the work goes back until the rubric is met, and no idle is said before', async () => {
  const task = 'Report of the twice judged';
  script(
    rig,
    task,
    [write('Total: 42\n'), say('Here it is.'), whole, say('Now with its source.')],
    [read, revise, read, pass],
  );
  const session_id = await rig.session();
  const [echo] = await rig.send(session_id, outcome(task));
  if (echo?.type !== 'user.define_outcome') throw new Error('the outcome is echoed');
  expect(echo).toMatchObject({ description: task, max_iterations: 3 });
  expect(echo.outcome_id).toMatch(/^outc_/);
  expect(echo.processed_at).not.toBeNull();

  const events = await rig.rested(session_id);
  const loop = typesOf(events).filter((type) => !/model_request|tool/.test(type));
  expect(loop).toEqual([
    'user.define_outcome',
    'session.status_running',
    'session.thread_status_running',
    'agent.message',
    'span.outcome_evaluation_start',
    'span.outcome_evaluation_end',
    'agent.message',
    'span.outcome_evaluation_start',
    'span.outcome_evaluation_end',
    'session.thread_status_idle',
    'session.usage',
    'session.status_idle',
  ]);
  expect(spans(events)).toEqual(['0 needs_revision', '1 satisfied']);
  const ends = events.filter((event) => event.type === 'span.outcome_evaluation_end');
  const starts = events.filter((event) => event.type === 'span.outcome_evaluation_start');
  expect(ends.map((end) => end.outcome_evaluation_start_id)).toEqual(starts.map(({ id }) => id));
  expect(ends[0]?.explanation).toContain('No source is named.');
  expect(ends[0]?.usage.output_tokens).toBeGreaterThan(0);
  expect(await evaluationsOf(rig, session_id)).toEqual([
    {
      type: 'outcome_evaluation',
      outcome_id: echo.outcome_id,
      description: task,
      iteration: 1,
      result: 'satisfied',
      explanation: ends[1]?.explanation,
      completed_at: expect.any(String),
    },
  ]);
});

test('the grader is shown nothing of how the agent worked', async () => {
  const task = 'Report of the isolated';
  script(
    rig,
    task,
    [
      reply(say('SECRET-THOUGHT-1'), call('bash', { command: 'echo SECRET-COMMAND-2' })),
      write('Total: 42\n'),
      say('SECRET-WORDS-3'),
      whole,
      say('SECRET-WORDS-4'),
    ],
    [read, revise, read, pass],
  );
  const session_id = await rig.session({ system: 'SECRET-SYSTEM-0' });
  await rig.send(session_id, message('SECRET-MESSAGE-5'), outcome(task));
  const events = await rig.rested(session_id);
  expect(spans(events)).toEqual(['0 needs_revision', '1 satisfied']);
  const asked = rig.model.requests.filter(
    (request) => isGrader(request) && JSON.stringify(request.body).includes(task),
  );
  expect(asked).toHaveLength(4);
  const second = asked.slice(2).map(({ body }) => JSON.stringify(body));
  for (const { body } of asked) expect(JSON.stringify(body)).not.toMatch(/SECRET/);
  // Nor of what was found before.
  for (const text of second) expect(text).not.toContain('No source is named.');
  expect(asked[0]?.body.messages[0]).toBeDefined();
  expect(JSON.stringify(asked[0]?.body)).toContain('The report has a source');
});

test('after the last evaluation the agent says its last word, and then the session rests', async () => {
  const task = 'Report of the never met';
  script(
    rig,
    task,
    [write('Total: 42\n'), say('Done.'), say('The source is missing.')],
    [read, revise],
  );
  const session_id = await rig.session();
  await rig.send(session_id, outcome(task, { max_iterations: 1 }));
  const events = await rig.rested(session_id);
  expect(spans(events)).toEqual(['0 max_iterations_reached']);
  const last = events.findLast((event) => event.type === 'agent.message');
  expect(last?.content).toEqual([{ type: 'text', text: 'The source is missing.' }]);
  expect(await evaluationsOf(rig, session_id)).toMatchObject([
    { result: 'max_iterations_reached', iteration: 0 },
  ]);
});

test('an outcome that a session is created with starts it, and another one can follow', async () => {
  const tasks = ['Report of the first', 'Report of the second'];
  for (const task of tasks) script(rig, task, [whole, say('Done.')], [read, pass]);
  const [first = '', second = ''] = tasks;
  const session_id = await rig.session({}, { initial_events: [outcome(first)] });
  await rig.rested(session_id);
  // The grader of the second one knows nothing of the first.
  const about = (request: ModelRequest): boolean => isGrader(request);
  rig.model.on(
    (request) => about(request) && JSON.stringify(request.body).includes(second),
    read,
    pass,
  );
  await rig.send(session_id, outcome(second));
  await rig.rested(session_id, 2);
  expect(await evaluationsOf(rig, session_id)).toMatchObject([
    { description: first, result: 'satisfied' },
    { description: second, result: 'satisfied' },
  ]);
});

test('a second outcome waits until the first has its result', async () => {
  const task = 'Report of the only';
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
  const refused = rig.client.beta.sessions.events.send(session_id, { events: [outcome('More')] });
  await expect(refused).rejects.toThrow(/only one can be active/);
  const both = { events: [outcome('One'), outcome('Two')] };
  await expect(rig.client.beta.sessions.events.send(session_id, both)).rejects.toThrow(
    /events\.1: .*at most one user\.define_outcome/,
  );
});

test('an interrupt at rest ends the outcome, and one while it works does too', async () => {
  const task = 'Report of the stopped';
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
  await rig.send(session_id, { type: 'user.interrupt' });
  const events = await rig.events(session_id);
  const end = only(events, 'span.outcome_evaluation_end');
  expect(end).toMatchObject({ result: 'interrupted', outcome_evaluation_start_id: '' });
  expect(await evaluationsOf(rig, session_id)).toMatchObject([{ result: 'interrupted' }]);
});

test('a message while it works steers the agent before it is judged', async () => {
  const task = 'Report of the steered';
  let told = false;
  rig.model.on(
    (request) => !isGrader(request) && JSON.stringify(request.body).includes(task) && told,
    whole,
    say('With its source.'),
  );
  script(rig, task, [write('Total: 42\n'), say('Done.')], [read, pass]);
  const session_id = await rig.session();
  told = true;
  await rig.send(session_id, outcome(task), message('Name your source.'));
  const events = await rig.rested(session_id);
  expect(spans(events)).toEqual(['0 satisfied']);
});

test('a grader whose provider fails is asked again under the same start', async () => {
  const task = 'Report of the failing grader';
  script(rig, task, [whole, say('Done.')], [fail(529, 'overloaded_error'), read, pass]);
  const session_id = await rig.session();
  await rig.send(session_id, outcome(task));
  const events = await rig.rested(session_id);
  expect(spans(events)).toEqual(['0 satisfied']);
  expect(events.filter(({ type }) => type === 'span.outcome_evaluation_start')).toHaveLength(1);
  expect(typesOf(events)).toContain('session.status_rescheduled');
});

test('a criterion that is too long to be told is cut between two characters', async () => {
  const task = 'Report of the long criterion';
  // The 199 units that a verdict tells of it end within a pair.
  const content = `- The report names the total${'. '.repeat(85)}${'\u{1f600}'.repeat(9)}\n- A source`;
  script(
    rig,
    task,
    [write('Total: 42\n'), say('Here it is.'), whole, say('Now with its source.')],
    [read, open, read, pass],
  );
  const session_id = await rig.session();
  await rig.send(session_id, outcome(task, { rubric: { type: 'text', content } }));
  const events = await rig.rested(session_id);
  expect(spans(events)).toEqual(['0 needs_revision', '1 satisfied']);
  const [end] = events.filter((event) => event.type === 'span.outcome_evaluation_end');
  expect(end?.explanation).toContain('\u{1f600}');
  expect(end?.explanation.isWellFormed()).toBe(true);
});

test('a rubric may be a file, and is kept as its text', async () => {
  const task = 'Report of the filed rubric';
  script(rig, task, [whole, say('Done.')], [read, pass]);
  const file = await rig.client.beta.files.upload({
    file: new File([RUBRIC], 'rubric.md', { type: 'text/markdown' }),
  });
  const session_id = await rig.session();
  const rubric = { type: 'file' as const, file_id: file.id };
  const [echo] = await rig.send(session_id, outcome(task, { rubric, max_iterations: 5 }));
  expect(echo).toMatchObject({ rubric: { type: 'text', content: RUBRIC }, max_iterations: 5 });
  expect(spans(await rig.rested(session_id))).toEqual(['0 satisfied']);
});

test.each([
  ['no rubric', { rubric: undefined }, /rubric/],
  ['a blank rubric', { rubric: { type: 'text', content: '  ' } }, /rubric\.content: must not be/],
  ['no iterations', { max_iterations: 0 }, /max_iterations/],
  ['too many', { max_iterations: 21 }, /max_iterations/],
  ['an unknown file', { rubric: { type: 'file', file_id: 'file_nothing' } }, /was not found/],
])('%s is refused by name', async (_what, more, said) => {
  const session_id = await rig.session();
  const events = [{ ...outcome('Anything'), ...more } as never];
  await expect(rig.client.beta.sessions.events.send(session_id, { events })).rejects.toThrow(said);
  expect(await rig.events(session_id)).toEqual([]);
});
