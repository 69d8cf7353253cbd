import { newId } from '../core/id.ts';
import { limits } from '../core/limits.ts';
import { load, store } from '../core/stored.ts';
import type { Write } from '../core/table.ts';
import type { GradeOptions, Grading, Verdict } from '../outcomes/grading.ts';
import {
  changeOutcome,
  outcomeKey,
  type OpenOutcome,
  type OutcomeRow,
} from '../outcomes/outcome.ts';
import {
  gradePrefix,
  verdictKey,
  verdictPointerKey,
  type VerdictPointer,
  type VerdictRow,
} from '../outcomes/verdict-row.ts';
import { ModelError, observationOf } from '../models/model-error.ts';
import { shownUsage } from '../models/model.ts';
import { invariant } from '../core/invariant.ts';
import { noUsage, type ThreadHead, type Usage } from '../threads/thread.ts';
import { charged } from './charged.ts';
import { webRulesOf } from './call-facts.ts';
import { andRest } from './and-rest.ts';
import { merge } from './change.ts';
import { decide } from './decide.ts';
import { failRequest } from './ending.ts';
import { takeLease } from './lease.ts';
import type { StepInput, StepResult } from './run-turn.ts';
import { addUsage } from '../sessions/add-usage.ts';
import { Turn } from './turn.ts';
import type { ThreadPorts } from './turn-ports.ts';
import type { Change } from '../threads/change.ts';
import { LeaseLost } from './writer.ts';
import { Watch } from './watch.ts';

export interface GradeTurnPorts extends ThreadPorts {
  /** Judge what a session has handed over. @throws ModelError */
  readonly grade: (grading: Grading, options: GradeOptions) => Promise<Verdict>;
}

type GradedTurn = Turn<GradeTurnPorts>;

/** What the head says of an evaluation that is under way. */
type Evaluation = OpenOutcome & { readonly evaluation_start_id: string };

const again: StepResult = { next: 'again', wait_seconds: 0 };

/**
 * The state Grade: judge what the agent has made, and write the verdict down in one append with all
 * that follows from it. Until then nothing is written but that it goes on, so a grading that dies
 * is done again under the same start; and behind it the head says that there is nothing to grade.
 *
 * @param time_ms What the function may take, from now.
 * @returns always that the step goes on: from the verdict, from an interrupt, or to be sent here again
 */
export async function gradeTurn(
  ports: GradeTurnPorts,
  input: StepInput,
  time_ms: number,
): Promise<StepResult> {
  const head = await takeLease(ports.table, ports.clock, input);
  if (head === undefined) return again;
  const evaluation = evaluationOf(head);
  if (evaluation === undefined) return again;
  const turn = await Turn.open(ports, head, ports.clock.now().getTime() + time_ms);
  try {
    return await evaluate(turn, evaluation);
  } catch (error) {
    if (error instanceof LeaseLost) return again;
    throw error;
  }
}

/** The step sends a thread here once the log says that it runs: after a failure that is said anew. */
function evaluationOf(head: ThreadHead): Evaluation | undefined {
  const { outcome, announced } = head;
  if (decide(head) !== 'grade' || outcome == null || !announced) return undefined;
  const { evaluation_start_id } = outcome;
  return evaluation_start_id === null ? undefined : { ...outcome, evaluation_start_id };
}

async function evaluate(turn: GradedTurn, evaluation: Evaluation): Promise<StepResult> {
  const watch = new Watch(turn.writer, turn.time_left_ms - limits.step_time_reserve_ms);
  const started_at = turn.ports.clock.now().toISOString();
  let spent = noUsage;
  let verdict: Verdict;
  try {
    verdict = await turn.ports.grade(await gradingOf(turn, evaluation), {
      signal: watch.signal,
      deadline_ms: turn.ports.clock.now().getTime() + graderTimeMs(turn),
      heartbeat: async () => {
        await turn.writer.append((head) => heartbeat(head, evaluation));
      },
      spent: (usage) => (spent = usage),
    });
  } catch (error) {
    if (!watch.signal.aborted && !(error instanceof ModelError)) throw error;
    await charge(turn, spent);
    if (watch.signal.aborted || !(error instanceof ModelError)) return again;
    return await failed(turn, error);
  } finally {
    watch.end();
  }
  await conclude(turn, evaluation, { ...verdict, started_at });
  return again;
}

/** A grading that is thrown away has been paid for all the same. */
async function charge(turn: GradedTurn, usage: Usage): Promise<void> {
  if (usage.input_tokens + usage.output_tokens === 0) return;
  await turn.writer.append((head) => charged(head, usage));
}

/** The grader stops by itself before the watch would. */
function graderTimeMs(turn: GradedTurn): number {
  return Math.max(0, turn.time_left_ms - 2 * limits.step_time_reserve_ms);
}

/** What the grader is given: nothing of the conversation is within its reach. */
async function gradingOf(
  { ports, head, agent }: GradedTurn,
  { outcome_id, iteration, evaluation_start_id }: Evaluation,
): Promise<Grading> {
  const row = await ports.table.get(outcomeKey(head.session_id, outcome_id));
  invariant(row !== undefined, 'an open outcome has its row');
  const { description, rubric } = await load(ports.blobs, (row as OutcomeRow).definition);
  return {
    session_id: head.session_id,
    thread_id: head.thread_id,
    outcome_id,
    start_event_id: evaluation_start_id,
    iteration,
    description,
    rubric,
    model: agent.model,
    web: webRulesOf(agent.tools, 'web_fetch') ?? null,
  };
}

