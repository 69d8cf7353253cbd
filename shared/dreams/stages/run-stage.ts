import { invariant } from '../../core/invariant.ts';
import { ModelError } from '../../models/model-error.ts';
import { BrokenLedger } from '../apply-operations.ts';
import { Awaited } from '../awaited.ts';
import type { StoppedDream } from './end-dream.ts';
import {
  DreamFailed,
  Elsewhere,
  ofModel,
  TimeUp,
  Work,
  type StageInput,
  type StagePorts,
} from './work.ts';

/** The tasks of the dream machine. */
export const stage_tasks = [
  'gather',
  'reflect',
  'consolidate',
  'verify',
  'gate',
  'publish',
  'batch',
  'fail',
  'settle',
] as const;
type StageTask = (typeof stage_tasks)[number];

export interface StageResult {
  /** The state that comes next; `read` ends a session's part of the Map. */
  readonly next: Exclude<StageTask, 'fail'> | 'sessions' | 'read' | 'pause' | 'done';
  /** Numbers of the sessions, for the Map. */
  readonly sessions?: readonly number[];
  /** How long the machine is to pause. */
  readonly seconds?: number;
  /** Why the dream has failed here, for the log. */
  readonly failed?: DreamFailed;
  /** The dream that has stopped here. */
  readonly stopped?: StoppedDream;
}

type Stage = (work: Work, input: StageInput) => Promise<StageResult>;

const thinking = async () => await import('./think.ts');
const reading = async () => await import('./reflect-session.ts');
const ending = async () => await import('./end-dream.ts');

/** Each is loaded when it is first asked for: a cold start for one session's reading loads no more than that. */
const stages: Readonly<Record<Exclude<StageTask, 'fail' | 'settle'>, Stage>> = {
  gather: async (work) => {
    const { gather } = await import('./gather.ts');
    return { next: 'sessions', sessions: await gather(work) };
  },
  reflect: async (work, { session_n }) => {
    invariant(session_n !== undefined, 'the Map says which session');
    await (await reading()).reflectSession(work, session_n);
    return { next: 'read' };
  },
  consolidate: async (work) => {
    // The Map has ended, and some of its sessions wait for their answers.
    if (work.head.processing === 'batch') {
      const { sessionsLeft } = await reading();
      if ((await sessionsLeft(work)).length > 0) return { next: 'batch' };
    }
    await (await thinking()).consolidateDream(work);
    return { next: 'verify' };
  },
  verify: async (work) => {
    await (await thinking()).verifyDream(work);
    return { next: 'gate' };
  },
  gate: async (work) => {
    await (await thinking()).gateDream(work);
    return { next: 'publish' };
  },
  publish: async (work) => {
    const { publish } = await import('./publish.ts');
    await publish(work);
    return { next: 'settle' };
  },
  batch: async (work) => {
    const { awaitBatches } = await import('./batch.ts');
    return await awaitBatches(work);
  },
};

/**
 * Do one task of a dream, as far as the time reaches. What it writes it writes once, whoever repeats
 * it: the machine, another invocation, another run.
 *
 * @param time_ms What the function may take, from now.
 * @throws Fault, retryable, for what may pass; anything else is our bug
 */
export async function runStage(
  ports: StagePorts,
  input: StageInput & { readonly task: StageTask },
  time_ms: number,
): Promise<StageResult> {
  const { task } = input;
  if (task === 'settle') {
    const stopped = await (await ending()).settle(ports, input, time_ms);
    return { next: 'done', ...(stopped === undefined ? {} : { stopped }) };
  }
  if (task === 'fail') {
    await (await ending()).fail(ports, input);
    return { next: 'settle' };
  }
  let work: Work | undefined;
  try {
    work = await Work.open(ports, input, time_ms);
    return await stages[task](work, input);
  } catch (error) {
    return await resultOf(ports, { ...input, task }, work, error);
  }
}

/** What a task answers that did not come to its end. @throws what the machine is to repeat */
async function resultOf(
  ports: StagePorts,
  input: StageInput & { readonly task: Exclude<StageTask, 'fail' | 'settle'> },
  work: Work | undefined,
  error: unknown,
): Promise<StageResult> {
  const { task } = input;
  if (error instanceof Elsewhere) return { next: error.next };
  if (error instanceof TimeUp || work?.signal.aborted === true) return { next: task };
  // A session that waits has done its part of the Map.
  if (error instanceof Awaited) return { next: task === 'reflect' ? 'read' : 'batch' };
  const cause = ofStage(error);
  if (cause instanceof DreamFailed) {
    const { type, message } = cause;
    await (await ending()).failDream(ports, input, { type, message });
    return { next: 'settle', failed: cause };
  }
  // It has got on: the machine's patience is for what does not.
  if (error instanceof ModelError && (work?.answers_count ?? 0) > 0) return { next: task };
  throw cause;
}

function ofStage(error: unknown): unknown {
  if (error instanceof ModelError) return ofModel(error);
  if (error instanceof BrokenLedger) return new DreamFailed('internal_error', error.message);
  return error;
}
