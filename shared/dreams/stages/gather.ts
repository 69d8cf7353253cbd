import pLimit from 'p-limit';
import { limits } from '../../core/limits.ts';
import { primaryThreadId } from '../../core/id.ts';
import { ConditionFailed, type Key, type Row } from '../../core/table.ts';
import { sessionKey, type SessionHead } from '../../sessions/session.ts';
import { threadKey, type ThreadHead } from '../../threads/thread.ts';
import type { Snapshot } from '../snapshot.ts';
import { copyStore, recordOutput } from './copy-store.ts';
import { openSession } from './pipeline-session.ts';
import { threadIds, type GatheredThread } from './session-log.ts';
import { takeSnapshot } from './take-snapshot.ts';
import { DreamFailed, type Work } from './work.ts';

/** A session as it stood when the dream began: what comes later is for another dream. */
export interface GatheredSession {
  readonly session_id: string;
  /** The primary one first. */
  readonly threads: readonly GatheredThread[];
  /** What the session had cost; null when a model has no price. */
  readonly cost_microcents: number | null;
}

/**
 * The state Gather: the dream begins, its inputs are fixed, and the store that it will change is
 * there. @returns the numbers of the sessions, for the Map
 */
export async function gather(work: Work): Promise<number[]> {
  await begin(work);
  await openSession(work);
  await work.onceForAll('sessions', async () => await gatherSessions(work));
  const snapshot = await readSnapshot(work);
  const is_new = work.head.output_behavior.type === 'create_new';
  if (is_new && work.head.output_store_id === null) await copyStore(work, snapshot);
  await work.look();
  await recordOutput(work, is_new);
  return [...work.head.session_ids.keys()];
}

/** The input store as it was when the dream began. */
export async function readSnapshot(work: Work): Promise<Snapshot> {
  const { memory_store_id } = work.head;
  return await work.onceForAll(
    'snapshot',
    async () => await takeSnapshot(work.ports, memory_store_id),
  );
}

/** The sessions as they were when the dream began. */
export async function readSessions(work: Work): Promise<readonly GatheredSession[]> {
  return await work.onceForAll('sessions', async () => await gatherSessions(work));
}

async function begin(work: Work): Promise<void> {
  if (work.head.status !== 'pending') return;
  try {
    await work.change('#status = :running', {});
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
    // Canceled in between: the look says where to go.
    await work.look();
  }
}

async function gatherSessions({ ports, head }: Work): Promise<GatheredSession[]> {
  const { table } = ports;
  const limit = pLimit(limits.copies_parallel_max);
  const at = new Map<string, Row>();
  const read = async (keys: readonly Key[]): Promise<void> => {
    for (const row of await table.getMany(keys)) at.set(row.pk, row);
  };
  const threadAt = (id: string) => at.get(threadKey(id).pk) as ThreadHead | undefined;
  await read(head.session_ids.flatMap((id) => [sessionKey(id), threadKey(primaryThreadId(id))]));
  const teams = await Promise.all(
    head.session_ids.map((session_id) =>
      limit(async () => {
        const primary = primaryThreadId(session_id);
        // Most sessions never had another thread, and their primary one says so.
        const is_team = threadAt(primary)?.team !== undefined;
        return { session_id, ids: is_team ? await threadIds(table, session_id) : [primary] };
      }),
    ),
  );
  await read(teams.flatMap(({ ids: [, ...children] }) => children.map(threadKey)));
  return teams.map(({ session_id, ids }) => {
    const session = at.get(sessionKey(session_id).pk) as SessionHead | undefined;
    const threads = ids.flatMap((id) => threadAt(id) ?? []);
    if (session?.deleted_at !== null || threads.length < ids.length) throw sessionGone(session_id);
    const { cost_microcents } = session.usage;
    const gathered = threads.map(({ thread_id, seq }) => ({ thread_id, through: seq }));
    return { session_id, threads: gathered, cost_microcents };
  });
}

/**
 * The sessions of the dream are still there: what a deleted one has said is written down no more.
 *
 * @throws DreamFailed
 */
export async function checkSessions({ ports, head }: Work): Promise<void> {
  const heads = (await ports.table.getMany(head.session_ids.map(sessionKey))) as SessionHead[];
  const there = new Set(
    heads.flatMap(({ session_id, deleted_at }) => (deleted_at === null ? [session_id] : [])),
  );
  const gone = head.session_ids.find((id) => !there.has(id));
  if (gone !== undefined) throw sessionGone(gone);
}

export function sessionGone(session_id: string): DreamFailed {
  return new DreamFailed(
    'input_session_unavailable',
    `Session ${session_id} was deleted while the dream ran.`,
  );
}
