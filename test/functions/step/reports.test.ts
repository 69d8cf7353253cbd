/** Reports by an agent's outcome model on the local host; the grader is told by its tools. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ReverieClient } from '#shared/client/reverie-client.ts';
import type { OutcomeModelParams } from '#shared/client/outcome-models.ts';
import { primaryThreadId } from '#shared/core/id.ts';
import type { OutcomeReport } from '#shared/outcome-reports/report.ts';
import { executionName } from '#shared/sessions/session.ts';
import { lookUntil } from '../../look.ts';
import type { ModelRequest } from '../../model/model.ts';
import { call, fail, reply, say, stall, think, type Reply } from '../../model/replies.ts';
import { message, startRig, type Rig } from '../../rig.ts';

let rig: Rig;
let own: ReverieClient;
beforeAll(async () => {
  rig = await startRig();
  own = new ReverieClient(rig.client);
});
afterAll(async () => {
  expect(rig.model.violations).toEqual([]);
  expect(rig.checked.violations).toEqual([]);
  await rig.close();
});

const path = '/mnt/session/outputs/report.md';
const write = call('write', { file_path: path, content: 'Total: 42\n' });

const model: OutcomeModelParams = {
  success_criteria: [
    { id: 'total', text: 'The report names the total.' },
    { id: 'style', text: 'The report is short.', weight: 'should' },
  ],
  failure_modes: [{ id: 'asks', text: 'The user has to correct the agent.' }],
  signals: [{ id: 'reads', text: 'The agent uses its tools.' }],
};

function isGrader({ body }: ModelRequest): boolean {
  return (body.tools ?? []).some((tool) => 'name' in tool && tool.name === 'submit_verdict');
}

function requestsOf(task: string): ModelRequest[] {
  return rig.model.requests.filter(
    (request) => isGrader(request) && JSON.stringify(request.body).includes(task),
  );
}

function script(task: string, agent: readonly Reply[], grader: readonly Reply[]): void {
  const about = (request: ModelRequest): boolean => JSON.stringify(request.body).includes(task);
  rig.model.on((request) => about(request) && !isGrader(request), ...agent);
  rig.model.on((request) => about(request) && isGrader(request), ...grader);
}

/** Every grader of the task waits until `open` is called. */
function gated(task: string, answer: Reply): { open: () => void } {
  const gate = Promise.withResolvers<void>();
  rig.model.otherwise(async (request) => {
    if (!isGrader(request) || !JSON.stringify(request.body).includes(task)) return undefined;
    await gate.promise;
    return answer;
  });
  return { open: gate.resolve };
}

type Verdict = 'met' | 'not_met' | 'cannot_tell';

function entry(id: string, verdict: Verdict, ...evidence: { path: string; quote?: string }[]) {
  return { id, verdict, reason: `As to ${id}.`, evidence };
}

const total = entry('total', 'met', { path, quote: 'Total: 42' });
const plain = [
  total,
  entry('style', 'not_met'),
  entry('asks', 'not_met'),
  entry('reads', 'met', { path: 'session:facts', quote: '"name":"write","calls_count":1' }),
];
const submit = (...criteria: readonly object[]): Reply => call('submit_verdict', { criteria });

async function agentWithModel(body: OutcomeModelParams = model): Promise<string> {
  const id = await rig.agent();
  await own.outcomeModels.put(id, body);
  return id;
}

async function sessionOf(agent: string, more: object = {}): Promise<string> {
  const { environment_id } = rig;
  return (await rig.client.beta.sessions.create({ agent, environment_id, ...more })).id;
}

/** Wait until a session has that many reports that are ended. */
async function reported(session_id: string, count = 1): Promise<OutcomeReport[]> {
  const stuck = (): string => `${session_id} got no report`;
  const found = async (): Promise<OutcomeReport[] | undefined> => {
    const { data } = await own.outcomeReports.list(session_id);
    return data.filter(({ state }) => state !== 'pending').length >= count ? data : undefined;
  };
  return await lookUntil(rig.host, found, { stuck });
}

