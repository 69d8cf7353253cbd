import { limits } from '../core/limits.ts';
import { sha256Of } from '../memory/content.ts';
import type { MemoryOperation, Returning } from '../memory/changes.ts';
import type { MemoryRow, PathRow } from '../memory/memory.ts';
import { fitsTransaction } from '../memory/split.ts';
import type { Change, Edit } from './change.ts';
import type { Conflict, ConflictReason, Conflicts, Written } from './review-rows.ts';

/** What must be written for one change, with the store as it is. */
export type Plan =
  | { readonly is: 'due'; readonly steps: readonly Step[] }
  /** All that stands in the way, by path, as far as an outcome holds it. */
  | { readonly is: 'conflict'; readonly conflicts: Conflicts };

/** One memory's operation; what it replaces is what a rollback brings back. */
export interface Step {
  readonly path: string;
  readonly operation: MemoryOperation;
}

export type Held = ReadonlyMap<string, PathRow>;

/**
 * What a change asks for where each path still holds what the change was made from. By content and
 * not by version: so a change can go to another store with the same text, and again after a
 * rollback. A path that holds what it is to hold already is left alone. Beside that text it may
 * replace versions that somebody has named, having seen them.
 */
export function planApply({ edits, ...how }: PlannedChange, held: Held): Plan {
  return gathered(edits.map((edit) => planEdit(edit, held.get(edit.path), how)));
}

/** A change as it is to be applied. */
interface PlannedChange extends Pick<Change, 'edits'> {
  /** The dream, where its text is taken as it is. */
  readonly dreamt_by?: string | undefined;
  /** Ids of versions. @default - none */
  readonly replaces?: readonly string[] | undefined;
}

type Planned = Step | Conflict | undefined;

function planEdit(
  edit: Edit,
  row: PathRow | undefined,
  { dreamt_by, replaces = [] }: Omit<PlannedChange, 'edits'>,
): Planned {
  const { path, before, after } = edit;
  const memory = row?.kind === 'memory' ? row : undefined;
  if (memory?.content_sha256 === (after === null ? undefined : sha256Of(after))) return undefined;
  if (memory === undefined || !(holds(memory, before) || isNamed(memory, replaces))) {
    return planElse(edit, row, dreamt_by);
  }
  if (after === null) return { path, operation: { kind: 'delete', before: memory } };
  return { path, operation: { kind: 'write', before: memory, content: after, dreamt_by } };
}

/** Of a path that holds nothing which the change may replace. */
function planElse(
  { path, before, after }: Edit,
  row: PathRow | undefined,
  dreamt_by: string | undefined,
): Planned {
  const memory = row?.kind === 'memory' ? row : undefined;
  if (before !== null) {
    return conflictAt(path, memory === undefined ? 'missing' : 'changed', memory);
  }
  if (after === null) return undefined;
  if (row !== undefined) return conflictAt(path, 'path_taken', memory);
  return { path, operation: { kind: 'create', path, content: after, dreamt_by } };
}

function holds({ content_sha256 }: MemoryRow, before: Edit['before']): boolean {
  return before !== null && content_sha256 === sha256Of(before.text);
}

function isNamed({ memory_version_id }: MemoryRow, replaces: readonly string[]): boolean {
  return replaces.includes(memory_version_id);
}

function conflictAt(path: string, reason: ConflictReason, there?: MemoryRow): Conflict {
  const version = there && { memory_version_id: there.memory_version_id };
  return { path, reason, ...version };
}

function gathered(planned: readonly Planned[]): Plan {
  const steps: Step[] = [];
  const conflicts: Conflict[] = [];
  for (const each of planned) {
    if (each === undefined) continue;
    if ('reason' in each) conflicts.push(each);
    else steps.push(each);
  }
  const [first, ...more] = conflicts.slice(0, limits.change_conflicts_max);
  if (first === undefined) return { is: 'due', steps };
  return { is: 'conflict', conflicts: [first, ...more] };
}

/** A memory that an apply has written, with what is known of it now. */
export interface Undo extends Written {
  /** What it held before: a text, or why that is gone; undefined when it was created. */
  readonly past: { readonly text: string } | { readonly gone: 'redacted' | 'expired' } | undefined;
  /** Where the memory is now; undefined when it is nowhere. */
  readonly now: MemoryRow | undefined;
  /** Of a memory that is nowhere and had been somewhere. */
  readonly returns: Returning | undefined;
}

/** What takes one change back, where nobody has touched since what the change wrote. */
export function planRollback(undos: readonly Undo[], held: Held): Plan {
  return gathered(undos.map((undo) => planUndo(undo, held.get(undo.path))));
}

function planUndo(undo: Undo, row: PathRow | undefined): Planned {
  const { past, now } = undo;
  if (past === undefined) return now === undefined ? undefined : planRemoval(undo, now);
  if ('gone' in past) return conflictAt(undo.path, past.gone);
  return now === undefined ? planReturn(undo, past.text, row) : planRewrite(undo, now, past.text);
}

function planRemoval({ path, after_sha256 }: Undo, now: MemoryRow): Planned {
  const is_ours = now.sk === path && now.content_sha256 === after_sha256;
  if (!is_ours) return conflictAt(path, 'changed', now);
  return { path, operation: { kind: 'delete', before: now } };
}

function planRewrite({ path, after_sha256 }: Undo, now: MemoryRow, content: string): Planned {
  if (now.sk !== path) return conflictAt(path, 'changed', now);
  if (now.content_sha256 === sha256Of(content)) return undefined;
  if (now.content_sha256 !== after_sha256) return conflictAt(path, 'changed', now);
  return { path, operation: { kind: 'write', before: now, content } };
}

/** A memory that the apply has not deleted and that is gone was deleted by somebody else. */
function planReturn(undo: Undo, content: string, row: PathRow | undefined): Planned {
  const { path, after_sha256, returns } = undo;
  if (after_sha256 !== null) return conflictAt(path, 'missing');
  if (row !== undefined) return conflictAt(path, 'path_taken');
  return { path, operation: { kind: 'create', path, content, ...(returns && { returns }) } };
}

/** Rows of a part beside its memories: the apply, and what became of its changes. */
const OWN_WRITES = 2;

/** How many of the plans, from the first on, are one transaction; 0 when the first alone is too large. */
export function partOf(plans: readonly Plan[]): number {
  const operations: MemoryOperation[] = [];
  let conflicts_count = 0;
  for (const [index, plan] of plans.entries()) {
    if (plan.is === 'due') operations.push(...plan.steps.map((step) => step.operation));
    else conflicts_count += plan.conflicts.length;
    if (!fitsTransaction(operations, OWN_WRITES)) return index;
    // They are told in one row, and a path may be long. One change alone has no more of them.
    if (conflicts_count > limits.change_conflicts_max) return index;
  }
  return plans.length;
}
