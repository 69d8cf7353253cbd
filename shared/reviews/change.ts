import { invariant } from '../core/invariant.ts';
import type { Operation } from '../dreams/operation.ts';
import type { Snapshot, SnapshotMemory } from '../dreams/snapshot.ts';

/** What a change makes of one path. */
export interface Edit {
  readonly path: string;
  /** What the dream has found there; null for nothing. */
  readonly before: SnapshotMemory | null;
  /** Null when the memory ends. */
  readonly after: string | null;
}

/** An operation of a dream under review: it takes effect whole or not at all. */
export interface Change {
  readonly operation: Operation;
  /** One for each path; at most one of them leaves a text. */
  readonly edits: readonly Edit[];
}

/** In the order of the operations. */
export function changesOf(operations: readonly Operation[], snapshot: Snapshot): Change[] {
  const memories = new Map(snapshot.memories.map((memory) => [memory.path, memory]));
  return operations.map((operation) => ({
    operation,
    edits: [...afterOf(operation)].map(([path, after]) => ({
      path,
      before: memories.get(path) ?? null,
      after,
    })),
  }));
}

function afterOf(operation: Operation): Map<string, string | null> {
  const after = new Map<string, string | null>();
  switch (operation.op) {
    case 'add':
    case 'revise':
      return after.set(operation.path, operation.text);
    case 'retire':
      return after.set(operation.path, null);
    case 'supersede':
      return after.set(operation.path, null).set(operation.by_path, operation.text);
    case 'merge':
      for (const path of operation.paths) after.set(path, null);
      return after.set(operation.path, operation.text);
  }
}

/** The path where a change leaves a text; undefined when it only ends memories. */
export function textPath({ edits }: Change): string | undefined {
  return edits.find(({ after }) => after !== null)?.path;
}

/** The change with a text of the operator's own. */
export function withText(change: Change, text: string): Change {
  invariant(textPath(change) !== undefined, 'only a change that leaves a text is edited');
  return {
    ...change,
    edits: change.edits.map((edit) => (edit.after === null ? edit : { ...edit, after: text })),
  };
}