async function reportOn(task: string, agent: string, more: object = {}): Promise<OutcomeReport> {
  const session_id = await sessionOf(agent, more);
  await rig.send(session_id, message(task));
  await rig.rested(session_id);
  const [report] = await reported(session_id);
  if (report === undefined) throw new Error('no report');
  return report;
}

test('a run that has ended is reported on by the newest model, item by item, at a cost shown', async () => {
  const task = 'Report of the modelled';
  script(task, [write, say('It is in report.md.')], [call('read', { path }), submit(...plain)]);
  const agent = await agentWithModel();
  await own.outcomeModels.put(agent, {
    ...model,
    signals: [{ id: 'reads', text: 'It uses tools.' }],
  });
  const report = await reportOn(task, agent);
  expect(report).toMatchObject({
    type: 'outcome_report',
    agent_id: agent,
    agent_version: 1,
    run: 1,
    state: 'done',
    reason: null,
    outcome_model_version: 2,
    result: 'satisfied',
    success_criteria: [
      {
        id: 'total',
        text: 'The report names the total.',
        weight: 'must',
        verdict: 'met',
        reason: 'As to total.',
        evidence: [{ path, quote: 'Total: 42' }],
      },
      { id: 'style', weight: 'should', verdict: 'not_met', evidence: [] },
    ],
    failure_modes: [{ id: 'asks', verdict: 'not_observed' }],
    signals: [{ id: 'reads', text: 'It uses tools.', verdict: 'observed' }],
    facts: {
      turns_count: 1,
      stop_reasons: ['end_turn'],
      model_requests_count: 2,
      tools: [{ name: 'write', calls_count: 1, errors_count: 0 }],
      later_messages_count: 0,
    },
    model: 'claude-sonnet-5-5',
  });
  expect(report.usage.output_tokens).toBeGreaterThan(0);
  const { session_id } = report;
  expect(await own.outcomeReports.retrieve(session_id, report.id)).toEqual(report);
  const { usage } = await rig.client.beta.sessions.retrieve(session_id);
  const asked = rig.model.requests.filter(({ body }) => JSON.stringify(body).includes(task));
  expect(asked).toHaveLength(4);
  const said = report.facts?.usage?.output_tokens ?? 0;
  expect(usage.output_tokens).toBe(said + (report.usage.output_tokens ?? 0));
  await expect(
    own.outcomeReports.retrieve(session_id, `${report.id.slice(0, -1)}7`),
  ).rejects.toMatchObject({ status: 404 });
});

test('its grader sees what was asked and what was done, and none of the agent’s own account', async () => {
  const task = 'Report of the unseen';
  script(
    task,
    [
      reply(
        think('SECRET-THOUGHT'),
        say('SECRET-WORD'),
        call('bash', { command: 'echo SECRET-CALL' }),
      ),
      write,
      say('VISIBLE-LAST'),
    ],
    [submit(...plain)],
  );
  await reportOn(task, await agentWithModel());
  const [request] = requestsOf(task);
  const wire = JSON.stringify(request?.body);
  expect(wire).toContain('VISIBLE-LAST');
  expect(wire).toContain('The user has to correct the agent.');
  expect(wire).not.toContain('SECRET');
});

test('a second run is reported on with what was said since; an observation without evidence is none', async () => {
  const task = 'Report of the corrected';
  const doubtful = submit(
    total,
    entry('style', 'not_met'),
    entry('asks', 'met'),
    entry('reads', 'not_met'),
  );
  // Asked again for the evidence, it has none.
  script(task, [write, say('Done.'), say('Corrected.')], [submit(...plain), doubtful, doubtful]);
  const session_id = await sessionOf(await agentWithModel());
  await rig.send(session_id, message(task));
  await rig.rested(session_id);
  await reported(session_id);
  await rig.send(session_id, message('No, the other one'));
  await rig.rested(session_id, 2);
  const [second] = await reported(session_id, 2);
  expect(second).toMatchObject({ run: 2, facts: { turns_count: 2, later_messages_count: 1 } });
  expect(second?.failure_modes).toMatchObject([{ id: 'asks', verdict: 'cannot_tell' }]);
  expect(second?.result).toBe('satisfied');
});

