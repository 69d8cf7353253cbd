import type { Executions } from '../core/executions.ts';
import { indexed } from '../core/indexed.ts';
import { limits } from '../core/limits.ts';
import type { Ports } from '../core/ports.ts';
import { ConditionFailed } from '../core/table.ts';
import { dreamExecution, dreamKey, timeoutMs, type DreamHead } from './dream.ts';
import type { DreamInput } from './dream-ports.ts';

export interface ReconcileDreamsPorts extends Pick<Ports, 'table' | 'clock'> {
  /** Executions of the dream machine. */
  readonly dreams: Executions;
}

/** What was done to a dream, for the log; with an error, what was tried. */
export interface FoundDream {
  readonly what: 'restarted' | 'stuck';
  readonly dream: DreamHead;
  readonly error?: unknown;
}

export interface ReconcileDreamsOptions {
  /** Younger dreams are left alone: their start may still be under way. */
  readonly min_age_ms: number;
  readonly is_time_up: () => boolean;
  readonly found: (found: FoundDream) => void;
}

export interface ReconciledDreams {
  readonly restarted: number;
  readonly stuck: number;
  /** False when the time was up before the end: the next run goes on. */
  readonly complete: boolean;
}

/**
 * Dreams that have not fully stopped and have no live execution get a new run: it goes on from what
 * is written, or only gives back what an ended dream holds. Conditional on what was read, so that two
 * of these at once do nothing twice.
 */
export async function reconcileDreams(
  ports: ReconcileDreamsPorts,
  options: ReconcileDreamsOptions,
): Promise<ReconciledDreams> {
  const counts = { restarted: 0, stuck: 0 };
  const now_ms = ports.clock.now().getTime();
  for await (const rows of indexed(ports.table, 'DREAMING', now_ms - options.min_age_ms)) {
    if (options.is_time_up()) return { ...counts, complete: false };
    const dreams = rows as DreamHead[];
    const found = dreams.map(async (dream) => await guarded(ports, dream, options));
    for (const what of (await Promise.all(found)).flat()) counts[what] += 1;
  }
  return { ...counts, complete: true };
}

/** One dream that cannot be healed must not keep the others from it. */
async function guarded(
  ports: ReconcileDreamsPorts,
  dream: DreamHead,
  { found }: ReconcileDreamsOptions,
): Promise<FoundDream['what'][]> {
  const age_ms = ports.clock.now().getTime() - Date.parse(dream.created_at);
  const is_stuck = age_ms > timeoutMs(dream) + limits.dream_stuck_after_ms;
  const done: FoundDream['what'][] = is_stuck ? ['stuck'] : [];
  try {
    if (await restart(ports, dream)) done.unshift('restarted');
  } catch (error) {
    // What keeps it from being healed must not keep it from being counted: else nothing would tell.
    found({ what: 'restarted', dream, error });
  }
  for (const what of done) found({ what, dream });
  return done;
}

async function restart(
  { table, dreams }: ReconcileDreamsPorts,
  { dream_id, run }: DreamHead,
): Promise<boolean> {
  if (await dreams.alive(dreamExecution(dream_id, run))) return false;
  const input: DreamInput = { dream_id, run: run + 1 };
  try {
    await table.update({
      update: dreamKey(dream_id),
      expression: 'SET run = :next, #version = #version + :one',
      condition: 'run = :run AND gsi2pk = :dreaming',
      names: { '#version': 'version' },
      values: { ':run': run, ':next': input.run, ':one': 1, ':dreaming': 'DREAMING' },
    });
  } catch (error) {
    // It has stopped, or somebody else has restarted it, since it was read.
    if (error instanceof ConditionFailed) return false;
    throw error;
  }
  // Lost here, the next reconcile finds this run without an execution and makes another.
  await dreams.start(dreamExecution(dream_id, input.run), input);
  return true;
}
