import { primaryThreadId } from '../core/id.ts';
import { indexed } from '../core/indexed.ts';
import { limits } from '../core/limits.ts';
import type { Ports } from '../core/ports.ts';
import { ConditionFailed, type Update } from '../core/table.ts';
import { threadKey, type ThreadHead } from '../threads/thread.ts';
import { isAtWork, teamWorks } from '../threads/team.ts';
import { exhaustThread } from './exhaust-session.ts';
import { runName, type Runs } from './runs.ts';
import { executionName, sessionKey, type SessionHead } from './session.ts';

export interface ReconcilePorts extends Pick<Ports, 'table' | 'blobs' | 'clock'> {
  readonly runs: Runs;
}

type What = 'restarted' | 'exhausted' | 'stuck';

/** What was done to a session, for the log; with an error, what was tried. */
export interface Found {
  readonly what: What;
  readonly session: SessionHead;
  /** Name of the execution that should have been alive. */
  readonly run_id: string;
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
    const watched = await threadsOf(ports, rows as SessionHead[]);
    const found = await Promise.all(watched.map(async (one) => await guarded(ports, one, options)));
    for (const what of found.flat()) counts[what] += 1;
  }
  return { ...counts, complete: true };
}

/** What is read of a head: the rest would only be parsed and thrown away. */
const attributes = [
  'pk',
  'sk',
  'session_id',
  'thread_id',
  'parent_thread_id',
  'status',
  'run',
  'execution',
  'running_since',
  'updated_at',
  // Until when a step counts as at work on it: only steps move that, no client does.
  'lease_until_ms',
  'team',
  'restarts_count',
  'restarted_at',
] as const satisfies readonly (keyof ThreadHead)[];

type WatchedHead = Pick<ThreadHead, (typeof attributes)[number]>;

/** A thread that should be at work. */
interface Watched {
  readonly session: SessionHead;
  readonly head: WatchedHead;
}

/** The threads of sessions that should be at work: primary ones, and those of their children. */
async function threadsOf(
  { table }: ReconcilePorts,
  sessions: readonly SessionHead[],
): Promise<Watched[]> {
  const read = async (ids: readonly string[]): Promise<WatchedHead[]> =>
    (await table.getMany(ids.map(threadKey), { attributes })) as unknown as WatchedHead[];
  const primaries = await read(sessions.map(({ session_id }) => primaryThreadId(session_id)));
  const ids = primaries.flatMap(({ team }) =>
    (team?.members ?? []).flatMap(({ status, is_advisor, thread_id }) =>
      isAtWork(status) && is_advisor !== true ? [thread_id] : [],
    ),
  );
  const children = ids.length === 0 ? [] : await read(ids);
  // A session whose children work is at work without its primary thread.
  const working = primaries.filter((head) => isAtWork(head.status) || !teamWorks(head));
  const heads = [...working, ...children.filter(({ status }) => isAtWork(status))];
  return heads.flatMap((head) => {
    const session = sessions.find(({ session_id }) => session_id === head.session_id);
    return session === undefined ? [] : [{ session, head }];
  });
}

/** One session that cannot be healed must not keep the others from it. */
async function guarded(
  ports: ReconcilePorts,
  watched: Watched,
  options: ReconcileOptions,
): Promise<What[]> {
  const about = { session: watched.session, run_id: executionOf(watched) };
  const stuck = isStuck(ports, watched, options) ? (['stuck'] as const) : [];
  const told = (done: readonly What[]): What[] => {
    for (const what of done) options.found({ what, ...about });
    return [...done];
  };
  try {
    return told([...(await heal(ports, watched, options)), ...stuck]);
  } catch (error) {
    options.found({ what: 'restarted', ...about, error });
    // What keeps it from being healed must not keep it from being counted: else nothing would tell.
    return told(stuck);
  }
}

/** What has just moved is alive, and what has just begun is being started, also in a session that runs for long. */
function isFresh({ clock }: ReconcilePorts, watched: Watched, min_age_ms: number): boolean {
  const now_ms = clock.now().getTime();
  if (min_age_ms === 0) return false;
  return watched.head.lease_until_ms > now_ms || now_ms - startedMs(watched) < min_age_ms;
}

