import { inputPaths, outputPath, type Operation } from '../dreams/operation.ts';
import type { Snapshot, SnapshotMemory } from '../dreams/snapshot.ts';
import { splitText } from '../dreams/split-text.ts';

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
  /** One for each path, and no path in two changes of a dream. */
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
  const after = new Map<string, string | null>(inputPaths(operation).map((path) => [path, null]));
  const path = outputPath(operation);
  if (path === undefined || operation.op === 'retire') return after;
  for (const part of splitText(path, operation.text)) after.set(part.path, part.text);
  return after;
}

/**
 * The change with a text of the operator's own, which fits into one memory: what the dream's text
 * would have needed beside that is not made.
 */
export function withText(change: Change, text: string): Change {
  const path = outputPath(change.operation);
  return {
    ...change,
    edits: change.edits.flatMap((edit) => {
      if (edit.path === path) return [{ ...edit, after: text }];
      return edit.after === null ? [edit] : [];
    }),
  };
}

/** Whether what it says was redacted since: then it is on record, and can be written no more. */
export function isRedacted({ operation }: Change): boolean {
  return operation.redacted === true;
}

/** What a change leaves; null when it only ends memories. */
export function textOfChange({ operation }: Change): string | null {
  return operation.op === 'retire' ? null : operation.text;
}
