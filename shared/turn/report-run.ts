import { Fault } from '../core/fault.ts';
import { limits } from '../core/limits.ts';
import type { Ports } from '../core/ports.ts';
import { load, store } from '../core/stored.ts';
import { upToUnits } from '../core/text.ts';
import { ConditionFailed, type Update, type Write } from '../core/table.ts';
import { ModelError } from '../models/model-error.ts';
import { reportedModel } from '../outcome-models/outcome-models.ts';
import type { OutcomeModel } from '../outcome-models/outcome-model.ts';
import { explain } from '../outcomes/explanation.ts';
import type { GradeOptions } from '../outcomes/grading.ts';
import {
  gradePrefix,
  verdictKey,
  verdictPointerKey,
  type VerdictPointer,
  type VerdictRow,
} from '../outcomes/verdict-row.ts';
import { changeSession } from '../sessions/session-change.ts';
import { overBudget, usageNow } from '../sessions/session-usage.ts';
import {
  configKey,
  sessionKey,
  type SessionAgent,
  type SessionConfig,
  type SessionHead,
} from '../sessions/session.ts';
import type { Reported, ReportedSession } from '../outcome-reports/judge-session.ts';
import { reportKey, type ReportRow } from '../outcome-reports/report.ts';
import { readStory } from '../outcome-reports/story.ts';
import { noUsage, type Usage } from '../threads/thread.ts';
import { webRulesOf } from './call-facts.ts';
import type { StepInput, StepResult } from './run-turn.ts';
import { addUsage } from '../sessions/add-usage.ts';
import type { Observation } from './turn-ports.ts';

export interface ReportPorts extends Ports {
  /** @throws ModelError */
  readonly judgeSession: (session: ReportedSession, options: GradeOptions) => Promise<Reported>;
  readonly observe: (observation: Observation) => void;
}

const done: StepResult = { next: 'done', wait_seconds: 0 };

/** One try at a report. */
interface Attempt {
  readonly ports: ReportPorts;
  readonly row: ReportRow;
  readonly session: SessionHead;
  readonly config: SessionConfig;
  readonly started_at: string;
}

/**
 * The state Report: judge a run that has come to rest by its agent's outcome model. The session
 * rests already and knows nothing of it: no lease is held, nothing is appended to its log, and a next
 * run may be under way. Once in effect: the row is ended once, by one transaction with the verdict
 * and what it has cost; whoever comes second finds it ended.
 *
 * @param time_ms What the function may take, from now.
 * @throws Fault `overloaded` when the provider may answer later: the machine repeats the state
 */
export async function reportRun(
  ports: ReportPorts,
  input: StepInput,
  time_ms: number,
): Promise<StepResult> {
  const attempt = await begin(ports, input);
  if (attempt !== undefined) await work(attempt, input, time_ms);
  return done;
}

async function work(attempt: Attempt, input: StepInput, time_ms: number): Promise<void> {
  const { ports, config } = attempt;
  if (input.give_up === true) {
    const reason = `The platform failed to make this report (execution ${input.execution}).`;
    return await end(attempt, { state: 'failed', reason });
  }
  const model = await reportedModel(ports, config.agent_id);
  const obstacle = obstacleOf(attempt, model);
  if (model === undefined || obstacle !== undefined) {
    return await end(attempt, { state: 'skipped', reason: obstacle ?? null });
  }
  const deadline_ms = ports.clock.now().getTime() + time_ms - 2 * limits.step_time_reserve_ms;
  await report(attempt, model, deadline_ms);
}

/** @returns undefined when there is nothing to do: ended by another, or the session is gone */
async function begin(ports: ReportPorts, input: StepInput): Promise<Attempt | undefined> {
  const { session_id, run } = input;
  try {
    const row = await ports.table.update({
      update: reportKey(session_id, run),
      expression: 'SET attempts = attempts + :one',
      condition: '#state = :pending',
      names: { '#state': 'state' },
      values: { ':one': 1, ':pending': 'pending' },
    });
    const rows = await ports.table.getMany([sessionKey(session_id), configKey(session_id)]);
    const [session, config] = rows as [SessionHead?, SessionConfig?];
    if (session === undefined || config === undefined || session.deleted_at !== null)
      return undefined;
    const started_at = ports.clock.now().toISOString();
    return { ports, row: row as ReportRow, session, config, started_at };
  } catch (error) {
    if (error instanceof ConditionFailed) return undefined;
    throw error;
  }
}

/** Why there is to be no report, in words for its reader. */
function obstacleOf(
  { ports, session }: Attempt,
  model: OutcomeModel | undefined,
): string | undefined {
  if (model === undefined) return 'The outcome model of the agent was deleted.';
  if (!model.report) return 'The outcome model of the agent says "report": false.';
  const usage = usageNow(session.usage, session.running_since, ports.clock.now());
  if (overBudget(usage, session.budget)) return 'The session has reached its budget.';
  return undefined;
}

async function report(attempt: Attempt, model: OutcomeModel, deadline_ms: number): Promise<void> {
  const { ports, row, config } = attempt;
  const { session_id, thread_id, run, report_id } = row;
  const agent = await load(ports.blobs, config.agent);
  let spent = noUsage;
  try {
    const asked: ReportedSession = {
      report_id,
      session_id,
      thread_id,
      run,
      outcome_model: model,
      story: await readStory(ports, row),
      model: agent.model,
      web: webRulesOf(agent.tools, 'web_fetch') ?? null,
    };
    const reported = await ports.judgeSession(asked, {
      signal: new AbortController().signal,
      deadline_ms,
      heartbeat: async () => {},
      spent: (usage) => (spent = usage),
    });
    await keep(attempt, model, agent, reported);
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    if (!error.retryable) {
      return await end(attempt, { state: 'failed', reason: error.message, usage: spent });
    }
    await charge(attempt, spent);
    throw new Fault('overloaded', 'The model did not answer the report.', { cause: error });
  }
}

