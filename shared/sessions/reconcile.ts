import { primaryThreadId } from '../core/id.ts';
import { indexed } from '../core/indexed.ts';
import { limits } from '../core/limits.ts';
import type { Ports } from '../core/ports.ts';
import { ConditionFailed, type Update } from '../core/table.ts';
import { threadKey } from '../threads/thread.ts';
import type { Runs } from './runs.ts';
import { sessionKey, type SessionHead } from './session.ts';

export interface ReconcilePorts extends Pick<Ports, 'table' | 'clock'> {
  readonly runs: Runs;
}

/** What was done to a session, for the log; with an error, what was tried. */
export interface Found {
  readonly what: 'restarted' | 'stuck';
  readonly session: SessionHead;
  readonly error?: unknown;
}

export interface ReconcileOptions {
  /** Sessions that changed more recently are left alone: their start may still be under way. */
  readonly min_age_ms: number;
  readonly is_time_up: () => boolean;
  readonly found: (found: Found) => void;
}

export interface Reconciled {
  readonly restarted: number;
  readonly stuck: number;
  /** False when the time was up before the end: the next run goes on. */
  readonly complete: boolean;
}

/**
 * Heal what a lost call or a crash has left: running sessions without a live execution get a new
 * run. Every change is conditional on what was read, so that two of these at once, or one beside a
 * client, do nothing twice.
 */
export async function reconcileSessions(
  ports: ReconcilePorts,
  options: ReconcileOptions,
): Promise<Reconciled> {
  const counts = { restarted: 0, stuck: 0 };
  const until_ms = ports.clock.now().getTime() - options.min_age_ms;
  for await (const rows of indexed(ports.table, 'RUNNING', until_ms)) {
    if (options.is_time_up()) return { ...counts, complete: false };
    const sessions = rows as SessionHead[];
    const found = await Promise.all(
      sessions.map(async (session) => await guarded(ports, session, options)),
    );
    for (const what of found.flat()) counts[what] += 1;
  }
  return { ...counts, complete: true };
}

/** One session that cannot be healed must not keep the others from it. */
async function guarded(
  ports: ReconcilePorts,
  session: SessionHead,
  options: ReconcileOptions,
): Promise<Found['what'][]> {
  try {
    const done = await heal(ports, session, options);
    for (const what of done) options.found({ what, session });
    return done;
  } catch (error) {
    options.found({ what: 'restarted', session, error });
    return [];
  }
}

async function heal(
  ports: ReconcilePorts,
  session: SessionHead,
  { min_age_ms }: ReconcileOptions,
): Promise<Found['what'][]> {
  const quiet_ms = ports.clock.now().getTime() - Date.parse(session.updated_at);
  // What has just moved is alive; asking Step Functions about every session would meet its quota.
  if (min_age_ms > 0 && quiet_ms < min_age_ms) return [];
  const restarted = await restart(ports, session);
  return [
    ...(restarted ? ['restarted' as const] : []),
    ...(quiet_ms > limits.stuck_ms ? ['stuck' as const] : []),
  ];
}

async function restart({ table, runs }: ReconcilePorts, session: SessionHead): Promise<boolean> {
  const { session_id, run } = session;
  if (await runs.alive(session_id, run)) return false;
  try {
    await table.transact([nextRun(session), freedThread(session)]);
  } catch (error) {
    // It came to rest, or somebody else has restarted it, since it was read.
    if (error instanceof ConditionFailed) return false;
    throw error;
  }
  const thread_id = primaryThreadId(session_id);
  // Lost here, the next reconcile finds this run without an execution and makes another.
  await runs.start({ session_id, thread_id, run: run + 1 });
  return true;
}

/** A new run is no progress: `updated_at` and the place in the index stay, for whoever counts. */
function nextRun({ session_id, run }: SessionHead): Update {
  return {
    update: sessionKey(session_id),
    expression: 'SET run = :next, #version = #version + :one',
    condition: 'run = :run AND gsi2pk = :running AND deleted_at = :null',
    names: { '#version': 'version' },
    values: {
      ':run': run,
      ':next': run + 1,
      ':one': 1,
      ':running': 'RUNNING',
      ':null': null,
    },
  };
}

/** A step of the old run that is still at work finds its run superseded at its next append. */
function freedThread({ session_id, run }: SessionHead): Update {
  return {
    update: threadKey(primaryThreadId(session_id)),
    expression:
      'SET run = :next, lease_holder = :null, lease_until_ms = :zero, #version = #version + :one',
    condition: 'run = :run AND #status IN (:running, :rescheduling)',
    names: { '#version': 'version', '#status': 'status' },
    values: {
      ':run': run,
      ':next': run + 1,
      ':null': null,
      ':zero': 0,
      ':one': 1,
      ':running': 'running',
      ':rescheduling': 'rescheduling',
    },
  };
}
