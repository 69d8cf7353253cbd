import type { Stored } from '../core/stored.ts';
import type { Key, Row } from '../core/table.ts';

/** `DREAM#<dream>` / `C#<change>`: what was decided last; a change without this row is proposed. */
export interface DecisionRow extends Row {
  readonly schema: 1;
  readonly change_id: string;
  readonly state: 'accepted' | 'rejected';
  /** What the operator wants instead of the dream's text. */
  readonly text?: Stored<string>;
  /** Versions that it may replace beside those it was made from. @default - none */
  readonly replaces?: readonly string[];
  readonly decided_at: string;
  /** Id of an API key. */
  readonly decided_by: string;
}

/**
 * `DREAM#<dream>` / `REVIEW`: what was accepted when an apply began is what it writes, because each
 * of the two demands that the other has not happened since it looked.
 */
export interface ReviewRow extends Row {
  readonly decisions_count: number;
  readonly applies_count: number;
}

/** `DREAM#<dream>` / `A#<apply>`: accepted changes on their way into a store, or out of it again. */
export interface ApplyRow extends Row {
  readonly schema: 1;
  readonly apply_id: string;
  readonly dream_id: string;
  readonly memory_store_id: string;
  readonly state: 'applying' | 'applied' | 'rolling_back' | 'rolled_back';
  /** Changes are gone through once a round; what was a conflict is tried again in the next. */
  readonly round: number;
  /** What this round goes through, in order. */
  readonly change_ids: readonly string[];
  /** How many of them are done with. */
  readonly reached: number;
  /** Whether the store had no index before. */
  readonly makes_index: boolean;
  /** Of the review when it began. */
  readonly decisions_count: number;
  readonly created_at: string;
  /** Id of an API key, or of the session of a dream that wrote into its own store. */
  readonly created_by: string;
  readonly rolled_back_at: string | null;
  readonly rolled_back_by: string | null;
}

/** `DREAM#<dream>` / `A#<apply>#<round>#<from>`: what one transaction did, written by that very one. */
export interface PartRow extends Row {
  readonly outcomes: readonly Outcome[];
}

export const conflict_reasons = [
  'changed',
  'missing',
  'path_taken',
  'store_full',
  'too_large',
  /** Of an apply: what the change says is redacted. Of a rollback: what it would go back to. */
  'redacted',
  'expired',
] as const;
export type ConflictReason = (typeof conflict_reasons)[number];

export interface Conflict {
  readonly reason: ConflictReason;
  /** Where; null when it is about the change as a whole. */
  readonly path: string | null;
  /** Of the memory that stands there. @default - none does, or it was not told yet */
  readonly memory_version_id?: string;
}

/** All that stood in the way of one change. */
export type Conflicts = readonly [Conflict, ...Conflict[]];

/** As an outcome keeps them: outcomes from before there were more than one have the first alone. */
interface Refused {
  readonly conflict: Conflict;
  /** @default - none */
  readonly more_conflicts?: readonly Conflict[];
}

export function refusedBy([conflict, ...more_conflicts]: Conflicts): Refused {
  return { conflict, ...(more_conflicts.length === 0 ? {} : { more_conflicts }) };
}

export function conflictsOf({ conflict, more_conflicts = [] }: Refused): Conflicts {
  return [conflict, ...more_conflicts];
}

/** What became of one change in one store. */
export type Outcome = { readonly change_id: string } & (
  | { readonly outcome: 'applied'; readonly written: readonly Written[] }
  | ({ readonly outcome: 'conflict' } & Refused)
  | { readonly outcome: 'rolled_back' }
  /** It stays applied. */
  | ({ readonly outcome: 'rollback_conflict'; readonly written: readonly Written[] } & Refused)
);

/** One memory that an apply has written: what a rollback needs, and no text that may be redacted. */
export interface Written {
  readonly path: string;
  readonly memory_id: string;
  /** Null when it was created. */
  readonly before_version_id: string | null;
  /** Null when it was deleted. */
  readonly after_sha256: string | null;
}

function keyOf(dream_id: string, sk: string): Key {
  return { pk: `DREAM#${dream_id}`, sk };
}

export function decisionKey(dream_id: string, change_id: string): Key {
  return keyOf(dream_id, `C#${change_id}`);
}

export function reviewKey(dream_id: string): Key {
  return keyOf(dream_id, 'REVIEW');
}

export function applyKey(dream_id: string, apply_id: string): Key {
  return keyOf(dream_id, `A#${apply_id}`);
}

export function partKey({ dream_id, apply_id, round, reached }: ApplyRow): Key {
  return keyOf(dream_id, `A#${apply_id}#${digits(round)}#${digits(reached)}`);
}

function digits(count: number): string {
  return String(count).padStart(6, '0');
}
