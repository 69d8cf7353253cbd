import type { Ports } from '../core/ports.ts';
import { load } from '../core/stored.ts';
import type { DreamHead } from '../dreams/dream.ts';
import type { Operation } from '../dreams/operation.ts';
import { REDACTED } from '../dreams/redacted.ts';
import { unifiedOf } from '../memory-history/hunks.ts';
import { isRedacted, textOfChange, withText, type Change } from './change.ts';
import { heldBy, isApplied, type Apply, type Review } from './read-review.ts';
import {
  conflictsOf,
  type ApplyRow,
  type Conflict,
  type ConflictReason,
  type DecisionRow,
  type Outcome,
} from './review-rows.ts';

export type ChangeState = 'proposed' | DecisionRow['state'];

/** A change as it is shown. */
export interface DreamChange {
  readonly type: 'dream_change';
  /** Unique in its dream. */
  readonly id: string;
  readonly dream_id: string;
  /** As the dream proposes it: why, and the evidence. */
  readonly operation: Operation;
  readonly state: ChangeState;
  /** Whether `text` is the operator's. */
  readonly edited: boolean;
  /** What it says, or was made from, was redacted since: it can be rejected, and nothing else. */
  readonly redacted: boolean;
  /** What the change leaves; null when it only ends memories. */
  readonly text: string | null;
  readonly edits: readonly ShownEdit[];
  /** What it may replace beside what it was made from: see `decide`. */
  readonly replaces_memory_version_ids: readonly string[];
  readonly decided_at: string | null;
  /** Id of an API key. */
  readonly decided_by: string | null;
  /** The applies that it is part of, the oldest first. */
  readonly applies: readonly (ShownOutcome & Pick<ApplyRow, 'apply_id' | 'memory_store_id'>)[];
}

export interface ShownEdit {
  readonly path: string;
  /** Of what it was made from; null where there was nothing. */
  readonly memory_id: string | null;
  readonly memory_version_id: string | null;
  /** A unified diff from what the dream has found to what the change makes of it. */
  readonly diff: string;
}

export interface ShownOutcome {
  readonly change_id: string;
  readonly outcome: 'pending' | Outcome['outcome'];
  /** Why it was not applied, or not taken back: the first of `conflicts`. */
  readonly conflict: ShownConflict | null;
  /** All that stands in the way, by path: with the first alone resolved the next would be met. */
  readonly conflicts: readonly ShownConflict[];
}

export interface ShownConflict extends Omit<Conflict, 'memory_version_id'> {
  /** Of the memory that stands there; null for none. */
  readonly memory_version_id: string | null;
  /** What it is, and what to do. */
  readonly message: string;
}

export async function showChange(
  ports: Ports,
  { dream_id }: DreamHead,
  change: Change,
  review: Review,
): Promise<DreamChange> {
  const id = change.operation.change_id;
  const decision = review.decisions.get(id);
  const own = await ownText(ports, decision);
  const decided = own === undefined ? change : withText(change, own);
  return {
    type: 'dream_change',
    id,
    dream_id,
    operation: change.operation,
    state: stateOf(review, id),
    edited: own !== undefined,
    redacted: isRedacted(change),
    text: own ?? textOfChange(change),
    edits: decided.edits.map(({ path: at, before, after }) => ({
      path: at,
      memory_id: before?.memory_id ?? null,
      memory_version_id: before?.memory_version_id ?? null,
      diff: isRedacted(change)
        ? REDACTED
        : unifiedOf({
            from_path: before === null ? undefined : at,
            to_path: after === null ? undefined : at,
            from: before?.text ?? '',
            to: after ?? '',
          }),
    })),
    replaces_memory_version_ids: decision?.replaces ?? [],
    decided_at: decision?.decided_at ?? null,
    decided_by: decision?.decided_by ?? null,
    applies: review.applies.flatMap((apply) => {
      const { apply_id, memory_store_id } = apply.row;
      const shown = shownOutcomes(apply).find(({ change_id }) => change_id === id);
      return shown === undefined ? [] : [{ apply_id, memory_store_id, ...shown }];
    }),
  };
}

/** What a dream has written by itself nobody has decided on; it is accepted all the same. */
export function stateOf({ decisions, applies }: Review, change_id: string): ChangeState {
  const decided = decisions.get(change_id)?.state;
  if (decided !== undefined) return decided;
  return applies.some((apply) => heldBy(apply).has(change_id)) ? 'accepted' : 'proposed';
}

