import { primaryThreadId } from '../core/id.ts';
import { indexed } from '../core/indexed.ts';
import { limits } from '../core/limits.ts';
import type { Ports } from '../core/ports.ts';
import { ConditionFailed, type Update } from '../core/table.ts';
import { threadKey, type ThreadHead } from '../threads/thread.ts';
import { exhaustSession } from './exhaust-session.ts';
import type { Runs } from './runs.ts';
import { sessionKey, type SessionHead } from './session.ts';

export interface ReconcilePorts extends Pick<Ports, 'table' | 'blobs' | 'clock'> {
  readonly runs: Runs;
}

type What = 'restarted' | 'exhausted' | 'stuck';

/** What was done to a session, for the log; with an error, what was tried. */
export interface Found {
  readonly what: What;
  readonly session: SessionHead;
  readonly error?: unknown;
}

export interface ReconcileOptions {
  /**
   * Sessions that were started more recently are left alone: their start may still be under way. 0,
   * when all that ran is known to be dead: leases and earlier restarts count for nothing then.
   */
  readonly min_age_ms: number;
  readonly is_time_up: () => boolean;
  readonly found: (found: Found) => void;
}

export interface Reconciled {
  readonly restarted: number;
  /** Sessions whose turn was ended, because it died at every restart. */
  readonly exhausted: number;
  readonly stuck: number;
  /** False when the time was up before the end: the next run goes on. */
  readonly complete: boolean;
}

/**
 * Heal what a lost call or a crash has left: running sessions without a live execution get a new
 * run, and at last an end. Every change is conditional on what was read, so that two of these at
 * once, or one beside a client, do nothing twice.
 */
export async function reconcileSessions(
  ports: ReconcilePorts,
  options: ReconcileOptions,
): Promise<Reconciled> {
  const counts = { restarted: 0, exhausted: 0, stuck: 0 };
  const until_ms = ports.clock.now().getTime() - options.min_age_ms;
  for await (const rows of indexed(ports.table, 'RUNNING', until_ms)) {
    if (options.is_time_up()) return { ...counts, complete: false };
    const sessions = rows as SessionHead[];
    const leases = await leasesOf(ports, sessions);
    const found = await Promise.all(
      sessions.map(async (session) => {
        const lease_until_ms = leases.get(session.session_id) ?? 0;
        return await guarded(ports, { session, lease_until_ms }, options);
      }),
    );
    for (const what of found.flat()) counts[what] += 1;
  }
  return { ...counts, complete: true };
}

/** A session, and until when a step counts as at work on it: only steps move that, no client does. */
interface Watched {
  readonly session: SessionHead;
  readonly lease_until_ms: number;
}

async function leasesOf(
  { table }: ReconcilePorts,
  sessions: readonly SessionHead[],
): Promise<Map<string, number>> {
  const keys = sessions.map(({ session_id }) => threadKey(primaryThreadId(session_id)));
  const attributes = ['pk', 'sk', 'session_id', 'lease_until_ms'];
  const heads = (await table.getMany(keys, { attributes })) as ThreadHead[];
  return new Map(heads.map(({ session_id, lease_until_ms }) => [session_id, lease_until_ms]));
}

/** One session that cannot be healed must not keep the others from it. */
async function guarded(
  ports: ReconcilePorts,
  watched: Watched,
  options: ReconcileOptions,
): Promise<What[]> {
  const { session } = watched;
  try {
    const done = await heal(ports, watched, options);
    for (const what of done) options.found({ what, session });
    return done;
  } catch (error) {
    options.found({ what: 'restarted', session, error });
    return [];
  }
}

async function heal(
  ports: ReconcilePorts,
  { session, lease_until_ms }: Watched,
  { min_age_ms }: ReconcileOptions,
): Promise<What[]> {
  const now_ms = ports.clock.now().getTime();
  const trusts_rows = min_age_ms > 0;
  // What has just moved is alive; asking Step Functions about every session would meet its quota.
  if (trusts_rows && lease_until_ms > now_ms) return [];
  const moved_ms = Math.max(lease_until_ms - limits.lease_ms, startedMs(session));
  const stuck = now_ms - moved_ms > limits.stuck_ms ? ['stuck' as const] : [];
  if (trusts_rows && now_ms < dueMs(session)) return stuck;
  if (await ports.runs.alive(session.session_id, session.run)) return stuck;
  if (trusts_rows && restartsOf(session) >= limits.session_restarts_max) {
    return (await exhaustSession(ports, session)) ? ['exhausted'] : [];
  }
  const restarted = await restart(ports, session, trusts_rows);
  return [...(restarted ? ['restarted' as const] : []), ...stuck];
}

function startedMs({ running_since, updated_at }: SessionHead): number {
  return Date.parse(running_since ?? updated_at);
}

function restartsOf({ restarts_count }: SessionHead): number {
  return restarts_count ?? 0;
}

/** When a turn that was started anew may be again: what has died at once will most likely do so again. */
function dueMs(session: SessionHead): number {
  if (session.restarted_at === undefined) return 0;
  const wait_ms = limits.session_restart_wait_ms * 2 ** (restartsOf(session) - 1);
  return Date.parse(session.restarted_at) + wait_ms;
}

async function restart(
  { table, runs, clock }: ReconcilePorts,
  session: SessionHead,
  is_counted: boolean,
): Promise<boolean> {
  const { session_id, run } = session;
  try {
    const counted = is_counted
      ? { count: restartsOf(session) + 1, at: clock.now().toISOString() }
      : undefined;
    await table.transact([nextRun(session, counted), freedThread(session)]);
  } catch (error) {
    // It came to rest, or somebody else has restarted it, since it was read.
    if (error instanceof ConditionFailed) return false;
    throw error;
  }
  const thread_id = primaryThreadId(session_id);
  // Lost here, a later reconcile finds this run without an execution and makes another.
  await runs.start({ session_id, thread_id, run: run + 1 });
  return true;
}

/** A new run is no progress: `updated_at` and the place in the index stay, for whoever counts. */
function nextRun(
  { session_id, run }: SessionHead,
  counted: { readonly count: number; readonly at: string } | undefined,
): Update {
  return {
    update: sessionKey(session_id),
    expression:
      'SET run = :next, #version = #version + :one' +
      (counted === undefined ? '' : ', restarts_count = :count, restarted_at = :at'),
    condition: 'run = :run AND gsi2pk = :running AND deleted_at = :null',
    names: { '#version': 'version' },
    values: {
      ':run': run,
      ':next': run + 1,
      ':one': 1,
      ':running': 'RUNNING',
      ':null': null,
      ...(counted === undefined ? {} : { ':count': counted.count, ':at': counted.at }),
    },
  };
}

/**
 * A step of the old run that is still at work finds its run superseded at its next append. The end of
 * its lease stays: it says when the thread last moved, and whoever comes takes a lease without holder.
 */
function freedThread({ session_id, run }: SessionHead): Update {
  return {
    update: threadKey(primaryThreadId(session_id)),
    expression: 'SET run = :next, lease_holder = :null, #version = #version + :one',
    condition: 'run = :run AND #status IN (:running, :rescheduling)',
    names: { '#version': 'version', '#status': 'status' },
    values: {
      ':run': run,
      ':next': run + 1,
      ':null': null,
      ':one': 1,
      ':running': 'running',
      ':rescheduling': 'rescheduling',
    },
  };
}
