import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../core/backoff.ts';
import type { Call } from '../core/call.ts';
import { Fault } from '../core/fault.ts';
import { invariant } from '../core/invariant.ts';
import { limits } from '../core/limits.ts';
import { ConditionFailed, type Write } from '../core/table.ts';
import type { Change as MemoryChange } from '../memory/changes.ts';
import { actorOf } from '../memory/memories.ts';
import type { MemoryPorts } from '../memory/memory-ports.ts';
import { writeMemories } from '../memory/write-memories.ts';
import { partOf, type Plan } from './plan-changes.ts';
import {
  applyKey,
  partKey,
  type ApplyRow,
  type Conflicts,
  type ConflictReason,
  type Outcome,
  type PartRow,
  type Written,
} from './review-rows.ts';

/** One way through the changes of an apply: into the store, or out of it. */
export interface Way {
  /** For the store as it is now. */
  readonly plan: (change_ids: readonly string[]) => Promise<readonly Plan[]>;
  readonly done: (change_id: string, written: readonly Written[]) => Outcome;
  readonly conflict: (change_id: string, conflicts: Conflicts) => Outcome;
  /** What the apply is at the end of the round. */
  readonly ends: 'applied' | 'rolled_back';
}

/** Changes that one part looks at; mostly fewer fit, and it tells of so many conflicts. */
const LOOK_AHEAD = 50;

/**
 * Go on with an apply, or with its rollback, a transaction at a time: memories, what became of the
 * changes and how far it is are written together or not at all. Runs twice, side by side or after a
 * crash: each part has one winner, and who loses goes on where that one stopped.
 *
 * @returns the apply as it then is; at least one part further
 */
export async function goThrough(
  ports: MemoryPorts,
  call: Call,
  row: ApplyRow,
  way: Way,
): Promise<ApplyRow> {
  const until_ms = performance.now() + limits.memory_work_ms;
  const { state, round } = row;
  let next = row;
  do {
    next = await onePart(ports, call, next, way);
    if (next.state !== state || next.round !== round) return next;
  } while (performance.now() < until_ms);
  return next;
}

async function onePart(ports: MemoryPorts, call: Call, row: ApplyRow, way: Way): Promise<ApplyRow> {
  let count = LOOK_AHEAD;
  let refused: ConflictReason | undefined;
  for (let attempt = 1; attempt <= limits.memory_attempts_max; attempt++) {
    const ids = row.change_ids.slice(row.reached, row.reached + count);
    const plans = refused === undefined ? await fitting(way, ids) : [conflictOf(refused)];
    const result = await tryPart(ports, call, row, { plans, way });
    if ('row' in result) return result.row;
    if (result.reason !== undefined) {
      // One by one: a change that is refused keeps no other from being written.
      if (plans.length === 1) refused = result.reason;
      count = 1;
    }
    await sleep(backoffMs(attempt));
  }
  throw new Fault(
    'busy',
    `memory store '${row.memory_store_id}' is being changed by others. Try again.`,
  );
}

async function fitting(way: Way, ids: readonly string[]): Promise<readonly Plan[]> {
  const plans = await way.plan(ids);
  const count = partOf(plans);
  // The first alone is too much: it is a conflict, and the others go on.
  return count === 0 ? [conflictOf('too_large')] : plans.slice(0, count);
}

function conflictOf(reason: ConflictReason): Plan {
  return { is: 'conflict', conflicts: [{ reason, path: null }] };
}

interface Part {
  readonly plans: readonly Plan[];
  readonly way: Way;
}

/** The apply as it now is; or that nothing was written, and what is in the way where that is known. */
type Tried = { readonly row: ApplyRow } | { readonly reason: ConflictReason | undefined };

async function tryPart(
  ports: MemoryPorts,
  call: Call,
  row: ApplyRow,
  { plans, way }: Part,
): Promise<Tried> {
  const reached = row.reached + plans.length;
  const state = reached === row.change_ids.length ? way.ends : row.state;
  const steps = plans.flatMap((plan) => (plan.is === 'due' ? plan.steps : []));
  try {
    const { outcome } = await writeMemories(ports, {
      store_id: row.memory_store_id,
      workspace_id: call.workspace_id,
      operations: steps.map(({ operation }) => operation),
      actor: actorOf(call),
      also: (changes) => [
        moving(row, { reached, state }),
        { put: partRow(row, { plans, way }, changes), condition: 'attribute_not_exists(pk)' },
      ],
    });
    if (outcome === 'stale') return { reason: undefined };
    return { row: { ...row, reached, state } };
  } catch (error) {
    const reason = reasonOf(error);
    if (reason !== undefined) return { reason };
    if (!(error instanceof ConditionFailed)) throw error;
    const newest = (await ports.table.get(applyKey(row.dream_id, row.apply_id))) as ApplyRow;
    const is_same = newest.round === row.round && newest.reached === row.reached;
    return is_same && newest.state === row.state ? { reason: undefined } : { row: newest };
  }
}

function moving(row: ApplyRow, to: Pick<ApplyRow, 'reached' | 'state'>): Write {
  return {
    update: applyKey(row.dream_id, row.apply_id),
    expression: 'SET reached = :to, #state = :next',
    condition: 'reached = :from AND round = :round AND #state = :state',
    names: { '#state': 'state' },
    values: {
      ':to': to.reached,
      ':next': to.state,
      ':from': row.reached,
      ':round': row.round,
      ':state': row.state,
    },
  };
}

function partRow(row: ApplyRow, { plans, way }: Part, changes: readonly MemoryChange[]): PartRow {
  let at = 0;
  const outcomes = plans.map((plan, index) => {
    const change_id = row.change_ids[row.reached + index] ?? '';
    if (plan.is === 'conflict') return way.conflict(change_id, plan.conflicts);
    const own = changes.slice(at, at + plan.steps.length);
    at += plan.steps.length;
    return way.done(change_id, own.map(writtenBy));
  });
  return { ...partKey(row), outcomes };
}

function writtenBy({ before, after }: MemoryChange): Written {
  const memory = after ?? before;
  invariant(memory !== undefined, 'a change of a memory has one');
  return {
    path: memory.sk,
    memory_id: memory.memory_id,
    before_version_id: before?.memory_version_id ?? null,
    after_sha256: after?.content_sha256 ?? null,
  };
}

function reasonOf(error: unknown): ConflictReason | undefined {
  if (!(error instanceof Fault)) return undefined;
  if (error.kind === 'memory_path_conflict') return 'path_taken';
  return error.details?.error_code === 'memory_store_full' ? 'store_full' : undefined;
}