test.each([
  ['its words', 'observed', (id: string) => ({ path: `event:${id}`, quote: 'the other' })],
  ['words not its own', 'cannot_tell', (id: string) => ({ path: `event:${id}`, quote: 'never' })],
  ['no such id', 'cannot_tell', () => ({ path: 'event:sevt_0', quote: 'the other' })],
])('an event as evidence, with %s: %s', async (name, verdict, evidence) => {
  const task = `No, the other one (${name})`;
  let id = '';
  rig.model.on(
    (request) => JSON.stringify(request.body).includes(task) && !isGrader(request),
    say('ok'),
  );
  rig.model.otherwise((request) => {
    if (!isGrader(request)) return undefined;
    const last = entry('asks', 'met', evidence(id));
    return submit(
      entry('total', 'not_met'),
      entry('style', 'not_met'),
      last,
      entry('reads', 'not_met'),
    );
  });
  const session_id = await sessionOf(await agentWithModel());
  id = (await rig.send(session_id, message(task)))[0]?.id ?? '';
  await rig.rested(session_id);
  const [report] = await reported(session_id);
  expect(report?.failure_modes).toMatchObject([{ id: 'asks', verdict }]);
  if (verdict === 'observed') {
    expect(report?.failure_modes[0]?.evidence).toEqual([{ event_id: id, quote: 'the other' }]);
  }
  expect(report?.result).toBe('needs_revision');
});

describe('the session', () => {
  test('is idle before its report begins, and goes on while it is made', async () => {
    const task = 'Report of the unhurried';
    script(task, [write, say('One.'), say('Two.')], []);
    const graders = gated(task, submit(...plain));
    const session_id = await sessionOf(await agentWithModel());
    await rig.send(session_id, message(task));
    await rig.rested(session_id);
    expect((await own.outcomeReports.list(session_id)).data).toMatchObject([
      { run: 1, state: 'pending', result: null, facts: null, success_criteria: [] },
    ]);
    await rig.send(session_id, message('And now?'));
    await rig.rested(session_id, 2);
    graders.open();
    const reports = await reported(session_id, 2);
    expect(reports.map(({ run, state }) => [run, state])).toEqual([
      [2, 'done'],
      [1, 'done'],
    ]);
    // Each is about its own run, also when the next one has begun.
    expect(reports.map(({ facts }) => facts?.turns_count)).toEqual([2, 1]);
  });

  test('that is archived at its rest is reported on, one that is deleted leaves nothing', async () => {
    for (const put_away of ['archive', 'delete'] as const) {
      const task = `Report of the ${put_away}d`;
      // Twice: of a deleted session the files that it quotes may be gone, and it is asked again.
      script(task, [write, say('Done.')], [stall(300, submit(...plain)), submit(...plain)]);
      const agent = await agentWithModel();
      const session_id = await sessionOf(agent);
      await rig.send(session_id, message(task));
      await rig.rested(session_id);
      await rig.client.beta.sessions[put_away](session_id);
      if (put_away === 'archive') expect((await reported(session_id))[0]?.state).toBe('done');
      await sleep(700);
      const { data } = await own.verdicts.list(agent);
      expect(data).toHaveLength(put_away === 'archive' ? 1 : 0);
    }
  });

  test('knows nothing of a report that fails', async () => {
    const task = 'Report of the refused';
    script(task, [write, say('Done.')], [fail(400, 'no such thing')]);
    const report = await reportOn(task, await agentWithModel());
    expect(report).toMatchObject({ state: 'failed', result: null });
    expect(report.reason).toContain('no such thing');
    const session = await rig.client.beta.sessions.retrieve(report.session_id);
    expect(session.status).toBe('idle');
    const types = (await rig.events(report.session_id)).map(({ type }) => type);
    expect(types.at(-1)).toBe('session.status_idle');
    expect(types).not.toContain('session.error');
  });
});

test('a provider that is busy is asked again', async () => {
  const task = 'Report of the patient';
  script(task, [write, say('Done.')], [fail(529), submit(...plain)]);
  expect(await reportOn(task, await agentWithModel())).toMatchObject({ state: 'done' });
});

