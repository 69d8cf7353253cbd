import { primaryThreadId } from '../core/id.ts';
import { limits } from '../core/limits.ts';
import type { Ports } from '../core/ports.ts';
import { ConditionFailed, type Row, type Update } from '../core/table.ts';
import { threadKey } from '../threads/thread.ts';
import type { Runs } from './runs.ts';
import { sessionKey, type SessionHead } from './session.ts';
import { sweepSession } from './sweep-session.ts';

export interface ReconcilePorts extends Pick<Ports, 'table' | 'blobs' | 'clock'> {
  readonly runs: Runs;
}

/** What was done to a session, for the log; with an error, what was tried. */
export interface Found {
  readonly what: 'restarted' | 'stuck' | 'swept';
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
  readonly swept: number;
  /** False when the time was up before the end: the next run goes on. */
  readonly complete: boolean;
}

/** Sessions that are looked at together. */
const TOGETHER = 10;

/**
 * Heal what a lost call or a crash has left: running sessions without a live execution get a new
 * run, deleted ones are swept to the end. Every change is conditional on what was read, so that
 * two of these at once, or one beside a client, do nothing twice.
 */
export async function reconcileSessions(
  ports: ReconcilePorts,
  options: ReconcileOptions,
): Promise<Reconciled> {
  const counts = { restarted: 0, stuck: 0, swept: 0 };
  const until = new Date(ports.clock.now().getTime() - options.min_age_ms).toISOString();
  const look = {
    RUNNING: async (session: SessionHead) => await heal(ports, session, options),
    DELETED: async (session: SessionHead) => await sweep(ports, session, options),
  };
  let complete = true;
  for (const state of ['RUNNING', 'DELETED'] as const) {
    for await (const sessions of indexed(ports, state, until)) {
      if (options.is_time_up()) {
        complete = false;
        break;
      }
      const found = await Promise.all(
        sessions.map(async (session) => await guarded(look[state], session, options)),
      );
      for (const what of found.flat()) counts[what] += 1;
    }
  }
  return { ...counts, complete };
}

/** The sessions of a state since before `until`, oldest first, as they are now. */
async function* indexed(
  { table }: ReconcilePorts,
  pk: 'RUNNING' | 'DELETED',
  until: string,
): AsyncGenerator<SessionHead[]> {
  const to = `${until}#~`;
  for (let from = ' '; from <= to;) {
    const { rows, more } = await table.query({ pk, from, to, index: 'running', limit: TOGETHER });
    const heads = (await table.getMany(rows)) as SessionHead[];
    // The index lags: only the row itself says what is true.
    yield heads.filter((head) => head.gsi2pk === pk);
    const last = rows.at(-1);
    if (!more || last === undefined) return;
    from = `${placeOf(last)}!`;
  }
}

function placeOf(row: Row): string {
  return String(row['gsi2sk']);
}

/** One session that cannot be healed must not keep the others from it. */
async function guarded(
  look: (session: SessionHead) => Promise<Found['what'][]>,
  session: SessionHead,
  { found }: ReconcileOptions,
): Promise<Found['what'][]> {
  try {
    const done = await look(session);
    for (const what of done) found({ what, session });
    return done;
  } catch (error) {
    const what = session.deleted_at === null ? 'restarted' : 'swept';
    found({ what, session, error });
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

async function sweep(
  ports: ReconcilePorts,
  { session_id }: SessionHead,
  { is_time_up }: ReconcileOptions,
): Promise<Found['what'][]> {
  return (await sweepSession(ports, session_id, is_time_up)) ? ['swept'] : [];
}
