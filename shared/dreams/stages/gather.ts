import { primaryThreadId } from '../../core/id.ts';
import { ConditionFailed } from '../../core/table.ts';
import { sessionKey, type SessionHead } from '../../sessions/session.ts';
import { threadKey, type ThreadHead } from '../../threads/thread.ts';
import type { Snapshot } from '../snapshot.ts';
import { copyStore, recordOutput } from './copy-store.ts';
import { openSession } from './pipeline-session.ts';
import { takeSnapshot } from './take-snapshot.ts';
import { DreamFailed, type Work } from './work.ts';

/** A session as it stood when the dream began: what comes later is for another dream. */
export interface GatheredSession {
  readonly session_id: string;
  /** Number of the last event that is read. */
  readonly through: number;
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
  await work.once('sessions', async () => await gatherSessions(work));
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
  return await work.once('snapshot', async () => await takeSnapshot(work.ports, memory_store_id));
}

/** The sessions as they were when the dream began. */
export async function readSessions(work: Work): Promise<readonly GatheredSession[]> {
  return await work.once('sessions', async () => await gatherSessions(work));
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
  const keys = head.session_ids.flatMap((id) => [sessionKey(id), threadKey(primaryThreadId(id))]);
  const rows = await ports.table.getMany(keys);
  const at = new Map(rows.map((row) => [row.pk, row]));
  return head.session_ids.map((session_id) => {
    const session = at.get(sessionKey(session_id).pk) as SessionHead | undefined;
    const thread = at.get(threadKey(primaryThreadId(session_id)).pk) as ThreadHead | undefined;
    if (session === undefined || session.deleted_at !== null || thread === undefined) {
      throw sessionGone(session_id);
    }
    const { cost_microcents } = session.usage;
    return { session_id, through: thread.seq, cost_microcents };
  });
}

export function sessionGone(session_id: string): DreamFailed {
  return new DreamFailed(
    'input_session_unavailable',
    `Session ${session_id} was deleted while the dream ran.`,
  );
}
