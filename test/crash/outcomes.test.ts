/**
 * Rule: wherever the grader or the step dies, an outcome is judged, and a run is reported on, as if
 * nothing had died. One graded session (a grader whose provider fails once, a verdict that sends the
 * work back, one that passes) and one session of an agent with an outcome model are driven through
 * the SDK, and the functions are killed around each call that they make and in each request. Each time
 * the same events must stand in the log, one verdict for each evaluation, one report, and the same
 * tokens on the bill. `CRASH=all` kills at all of them; without it a sample is taken.
 */
import { SFNClient, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ReverieClient } from '#shared/client/reverie-client.ts';
import type { OutcomeReport } from '#shared/outcome-reports/report.ts';
import { executionName } from '#shared/sessions/session.ts';
import { limits } from '#shared/core/limits.ts';
import type { Hooks } from '../../infra/local/gateway.ts';
import type { ModelRequest } from '../model/model.ts';
import { call, fail, say, stall, type Reply } from '../model/replies.ts';
import { ADMIN_KEY, all, message, startRig, typesOf, type Event, type Rig } from '../rig.ts';
import { lookUntil } from '../look.ts';
import { Boundaries, isMet, sampled, type Death } from './boundaries.ts';

type Mortal = 'grade' | 'step';

const boundaries = new Boundaries<Mortal>('grade', 'step');

let rig: Rig;
let own: ReverieClient;
let graded_agent: string;
let reported_agent: string;
let file_id: string;
let session_id = '';
let machine_arn = '';
/** Whether the provider has failed a grader of the present session. */
let has_failed = false;
/** Graders that wait for an answer which does not come. */
let waiting: 'nobody' | 'next' | 'there' = 'nobody';

/** The grader's requests are boundaries too: the function dies when one has arrived. */
async function modelBoundary(request: ModelRequest): Promise<void> {
  if (request.body.stream !== true) return;
  const name = isGrader(request) ? 'grade' : 'step';
  if (boundaries.isLastRequest(name)) await rig.host.kill(name);
}

function isGrader({ body }: ModelRequest): boolean {
  return (body.tools ?? []).some((tool) => 'name' in tool && tool.name === 'submit_verdict');
}

const path = '/mnt/session/uploads/report.md';

function verdict(id: string, source: 'met' | 'not_met'): Reply {
  const evidence = source === 'met' ? [{ path, quote: 'Source: ledger' }] : [];
  return call('submit_verdict', {
    criteria: [{ id, verdict: source, reason: 'As to the source.', evidence }],
  });
}

/** What a grader says hangs on the log alone, so a grading that is done again ends as the first. */
async function graderReply({ body }: ModelRequest): Promise<Reply> {
  if (waiting === 'next') {
    waiting = 'there';
    return stall();
  }
  const events = await rig.events(session_id);
  const is_report = all(events, 'span.outcome_evaluation_start').length === 0;
  if (is_report && !has_failed) {
    has_failed = true;
    return fail(529);
  }
  if (!is_report && all(events, 'session.error').length === 0) return fail(529);
  if (!body.messages.some(({ role }) => role === 'assistant')) return call('read', { path });
  if (is_report) return verdict('source', 'met');
  const is_first = all(events, 'span.outcome_evaluation_end').length === 0;
  return verdict('c1', is_first ? 'not_met' : 'met');
}

beforeAll(async () => {
  const hooks: Hooks = {
    ...boundaries.hooks,
    before: (made) => {
      const { stateMachineArn } = (made.body ?? {}) as { stateMachineArn?: string };
      if (made.action === 'StartExecution') machine_arn = stateMachineArn ?? '';
      return boundaries.hooks.before?.(made);
    },
  };
  rig = await startRig({ hooks }, { onRequest: modelBoundary });
  rig.model.otherwise(async (request) =>
    isGrader(request) ? await graderReply(request) : say('Done.'),
  );
  own = new ReverieClient(new Anthropic({ baseURL: rig.host.base_url, apiKey: ADMIN_KEY }));
  graded_agent = await rig.agent();
  reported_agent = await rig.agent();
  await own.outcomeModels.put(reported_agent, {
    success_criteria: [{ id: 'source', text: `${path} names its source.` }],
  });
  const file = new File(['Source: ledger\n'], 'report.md', { type: 'text/markdown' });
  ({ id: file_id } = await rig.client.beta.files.upload({ file }));
});

