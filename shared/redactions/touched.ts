import { inputPaths, type Operation } from '../dreams/operation.ts';
import type { Snapshot, SnapshotMemory } from '../dreams/snapshot.ts';
import { splitTrailer } from '../playbooks/trailer.ts';
import type { Change } from '../reviews/change.ts';
import type { DecisionRow } from '../reviews/review-rows.ts';
import type { GoneVersion } from './redaction.ts';
import { repeating } from './passages.ts';
import { nameFor, type Touched } from './scrub.ts';

/** What is known of a dream that has something which is gone. */
export interface Holding {
  readonly snapshot: Snapshot;
  /** Memories of it that are gone. */
  readonly found: readonly SnapshotMemory[];
  /** The version, where these are the dream's own words. */
  readonly written: GoneVersion | undefined;
  /** Decisions with an operator's words that are gone. */
  readonly own: readonly DecisionRow[];
  readonly changes: readonly Change[];
}

/**
 * What of a dream must go: changes that took in or left what is gone, those that repeat a passage of it,
 * and those whose text an operator has replaced by it, since theirs is most likely much the same.
 */
export function touchedBy({ snapshot, found, written, own, changes }: Holding): Touched {
  const version_ids = new Set(found.map(({ memory_version_id }) => memory_version_id));
  const names = new Map(found.map(({ path, memory_id }) => [path, nameFor(memory_id)]));
  if (written !== undefined && written.path !== null) {
    names.set(written.path, nameFor(written.memory_id));
  }
  const repeats = repeatedBy(snapshot, version_ids, changes);
  const decided = new Set(own.map(({ change_id }) => change_id));
  const touched = changes.filter(
    ({ operation, edits }, index) =>
      // Somebody has died here: what was begun is brought to its end.
      operation.redacted === true ||
      decided.has(operation.change_id) ||
      inputPaths(operation).some((path) => names.has(path)) ||
      edits.some(({ path }) => names.has(path)) ||
      repeats[index] === true,
  );
  const change_ids = new Set(touched.map(({ operation }) => operation.change_id));
  return { version_ids, names, change_ids };
}

/** Which changes repeat a line that nothing but what is gone holds. */
function repeatedBy(
  snapshot: Snapshot,
  version_ids: ReadonlySet<string>,
  changes: readonly Change[],
): boolean[] {
  const isGone = ({ memory_version_id }: SnapshotMemory): boolean =>
    version_ids.has(memory_version_id);
  const bodies = (memories: readonly SnapshotMemory[]): string[] =>
    memories.map(({ text }) => splitTrailer(text).body);
  return repeating(
    bodies(snapshot.memories.filter(isGone)),
    bodies(snapshot.memories.filter((memory) => !isGone(memory))),
    changes.map(({ operation }) => wordsOf(operation)),
  );
}

function wordsOf(operation: Operation): string {
  const { reason, evidence } = operation;
  const said = [reason, ...evidence.map(({ quote }) => quote)];
  if ('text' in operation) said.push(operation.text);
  if ('loser' in operation) said.push(operation.loser.text);
  if ('removed' in operation)
    said.push(...operation.removed.flatMap(({ what, why }) => [what, why]));
  return said.join('\n');
}
