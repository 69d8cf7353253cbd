import { limits } from '../core/limits.ts';
import { isReportDue } from '../outcome-reports/due.ts';
import { runName } from '../sessions/runs.ts';
import { askModel } from './ask-model.ts';
import { announce, takeQueue } from './begin.ts';
import { runCalls } from './calls.ts';
import { decide, type Action } from './decide.ts';
import { exhaust, interrupt, rest, restAtBudget } from './ending.ts';
import { reportsRest } from './rest.ts';
import { takeLease } from './lease.ts';
import { tellServers } from './mcp-servers.ts';
import { takePlaybooks } from './playbooks.ts';
import { bringRepositories } from './repositories.ts';
import { catchUp, transcribe } from './transcribe.ts';
import { Turn } from './turn.ts';
import type { TurnPorts } from './turn-ports.ts';
import { isChild } from '../threads/team.ts';
import { checkSize, StepTooSmall } from './step-too-small.ts';
import { LeaseLost, LeaseNotTaken } from './writer.ts';

/**
 * What a state is given; `give_up` comes from its Catch, when it kept failing, and `report` tells the
 * state Report from Grade, which is the same function.
 */
export interface StepInput {
  readonly session_id: string;
  readonly thread_id: string;
  readonly run: number;
  /** Numbers of events that wait in a run's inbox when it begins; none for whoever goes on. */
  readonly inbox: readonly number[];
  readonly execution: string;
  readonly give_up?: boolean;
  readonly report?: boolean;
  /** The machine that the task belongs to: other threads' runs are started there. */
  readonly machine?: string;
}

/** What the state's Choice reads. */
export interface StepResult {
  readonly next: 'again' | 'large' | 'wait' | 'grade' | 'report' | 'threads' | 'done';
  readonly wait_seconds: number;
}

const done: StepResult = { next: 'done', wait_seconds: 0 };
const again: StepResult = { next: 'again', wait_seconds: 0 };
const large: StepResult = { next: 'large', wait_seconds: 0 };
const grade: StepResult = { next: 'grade', wait_seconds: 0 };
const report: StepResult = { next: 'report', wait_seconds: 0 };

/**
 * Work on a thread until it rests, must wait, or most of the function's time is spent. Exactly
 * once in effect: everything it decides by is in the head, and everything it writes holds the lease.
 *
 * @param time_ms What the function may take, from now.
 */
export async function runTurn(
  ports: TurnPorts,
  input: StepInput,
  time_ms: number,
): Promise<StepResult> {
  try {
    return await run(ports, input, time_ms);
  } catch (error) {
    if (error instanceof StepTooSmall) return large;
    throw error;
  }
}

async function run(ports: TurnPorts, input: StepInput, time_ms: number): Promise<StepResult> {
  const until_ms = ports.clock.now().getTime() + time_ms;
  const fresh = await Turn.openFresh(ports, input, until_ms);
  try {
    if (fresh !== undefined) return await workAndWrite(fresh, input, time_ms);
  } catch (error) {
    if (!(error instanceof LeaseNotTaken)) throw error;
  }
  const head = await takeLease(ports.table, ports.clock, input);
  if (head === undefined) {
    await catchUp(ports, input);
    return (await isReportDue(ports.table, input)) ? report : done;
  }
  checkSize(ports, head);
  return await workAndWrite(await Turn.open(ports, head, until_ms), input, time_ms);
}

async function workAndWrite(turn: Turn, input: StepInput, time_ms: number): Promise<StepResult> {
  const result = await work(turn, input, time_ms);
  if (result.next !== 'done') return result;
  await transcribe(turn.ports, turn.head, turn.config, turn.writer.written);
  return reportsRest(turn, turn.head) ? report : done;
}

async function work(turn: Turn, input: StepInput, time_ms: number): Promise<StepResult> {
  try {
    if (input.give_up === true) return await giveUp(turn);
    return await loop(turn, time_ms);
  } catch (error) {
    // Whoever holds the lease now goes on from what is written.
    if (error instanceof LeaseLost) return done;
    throw error;
  } finally {
    turn.context.keep(turn.ports.contexts);
  }
}

async function loop(turn: Turn, time_ms: number): Promise<StepResult> {
  const kept_ms = time_ms * (1 - limits.step_time_share_max);
  for (;;) {
    if (turn.time_left_ms < kept_ms) return again;
    const action = decide(turn.head);
    if (action === 'stop') return done;
    if (action === 'grade' && !(await mayGrade(turn))) continue;
    if (action === 'grade') return grade;
    if (action !== 'request') {
      await act(turn, action);
      continue;
    }
    if (!(await isReady(turn))) continue;
    const asked = await askModel(turn);
    if (asked.next === 'again') return again;
    if (asked.next === 'wait') {
      return { next: 'wait', wait_seconds: Math.ceil(asked.wait_ms / 1_000) };
    }
  }
}

/** Bring what the session works with. Files and stores are one for all threads: the primary one brings them. */
async function isReady(turn: Turn): Promise<boolean> {
  await turn.look();
  await tellServers(turn);
  if (isChild(turn.head)) return true;
  if (!(await bringRepositories(turn))) return false;
  await takePlaybooks(turn);
  return true;
}

/** Whether the grader, a state of its own, may be asked: the log must say that the thread runs. */
async function mayGrade(turn: Turn): Promise<boolean> {
  await turn.look();
  if (turn.overBudget(turn.head)) {
    await restAtBudget(turn);
    return false;
  }
  if (!turn.head.announced) await turn.writer.append(announce);
  return true;
}

async function act(
  turn: Turn,
  action: Exclude<Action, 'stop' | 'request' | 'grade'>,
): Promise<void> {
  switch (action) {
    case 'interrupt':
      return await interrupt(turn);
    case 'take':
      if (!turn.overBudget(turn.head)) return await takeQueue(turn);
      return await restAtBudget(turn);
    case 'settle':
    case 'evaluate':
    case 'await':
      return await rest(turn);
    case 'run_calls':
      return await runCalls(turn);
  }
}

/** The step failed at every try: tell the session's owner and rest, so that it is never stuck. */
async function giveUp(turn: Turn): Promise<StepResult> {
  const name = runName(turn.head);
  await exhaust(
    turn,
    'unknown_error',
    `The platform failed to run this turn (execution ${name}). Send a message to try again.`,
  );
  return done;
}