/** What ends a row. */
type Ending = Pick<ReportRow, 'state'> &
  Partial<
    Pick<ReportRow, 'reason' | 'model_version' | 'result' | 'findings' | 'grader_prompt_version'>
  > & { readonly usage?: Usage };

async function keep(
  attempt: Attempt,
  model: OutcomeModel,
  agent: SessionAgent,
  reported: Reported,
): Promise<void> {
  const { ports, row } = attempt;
  const { blobs } = ports;
  const { result, findings, usage, grader_prompt_version } = reported;
  // By the attempt: one that was taken for dead must not change what another's row points at.
  const prefix = gradePrefix(row.session_id, row.report_id, row.attempts);
  const writes = await verdictWrites(attempt, agent, reported, prefix);
  const kept = await store(blobs, `${prefix}.findings.json`, findings);
  const model_version = model.version;
  const ending: Ending = {
    state: 'done',
    model_version,
    result,
    findings: kept,
    grader_prompt_version,
    usage,
  };
  await end(attempt, ending, writes);
}

async function end(
  attempt: Attempt,
  { usage = noUsage, ...ending }: Ending,
  writes: readonly Write[] = [],
): Promise<void> {
  const { ports, row } = attempt;
  const completed_at = ports.clock.now().toISOString();
  const fields = { ...ending, usage: addUsage(row.usage, usage), completed_at };
  const names = Object.keys(fields);
  const change: Update = {
    update: reportKey(row.session_id, row.run),
    expression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')} REMOVE gsi2pk, gsi2sk`,
    condition: '#state = :pending AND attempts = :attempt',
    names: Object.fromEntries(names.map((name) => [`#${name}`, name])),
    values: {
      ...Object.fromEntries(Object.entries(fields).map(([name, value]) => [`:${name}`, value])),
      ':pending': 'pending',
      ':attempt': row.attempts,
    },
  };
  if (await written(ports, [change, ...billed(attempt, usage), ...writes])) {
    ports.observe({ type: 'report', state: ending.state });
  }
}

/** A try that brought nothing has been paid for all the same. */
async function charge(attempt: Attempt, usage: Usage): Promise<void> {
  const { ports, row } = attempt;
  const change: Update = {
    update: reportKey(row.session_id, row.run),
    expression: 'SET #usage = :usage',
    condition: '#state = :pending AND attempts = :attempt',
    names: { '#usage': 'usage', '#state': 'state' },
    values: {
      ':usage': addUsage(row.usage, usage),
      ':pending': 'pending',
      ':attempt': row.attempts,
    },
  };
  await written(ports, [change, ...billed(attempt, usage)]);
}

/**
 * The session pays, not its thread, whose head belongs to whoever runs it now. An archived session
 * pays too: a report is about what was before.
 */
function billed({ ports, row }: Attempt, usage: Usage): Update[] {
  if (usage.input_tokens + usage.output_tokens === 0) return [];
  const at = ports.clock.now().toISOString();
  const change = changeSession(row.session_id, { usage }, at);
  return [{ ...change, condition: 'deleted_at = :null' }];
}

/** @returns false when another has ended it or the session is gone: then nothing is to be said */
async function written(ports: ReportPorts, writes: readonly Write[]): Promise<boolean> {
  try {
    await ports.table.transact(writes);
    return true;
  } catch (error) {
    if (error instanceof ConditionFailed) return false;
    throw error;
  }
}

/** The report among the agent's verdicts, with the grader's transcript. */
async function verdictWrites(
  { ports, row, config, started_at }: Attempt,
  agent: SessionAgent,
  reported: Reported,
  prefix: string,
): Promise<Write[]> {
  const { session_id, thread_id, report_id } = row;
  const { workspace_id } = config;
  const { blobs, clock } = ports;
  const transcript_key = `${prefix}.jsonl`;
  const lines = reported.transcript.map((line) => `${JSON.stringify(line)}\n`).join('');
  await blobs.put(transcript_key, lines, 'application/x-ndjson');
  const created_at = clock.now().toISOString();
  const owner = { workspace_id, agent_id: agent.id };
  const verdict: VerdictRow = {
    ...verdictKey(owner, created_at, report_id),
    schema: 1,
    kind: 'report',
    verdict_id: report_id,
    ...owner,
    agent_version: agent.version,
    session_id,
    thread_id,
    outcome_id: report_id,
    iteration: 0,
    result: reported.result,
    explanation: await store(blobs, `${prefix}.explanation.json`, explanationOf(reported)),
    criteria: await store(blobs, `${prefix}.criteria.json`, reported.criteria),
    usage: reported.usage,
    model_id: agent.model.id,
    grader_prompt_version: reported.grader_prompt_version,
    transcript_key,
    started_at,
    created_at,
  };
  const pointer: VerdictPointer = {
    ...verdictPointerKey(session_id, created_at, report_id),
    verdict_pk: verdict.pk,
    verdict_sk: verdict.sk,
  };
  return [verdict, pointer].map((put) => ({ put, condition: 'attribute_not_exists(pk)' }));
}

function explanationOf({ criteria, findings }: Reported): string {
  const observed = findings.failure_modes.filter(({ verdict }) => verdict === 'observed');
  const lines = observed.map(({ id, text, reason }) => `- Observed: ${id} "${text}". ${reason}`);
  return upToUnits([explain(criteria), ...lines].join('\n'), limits.explanation_chars_max);
}
