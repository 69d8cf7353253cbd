import type { HeldEvidence } from './candidate.ts';

/** What every operation says of itself. */
interface Proposal {
  /** `c0001` and so on, in the order in which operations are applied. */
  readonly change_id: string;
  readonly reason: string;
  /** At least one, except of `duplicates`, which claim nothing new. */
  readonly evidence: readonly HeldEvidence[];
  /**
   * `duplicates`: memories of the input that say the same are put together. `counts`: code alone, by
   * the verdicts of sessions that used a playbook.
   */
  readonly source: 'model' | 'duplicates' | 'counts';
  /** What it says was redacted later, where it read or wrote it. @default - it was not */
  readonly redacted?: true;
}

/** Something that a revision leaves out, and why. */
export interface Removal {
  readonly what: string;
  readonly why: string;
}

/** What was believed until the evidence of a supersession. */
export interface Loser {
  readonly text: string;
  /** When it was last known to be believed: of its memory. */
  readonly at: string;
}

/** Texts are whole: what a memory holds afterwards, byte for byte. */
export type Operation = Proposal &
  (
    | { readonly op: 'add'; readonly path: string; readonly text: string }
    | {
        readonly op: 'revise';
        readonly path: string;
        readonly text: string;
        readonly removed: readonly Removal[];
      }
    /** All of `paths` end; `path` is new or one of them. */
    | {
        readonly op: 'merge';
        readonly paths: readonly string[];
        readonly path: string;
        readonly text: string;
        readonly removed: readonly Removal[];
      }
    /** `path` ends in favour of `by_path`, which may be itself, another memory or a new one. */
    | {
        readonly op: 'supersede';
        readonly path: string;
        readonly by_path: string;
        readonly text: string;
        readonly loser: Loser;
      }
    | { readonly op: 'retire'; readonly path: string }
  );

/** The memories that an operation is about and that must still be as they were. */
export function inputPaths(operation: Operation): readonly string[] {
  switch (operation.op) {
    case 'add':
      return [];
    case 'merge':
      return operation.paths;
    case 'revise':
    case 'supersede':
    case 'retire':
      return [operation.path];
  }
}

/** All memories that an operation takes in or leaves. */
export function pathsOf(operation: Operation): readonly string[] {
  const path = outputPath(operation);
  return [...new Set([...inputPaths(operation), ...(path === undefined ? [] : [path])])];
}

/** `c0001` of 1. */
export function changeId(n: number): string {
  return `c${String(n).padStart(4, '0')}`;
}

/** Where an operation leaves a text; undefined when it leaves none. */
export function outputPath(operation: Operation): string | undefined {
  if (operation.op === 'retire') return undefined;
  return operation.op === 'supersede' ? operation.by_path : operation.path;
}
