import type { HeldEvidence } from '#shared/dreams/candidate.ts';
import type { Operation } from '#shared/dreams/operation.ts';
import type { Snapshot, SnapshotMemory } from '#shared/dreams/snapshot.ts';

export const OLD = '2026-11-01T00:00:00.000Z';
export const NEW = '2026-11-20T00:00:00.000Z';

export function aMemory(path: string, text: string, over: Partial<SnapshotMemory> = {}) {
  return {
    memory_id: `mem_${path}`,
    memory_version_id: `memver_${path}`,
    path,
    text,
    updated_at: OLD,
    by_hand: false,
    ...over,
  };
}

export function aSnapshot(...memories: readonly SnapshotMemory[]): Snapshot {
  return { memory_store_id: 'memstore_1', memories };
}

export function someEvidence(over: Partial<HeldEvidence> = {}): HeldEvidence {
  return {
    session_id: 'sesn_1',
    event_id: 'sevt_1',
    quote: 'the build needs node 24',
    at: NEW,
    speaker: 'user',
    outcome: 'success',
    ...over,
  };
}

type Draft<T> = T extends unknown
  ? Omit<T, 'change_id' | 'reason' | 'evidence' | 'source'> & Partial<Operation>
  : never;

/** An operation with what all of them have. */
export function anOperation(change_id: string, draft: Draft<Operation>): Operation {
  return {
    change_id,
    reason: `reason of ${change_id}`,
    evidence: [someEvidence()],
    source: 'model',
    ...draft,
  } as Operation;
}