test('a session at its budget is not reported on, and the row says so', async () => {
  const task = 'Report of the poor';
  // The answer alone costs more than a cent.
  const dear = { ...say('Done.'), usage: { output_tokens: 100_000 } };
  script(task, [dear], []);
  const budget = { type: 'limit', max_list_cost: { amount: '1', currency: 'USD' } };
  const report = await reportOn(task, await agentWithModel(), { budget });
  expect(report).toMatchObject({
    state: 'skipped',
    reason: 'The session has reached its budget.',
    result: null,
  });
  expect(requestsOf(task)).toEqual([]);
});

test('a model that pauses reports, or is deleted, costs nothing', async () => {
  for (const how of ['paused', 'deleted']) {
    const task = `Report by a model that is ${how}`;
    script(task, [say('Done.')], []);
    const agent = await agentWithModel();
    const session_id = await sessionOf(agent);
    if (how === 'paused') await own.outcomeModels.put(agent, { ...model, report: false });
    else await own.outcomeModels.delete(agent);
    await rig.send(session_id, message(task));
    await rig.rested(session_id);
    expect(await reported(session_id)).toMatchObject([
      { state: 'skipped', reason: expect.any(String) },
    ]);
    expect(requestsOf(task)).toEqual([]);
  }
});

test('a model reaches the sessions that are made after it', async () => {
  const task = 'Report of the earlier';
  script(task, [say('Done.')], []);
  const agent = await rig.agent();
  const session_id = await sessionOf(agent);
  await own.outcomeModels.put(agent, model);
  await rig.send(session_id, message(task));
  await rig.rested(session_id);
  await sleep(300);
  expect(await own.outcomeReports.list(session_id)).toMatchObject({ data: [], next_page: null });
});

test('only a turn that has ended by itself is reported on', async () => {
  const task = 'Report of the asking';
  script(task, [call('bash', { command: 'ls' })], []);
  const id = await rig.agent({
    tools: [
      {
        type: 'agent_toolset_20260401',
        default_config: { permission_policy: { type: 'always_ask' } },
      },
    ],
  });
  await own.outcomeModels.put(id, model);
  const session_id = await sessionOf(id);
  await rig.send(session_id, message(task));
  await rig.rested(session_id);
  await sleep(300);
  expect((await own.outcomeReports.list(session_id)).data).toEqual([]);
});

test('a report that is asked for twice, at once and later, is one; the repeated step asks again', async () => {
  const task = 'Report of the repeated';
  script(task, [write, say('Done.')], []);
  const graders = gated(task, submit(...plain));
  const agent = await agentWithModel();
  const session_id = await sessionOf(agent);
  const execution = executionName(session_id, 1);
  const input = { session_id, thread_id: primaryThreadId(session_id), run: 1, execution };
  await rig.send(session_id, message(task));
  await rig.rested(session_id);
  expect(await rig.host.invoke('step', input)).toMatchObject({ next: 'report' });
  const ask = async () => await rig.host.invoke('grade', { ...input, report: true });
  const both = Promise.all([ask(), ask()]);
  graders.open();
  expect(await both).toMatchObject([{ next: 'done' }, { next: 'done' }]);
  const [report] = await reported(session_id);
  expect(report?.state).toBe('done');
  expect(await ask()).toMatchObject({ next: 'done' });
  await rig.host.invoke('grade', { ...input, report: true, give_up: true });
  expect(await reported(session_id)).toEqual([report]);
  expect(await rig.host.invoke('step', input)).toMatchObject({ next: 'done' });
  const { data } = await own.verdicts.list(agent);
  expect(data).toMatchObject([{ kind: 'report', result: 'satisfied', session_id }]);
});

test('what keeps failing is given up, and the row says so', async () => {
  const task = 'Report of the lost';
  script(task, [say('Done.')], [stall()]);
  const session_id = await sessionOf(await agentWithModel());
  const execution = executionName(session_id, 1);
  await rig.send(session_id, message(task));
  const input = { session_id, thread_id: primaryThreadId(session_id), run: 1, execution };
  await expect.poll(() => requestsOf(task).length, { timeout: 20_000 }).toBeGreaterThan(0);
  await rig.host.invoke('grade', { ...input, report: true, give_up: true });
  const [report] = await reported(session_id);
  expect(report).toMatchObject({ state: 'failed', reason: expect.stringContaining(execution) });
});