function heartbeat(head: ThreadHead, { outcome_id, iteration }: Evaluation): Change {
  const id = newId('event');
  return {
    lines: [{ event: { id, type: 'span.outcome_evaluation_ongoing', outcome_id, iteration } }],
    patch: { outcome: head.outcome ?? null },
  };
}

/** The provider failed: as in a step, it is told, and tried again after a while, or the turn ends. */
async function failed(turn: GradedTurn, error: ModelError): Promise<StepResult> {
  const { ports } = turn;
  ports.observe(observationOf(error));
  const wait_ms = await failRequest(turn, error, true);
  if (wait_ms === undefined) return again;
  return { next: 'wait', wait_seconds: Math.ceil(wait_ms / 1_000) };
}

async function conclude(
  turn: GradedTurn,
  evaluation: Evaluation,
  verdict: Timed<Verdict>,
): Promise<void> {
  const { ports } = turn;
  const is_last = evaluation.iteration + 1 >= evaluation.max_iterations;
  const exhausted = verdict.result === 'needs_revision' && is_last;
  const result = exhausted ? 'max_iterations_reached' : verdict.result;
  const at = ports.clock.now().toISOString();
  const records = await recordsOf(turn, evaluation, { ...verdict, result }, at);
  await turn.writer.append((now) => {
    const closed = closing(now, evaluation, { ...verdict, result }, at);
    return andRest(turn, now, merge(closed, { lines: [], writes: records }));
  });
  ports.observe({ type: 'verdict', result, iteration: evaluation.iteration });
}

type Timed<Judgement> = Judgement & { readonly started_at: string };

/** A verdict as it stands, when the number of revisions is taken into account. */
interface Ruling extends Omit<Verdict, 'result'> {
  readonly result: VerdictRow['result'];
}

/** The end of the evaluation, and where the thread goes on from it. */
function closing(head: ThreadHead, evaluation: Evaluation, ruling: Ruling, at: string): Change {
  const { outcome_id, iteration, evaluation_start_id } = evaluation;
  const { result, explanation, usage } = ruling;
  const is_open = result === 'needs_revision';
  return {
    lines: [
      {
        event: {
          id: newId('event'),
          type: 'span.outcome_evaluation_end',
          outcome_id,
          outcome_evaluation_start_id: evaluation_start_id,
          iteration,
          result,
          explanation,
          usage: shownUsage(usage),
        },
      },
    ],
    patch: {
      ...nextOf(head, evaluation, result),
      attempts: 0,
      usage: addUsage(head.usage, usage),
    },
    session: { usage },
    writes: [
      changeOutcome(head.session_id, outcome_id, {
        result: is_open ? 'running' : result,
        iteration: is_open ? iteration + 1 : iteration,
        explanation,
        ...(is_open ? {} : { completed_at: at }),
      }),
    ],
  };
}

/**
 * What the verdict makes of the head: the model revises, says its last word, or is done. What was
 * sent meanwhile reaches it with the verdict.
 */
function nextOf(
  { queue }: ThreadHead,
  outcome: Evaluation,
  result: Ruling['result'],
): Partial<ThreadHead> {
  const open: OpenOutcome = { ...outcome, evaluation_start_id: null };
  const phase = queue.length === 0 ? 'model' : 'take';
  if (result === 'needs_revision') {
    const next = { ...open, stage: 'work' as const, iteration: outcome.iteration + 1 };
    return { phase, outcome: next };
  }
  if (result === 'max_iterations_reached') {
    return { phase, outcome: { ...open, stage: 'acknowledge' } };
  }
  return { phase: 'take', outcome: null };
}

/** The verdict where it is looked for: with its agent, and with its session. */
async function recordsOf(
  { ports, head, agent }: GradedTurn,
  { outcome_id, iteration, evaluation_start_id }: Evaluation,
  ruling: Timed<Ruling>,
  created_at: string,
): Promise<Write[]> {
  const { session_id, thread_id, workspace_id } = head;
  const { result, explanation, criteria, usage, transcript } = ruling;
  const { grader_prompt_version, started_at } = ruling;
  const owner = { workspace_id, agent_id: agent.id };
  const prefix = gradePrefix(session_id, evaluation_start_id, head.lease_fence);
  const transcript_key = `${prefix}.jsonl`;
  const lines = transcript.map((line) => `${JSON.stringify(line)}\n`).join('');
  await ports.blobs.put(transcript_key, lines, 'application/x-ndjson');
  const row: VerdictRow = {
    ...verdictKey(owner, created_at, evaluation_start_id),
    schema: 1,
    kind: 'outcome',
    verdict_id: evaluation_start_id,
    ...owner,
    agent_version: agent.version,
    session_id,
    thread_id,
    outcome_id,
    iteration,
    result,
    explanation: await store(ports.blobs, `${prefix}.explanation.json`, explanation),
    criteria: await store(ports.blobs, `${prefix}.criteria.json`, criteria),
    usage,
    model_id: agent.model.id,
    grader_prompt_version,
    transcript_key,
    started_at,
    created_at,
  };
  const pointer: VerdictPointer = {
    ...verdictPointerKey(session_id, created_at, evaluation_start_id),
    verdict_pk: row.pk,
    verdict_sk: row.sk,
  };
  return [row, pointer].map((put) => ({ put, condition: 'attribute_not_exists(pk)' }));
}