afterAll(async () => await rig.close());

async function begin(agent: string): Promise<void> {
  const { environment_id } = rig;
  has_failed = false;
  const resources = [{ type: 'file', file_id, mount_path: path } as const];
  const created = await rig.client.beta.sessions.create({ agent, environment_id, resources });
  session_id = created.id;
}

async function look<T>(found: () => Promise<T | undefined>): Promise<T> {
  return await lookUntil(rig.host, found, { step_ms: 500, stuck: () => 'it is stuck' });
}

/** All that tells why a session does not end. */
async function whereStuck(): Promise<string> {
  const types = await rig.events(session_id).then(
    (events) => typesOf(events).join(' '),
    (error: unknown) => String(error),
  );
  const logs = ['machines', 'grade', 'step', 'sandbox', 'reconcile', 'api'].map(async (name) => {
    const text = await readFile(join(rig.host.logs, `${name}.log`), 'utf8').catch(() => '');
    return [name, ...text.split('\n').slice(-12)].join('\n');
  });
  return [
    `${session_id} is stuck, ${rig.host.running()} run`,
    types,
    ...(await Promise.all(logs)),
  ].join('\n');
}

/** One graded session to its end. */
async function gradedSession(): Promise<Event[]> {
  await begin(graded_agent);
  await rig.send(session_id, {
    type: 'user.define_outcome',
    description: `See that ${path} is whole.`,
    rubric: { type: 'text', content: `- ${path} has a source` },
  });
  return await look(async () => {
    const events = await rig.events(session_id);
    return events.at(-1)?.type === 'session.status_idle' ? events : undefined;
  });
}

async function verdictsOf(agent: string) {
  const [{ data }, { data: ofAgent }] = await Promise.all([
    own.verdicts.ofSession(session_id),
    own.verdicts.list(agent, { session_id, order: 'asc' }),
  ]);
  const transcripts = await Promise.all(
    data.map(async ({ id }) => await (await own.verdicts.transcript(session_id, id)).text()),
  );
  return {
    verdicts: data.map(({ id, result }) => ({ id, result })),
    of_agent: ofAgent.map(({ result }) => result),
    transcript_lines: transcripts.map((text) => text.trimEnd().split('\n').length),
  };
}

async function outcomeEnd() {
  const events = await gradedSession();
  const session = await rig.client.beta.sessions.retrieve(session_id);
  const { verdicts, ...rest } = await verdictsOf(graded_agent);
  const ids = events.map(({ id }) => id);
  return {
    types: typesOf(events),
    is_once: new Set(ids).size === ids.length,
    ends: all(events, 'span.outcome_evaluation_end').map(
      ({ iteration, result, outcome_evaluation_start_id }) =>
        `${iteration} ${result} ${ids.indexOf(outcome_evaluation_start_id)}`,
    ),
    verdicts: verdicts.map(({ id, result }) => `${result} ${ids.indexOf(id)}`),
    ...rest,
    outcome: session.outcome_evaluations.map(({ iteration, result }) => `${iteration} ${result}`),
    tokens: tokensOf(session.usage),
  };
}

/** The only report of the session, once it is ended. */
async function endedReport(): Promise<OutcomeReport> {
  return await look(async () => {
    const { data } = await own.outcomeReports.list(session_id);
    const [report] = data;
    return data.length === 1 && report?.state !== 'pending' ? report : undefined;
  });
}

async function reportEnd() {
  await begin(reported_agent);
  await rig.send(session_id, message('See that it is whole.'));
  const report = await endedReport();
  const session = await rig.client.beta.sessions.retrieve(session_id);
  const { verdicts, ...rest } = await verdictsOf(reported_agent);
  return {
    types: typesOf(await rig.events(session_id)),
    state: report.state,
    result: report.result,
    criteria: report.success_criteria.map((one) => `${one.verdict} ${one.evidence.length}`),
    // How long the session took stands in the report's request: its length in digits differs.
    output: tokensOf(report.usage).output,
    turn: tokensOf(session.usage).input - tokensOf(report.usage).input,
    billed: tokensOf(session.usage).output,
    verdicts: verdicts.map(({ id, result }) => `${result} ${id === report.id}`),
    ...rest,
  };
}