function isStuck(
  ports: ReconcilePorts,
  watched: Watched,
  { min_age_ms }: ReconcileOptions,
): boolean {
  if (isFresh(ports, watched, min_age_ms)) return false;
  const moved_ms = Math.max(watched.head.lease_until_ms - limits.lease_ms, startedMs(watched));
  return ports.clock.now().getTime() - moved_ms > limits.stuck_ms;
}

/** A child's stands in its head, for it may have begun with others. */
function executionOf({ session, head }: Watched): string {
  return head.execution ?? executionName(session.session_id, session.run);
}

async function heal(
  ports: ReconcilePorts,
  watched: Watched,
  { min_age_ms }: ReconcileOptions,
): Promise<What[]> {
  const trusts_rows = min_age_ms > 0;
  // Asking Step Functions about each of them would meet its quota.
  if (isFresh(ports, watched, min_age_ms)) return [];
  if (trusts_rows && ports.clock.now().getTime() < dueMs(watched)) return [];
  if (await ports.runs.alive(executionOf(watched))) return [];
  return await startAnew(ports, watched, trusts_rows);
}

/** Another run, or, when they all have died, the end of the turn. */
async function startAnew(
  ports: ReconcilePorts,
  watched: Watched,
  trusts_rows: boolean,
): Promise<What[]> {
  const { session, head } = watched;
  if (trusts_rows && restartsOf(watched).count >= limits.session_restarts_max) {
    return (await exhaustThread(ports, session, head.thread_id)) ? ['exhausted'] : [];
  }
  return (await restart(ports, watched, trusts_rows)) ? ['restarted'] : [];
}

function startedMs({ session, head }: Watched): number {
  return Date.parse(head.running_since ?? session.running_since ?? session.updated_at);
}

/** Of a primary thread they stand with its session. */
function restartsOf({ session, head }: Watched): { count: number; at: string | undefined } {
  const { restarts_count, restarted_at } = head.parent_thread_id === undefined ? session : head;
  return { count: restarts_count ?? 0, at: restarted_at };
}

/** When a turn that was started anew may be again: what has died at once will most likely do so again. */
function dueMs(watched: Watched): number {
  const { count, at } = restartsOf(watched);
  if (at === undefined) return 0;
  return Date.parse(at) + limits.session_restart_wait_ms * 2 ** (count - 1);
}

/** How often a run has been started anew with this, and when; undefined where it does not count. */
interface Counted {
  readonly count: number;
  readonly at: string;
}

async function restart(
  { table, runs, clock }: ReconcilePorts,
  watched: Watched,
  is_counted: boolean,
): Promise<boolean> {
  const { session, head } = watched;
  const counted = is_counted
    ? { count: restartsOf(watched).count + 1, at: clock.now().toISOString() }
    : undefined;
  const is_primary = head.parent_thread_id === undefined;
  const writes = is_primary
    ? [nextRun(session, counted), freedThread(session)]
    : [freedChild(head, counted)];
  try {
    await table.transact(writes);
  } catch (error) {
    // It came to rest, or somebody else has restarted it, since it was read.
    if (error instanceof ConditionFailed) return false;
    throw error;
  }
  const run = (is_primary ? session.run : head.run) + 1;
  // Lost here, a later reconcile finds this run without an execution and makes another.
  await runs.start({ session_id: session.session_id, thread_id: head.thread_id, run });
  return true;
}

/** A child's next run, in an execution of its own. */
function freedChild(
  { session_id, thread_id, run }: WatchedHead,
  counted: Counted | undefined,
): Update {
  const next = run + 1;
  return {
    update: threadKey(thread_id),
    expression:
      'SET run = :next, execution = :execution, lease_holder = :null, #version = #version + :one' +
      (counted === undefined ? '' : ', restarts_count = :count, restarted_at = :at'),
    condition: 'run = :run AND #status IN (:running, :rescheduling)',
    names: { '#version': 'version', '#status': 'status' },
    values: {
      ':run': run,
      ':next': next,
      ':execution': runName({ session_id, thread_id, run: next }),
      ':null': null,
      ':one': 1,
      ':running': 'running',
      ':rescheduling': 'rescheduling',
      ...(counted === undefined ? {} : { ':count': counted.count, ':at': counted.at }),
    },
  };
}

/** A new run is no progress: `updated_at` and the place in the index stay, for whoever counts. */
function nextRun({ session_id, run }: SessionHead, counted: Counted | undefined): Update {
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
