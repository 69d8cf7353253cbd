import { again } from '../core/again.ts';
import { limits } from '../core/limits.ts';
import type { Ports } from '../core/ports.ts';
import type { Write } from '../core/table.ts';
import type { DreamHead } from '../dreams/dream.ts';
import { sha256Of } from '../memory/content.ts';
import { readHistory } from '../memory-history/read-history.ts';
import type { Change, Edit } from './change.ts';
import { heldAt } from './held-at.ts';
import { planApply, type Held } from './plan-changes.ts';
import { readReview, type Review } from './read-review.ts';
import {
  applyKey,
  partKey,
  refusedBy,
  reviewKey,
  type ApplyRow,
  type Conflicts,
  type Outcome,
  type Written,
} from './review-rows.ts';

/**
 * The review of a dream. One that wrote into its own store has applied everything by itself: at the
 * first look that becomes an apply, which can be rolled back like every other.
 */
export async function openReview(
  ports: Ports,
  dream: DreamHead,
  changes: ReadonlyMap<string, Change>,
): Promise<Review> {
  return await again(`the review of dream '${dream.dream_id}'`, async () => {
    const review = await readReview(ports.table, dream.dream_id);
    const is_in_place =
      dream.output_behavior.type === 'update_existing' && dream.recommended !== false;
    if (!is_in_place || changes.size === 0 || review.applies_count > 0) return review;
    await ports.table.transact(await adoption(ports, dream, [...changes.values()]));
    return await readReview(ports.table, dream.dream_id);
  });
}

async function adoption(
  ports: Ports,
  dream: DreamHead,
  changes: readonly Change[],
): Promise<Write[]> {
  const { dream_id, memory_store_id } = dream;
  const edits = changes.flatMap((change) => change.edits);
  const created = edits.filter(({ before }) => before === null).map(({ path }) => path);
  const { unwritten = [] } = dream;
  const refused = changes.filter(({ operation }) => unwritten.includes(operation.change_id));
  const places = refused.flatMap((change) => change.edits.map(({ path }) => path));
  const held = await heldAt(ports, memory_store_id, [...created, ...places]);
  const made = new Map([
    ...heldIds(held),
    ...(created.length === 0 ? [] : await madeBy(ports, dream)),
  ]);
  const row = adoptedApply(ports, dream, changes);
  const is_free = { condition: 'attribute_not_exists(pk)' };
  const writes: Write[] = [
    { put: { ...reviewKey(dream_id), decisions_count: 0, applies_count: 1 }, ...is_free },
    { put: row, ...is_free },
  ];
  const outcomes = changes.map((change) =>
    refused.includes(change) ? refusedChange(change, held) : written(change, made),
  );
  let reached = 0;
  for (const part of partsOf(outcomes)) {
    writes.push({ put: { ...partKey({ ...row, reached }), outcomes: part }, ...is_free });
    reached += part.length;
  }
  return writes;
}

/** Outcomes of one row each: a path may be long, and a change in the way of many. */
function partsOf(outcomes: readonly Outcome[]): Outcome[][] {
  const parts: Outcome[][] = [];
  let bytes = Infinity;
  for (const outcome of outcomes) {
    const own_bytes = Buffer.byteLength(JSON.stringify(outcome));
    bytes += own_bytes;
    if (bytes <= limits.row_bytes_max) {
      parts.at(-1)?.push(outcome);
      continue;
    }
    parts.push([outcome]);
    bytes = own_bytes;
  }
  return parts;
}

function adoptedApply(ports: Ports, dream: DreamHead, changes: readonly Change[]): ApplyRow {
  const { dream_id, memory_store_id } = dream;
  const apply_id = ports.newId('apply');
  return {
    ...applyKey(dream_id, apply_id),
    schema: 1,
    apply_id,
    dream_id,
    memory_store_id,
    state: 'applied',
    round: 1,
    change_ids: changes.map(({ operation }) => operation.change_id),
    reached: changes.length,
    // Whether the index was new is not told: it stays, in step with what is there.
    makes_index: false,
    decisions_count: 0,
    created_at: dream.ended_at ?? dream.created_at,
    created_by: dream.pipeline_session_id,
    rolled_back_at: null,
    rolled_back_by: null,
  };
}

/** Ids of memories by path. */
type Made = ReadonlyMap<string, string>;

function heldIds(held: Held): [string, string][] {
  return [...held.values()].flatMap((row) =>
    row.kind === 'memory' ? [[row.sk, row.memory_id] as [string, string]] : [],
  );
}

/** What the dream has made, by the path that it gave it: others may have moved it since. */
async function madeBy(ports: Ports, dream: DreamHead): Promise<Made> {
  const { memory_store_id, created_at, ended_at, pipeline_session_id } = dream;
  const made = new Map<string, string>();
  for await (const versions of readHistory(ports, memory_store_id, created_at)) {
    for (const { operation, created_by, path, memory_id } of versions) {
      const is_own =
        created_by.type === 'session_actor' && created_by.session_id === pipeline_session_id;
      if (is_own && operation === 'created' && path !== null) made.set(path, memory_id);
    }
    if (ended_at !== null && (versions.at(-1)?.created_at ?? '') > ended_at) break;
  }
  return made;
}

function written({ operation, edits }: Change, made: Made): Outcome {
  const { change_id } = operation;
  return {
    change_id,
    outcome: 'applied',
    written: edits.flatMap((edit) => adoptedEdit(edit, made)),
  };
}

/** What stands in the way now, by which it can be decided on anew; what did then may have gone since. */
function refusedChange({ operation, edits }: Change, held: Held): Outcome {
  const { change_id } = operation;
  const plan = planApply({ edits }, held);
  const conflicts: Conflicts =
    plan.is === 'conflict' ? plan.conflicts : [{ reason: 'changed', path: null }];
  return { change_id, outcome: 'conflict', ...refusedBy(conflicts) };
}

/** What others have changed since is told by a rollback, as of any other apply. */
function adoptedEdit({ path, before, after }: Edit, made: Made): Written[] {
  const memory_id = before?.memory_id ?? made.get(path);
  // The dream has made it, and it is gone: there is nothing to take back.
  if (memory_id === undefined) return [];
  const before_version_id = before?.memory_version_id ?? null;
  return [
    { path, memory_id, before_version_id, after_sha256: after === null ? null : sha256Of(after) },
  ];
}