type Usage = Awaited<ReturnType<typeof rig.client.beta.sessions.retrieve>>['usage'];

/** What the cache made of them differs by what the provider has seen before. */
function tokensOf(usage: Usage) {
  const { cache_creation: made } = usage;
  return {
    output: usage.output_tokens,
    input:
      (usage.input_tokens ?? 0) +
      (usage.cache_read_input_tokens ?? 0) +
      (made?.ephemeral_5m_input_tokens ?? 0) +
      (made?.ephemeral_1h_input_tokens ?? 0),
  };
}

/** Die at one boundary after the other, and compare the ends. */
async function dieEverywhere(end: () => Promise<object>, count: number): Promise<object> {
  const run = async (death?: Death<Mortal>): Promise<object> => {
    boundaries.begin(death);
    return await end().catch(async (error: unknown) => {
      return { failed: String(error), where: await whereStuck() };
    });
  };
  // The first fills the caches: its numbers would be those of no other.
  await run();
  const whole = await run();
  const deaths = sampled(boundaries.all(), count);
  const broken: unknown[] = [];
  let missed = 0;
  for (const { place, ...death } of deaths) {
    // oxlint-disable-next-line no-await-in-loop -- one death at a time
    const ended = await run(death);
    if (!boundaries.end()) missed += 1;
    if (JSON.stringify(ended) !== JSON.stringify(whole))
      broken.push({ ...death, place, ended, whole });
  }
  expect(broken).toEqual([]);
  // Caches shift the numbers a little: not each run has each call.
  expect(isMet(missed, deaths)).toBe(true);
  expect(rig.model.violations).toEqual([]);
  return whole;
}

test('a graded session killed at every boundary is judged once, and ends as it would have', async () => {
  const whole = await dieEverywhere(outcomeEnd, 4);
  expect(whole).toMatchObject({
    ends: [expect.stringMatching(/^0 needs_revision/), expect.stringMatching(/^1 satisfied/)],
    of_agent: ['needs_revision', 'satisfied'],
    outcome: ['1 satisfied'],
    is_once: true,
  });
}, 1_800_000);

test('a run killed at every boundary of its report is reported on once, and charged once', async () => {
  const whole = await dieEverywhere(reportEnd, 3);
  expect(whole).toMatchObject({
    state: 'done',
    result: 'satisfied',
    criteria: ['met 1'],
    of_agent: ['satisfied'],
  });
}, 1_800_000);

/** The execution of a report ends while its grader waits, as when a local host stops. */
async function loseReport(restart: number): Promise<void> {
  await look(async () => (waiting === 'there' ? true : undefined));
  const machine = machine_arn.replace(':stateMachine:', ':execution:');
  const executionArn = `${machine}:${executionName(session_id, 1, restart)}`;
  await new SFNClient(rig.host.aws).send(new StopExecutionCommand({ executionArn }));
  await rig.host.kill('grade');
  waiting = 'next';
  await rig.host.advance(limits.report_due_ms + 120_000);
}

test('a report whose execution was lost is made by another one', async () => {
  waiting = 'next';
  await begin(reported_agent);
  await rig.send(session_id, message('See that it is whole.'));
  await loseReport(0);
  waiting = 'nobody';
  const report = await endedReport();
  expect(report).toMatchObject({ state: 'done', result: 'satisfied' });
});

test('a report whose executions are all lost is said to have failed', async () => {
  waiting = 'next';
  await begin(reported_agent);
  await rig.send(session_id, message('See that it is whole.'));
  // oxlint-disable-next-line no-await-in-loop -- one execution after the other
  for (let restart = 0; restart <= limits.report_restarts_max; restart++) await loseReport(restart);
  const report = await endedReport();
  expect(report).toMatchObject({ state: 'failed', result: null });
  expect(report.reason).toContain('4 executions');
});