/** A change with the text that an operator wants, where one does. */
export async function decidedChange(
  ports: Ports,
  change: Change,
  decision: DecisionRow | undefined,
): Promise<Change> {
  const own = await ownText(ports, decision);
  return own === undefined ? change : withText(change, own);
}

async function ownText(
  { blobs }: Ports,
  decision: DecisionRow | undefined,
): Promise<string | undefined> {
  return decision?.text === undefined ? undefined : await load(blobs, decision.text);
}

/** An apply as it is shown. */
export interface DreamApply {
  readonly type: 'dream_apply';
  readonly id: string;
  readonly dream_id: string;
  readonly memory_store_id: string;
  /** `applying` and `rolling_back` go on with the next request of the same kind. */
  readonly state: ApplyRow['state'];
  readonly applied_count: number;
  readonly conflict_count: number;
  readonly rolled_back_count: number;
  /** Changes that the next request will go on with. */
  readonly remaining_count: number;
  readonly changes: readonly ShownOutcome[];
  readonly created_at: string;
  /** Id of an API key, or of the session of a dream that wrote into its own store. */
  readonly created_by: string;
  readonly rolled_back_at: string | null;
  readonly rolled_back_by: string | null;
}

export function showApply(apply: Apply): DreamApply {
  const { row, outcomes } = apply;
  const all = [...outcomes.values()];
  return {
    type: 'dream_apply',
    id: row.apply_id,
    dream_id: row.dream_id,
    memory_store_id: row.memory_store_id,
    state: row.state,
    applied_count: all.filter(isApplied).length,
    conflict_count: all.filter((one) => 'conflict' in one).length,
    rolled_back_count: all.filter(({ outcome }) => outcome === 'rolled_back').length,
    remaining_count: row.change_ids.length - row.reached,
    changes: shownOutcomes(apply),
    created_at: row.created_at,
    created_by: row.created_by,
    rolled_back_at: row.rolled_back_at,
    rolled_back_by: row.rolled_back_by,
  };
}

function shownOutcomes({ row, outcomes }: Apply): ShownOutcome[] {
  const done = [...outcomes.values()].map((one): ShownOutcome => {
    const { change_id, outcome } = one;
    const conflicts =
      'conflict' in one ? conflictsOf(one).map((each) => shownConflict(outcome, each)) : [];
    return { change_id, outcome, conflict: conflicts[0] ?? null, conflicts };
  });
  const pending = row.change_ids
    .filter((change_id) => !outcomes.has(change_id))
    .map((change_id): ShownOutcome => ({
      change_id,
      outcome: 'pending',
      conflict: null,
      conflicts: [],
    }));
  return [...done, ...pending];
}

function shownConflict(outcome: Outcome['outcome'], conflict: Conflict): ShownConflict {
  const { reason, path, memory_version_id = null } = conflict;
  const back = outcome === 'rollback_conflict' ? back_messages[reason] : undefined;
  return { reason, path, memory_version_id, message: back ?? messages[reason] };
}

const messages: Readonly<Record<ConflictReason, string>> = {
  changed:
    'Others have changed the memory, so it was left as it is. Read it; to replace it, decide again with its memory_version_id in replaces_memory_version_ids (accept, or edit with the text that you want), and apply again. Or restore the version that the change was made from and apply again, or reject the change.',
  missing:
    'The memory is not there any more, and was not brought back. Restore it and apply again, or reject the change.',
  path_taken:
    'Another memory, or a folder, is in the place, and was left there. Rename it and apply again; to replace a memory, decide again with its memory_version_id in replaces_memory_version_ids; or reject the change.',
  store_full: 'The store has no room for another memory. Delete some and try again.',
  too_large:
    'The change touches more memories than one transaction can hold. Write them yourself, and reject the change.',
  redacted:
    'What the change says, or was made from, was redacted since. Write the text that you want into the memory itself, and reject the change.',
  expired:
    'The version that it goes back to is not kept any more. Write the text that you want into the memory itself.',
};

/** Of what a rollback meets: the change is in the store, so nothing is decided there. */
const back_messages: Readonly<Partial<Record<ConflictReason, string>>> = {
  changed:
    'Others have changed the memory since, so it was left as it is. Write the text that you want into the memory itself; or bring back what the change had written, and roll back again.',
  missing:
    'Others have deleted the memory since, and it was not brought back. Restore it and roll back again, or leave it.',
  path_taken:
    'Another memory, or a folder, is in the place by now, and was left there. Rename it and roll back again.',
  redacted:
    'The version that it goes back to is redacted. Write the text that you want into the memory itself.',
};
