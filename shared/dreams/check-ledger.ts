import type { Ledger, LedgerEntry } from './ledger.ts';
import type { Snapshot, SnapshotMemory } from './snapshot.ts';

/**
 * Prove an account by the two stores alone, without the operations that made it: each memory of the
 * input has exactly one end and that end is true, and nothing is in the new store that is neither
 * old nor named as new.
 *
 * @returns what does not close, as sentences; empty for a closed ledger
 */
export function checkLedger(
  snapshot: Snapshot,
  next: ReadonlyMap<string, string>,
  { entries, added }: Ledger,
): string[] {
  const faults: string[] = [];
  const memories = new Map(snapshot.memories.map((memory) => [memory.path, memory]));
  const seen = new Set<string>();
  for (const entry of entries) {
    const memory = memories.get(entry.path);
    if (memory === undefined || memory.memory_id !== entry.memory_id) {
      faults.push(`${entry.path} is accounted for and was never there`);
    } else if (seen.has(entry.path)) faults.push(`${entry.path} is accounted for twice`);
    else faults.push(...endFaults(entry, memory, next));
    seen.add(entry.path);
  }
  for (const path of memories.keys()) {
    if (!seen.has(path)) faults.push(`${path} is not accounted for`);
  }
  const named = added.map(({ path }) => path);
  return [...faults, ...newFaults(new Set(memories.keys()), next, new Set(named))];
}

function newFaults(
  old: ReadonlySet<string>,
  next: ReadonlyMap<string, string>,
  named: ReadonlySet<string>,
): string[] {
  const was_there = [...named].filter((path) => old.has(path));
  const not_there = [...named].filter((path) => !next.has(path));
  const unnamed = [...next.keys()].filter((path) => !old.has(path) && !named.has(path));
  return [
    ...was_there.map((path) => `${path} is called new and was there`),
    ...not_there.map((path) => `${path} is called new and is not there`),
    ...unnamed.map((path) => `${path} came from nowhere`),
  ];
}

function endFaults(
  entry: LedgerEntry,
  { path, text }: SnapshotMemory,
  next: ReadonlyMap<string, string>,
): string[] {
  const now = next.get(path);
  switch (entry.fate) {
    case 'kept':
      return now === text ? [] : [`${path} is called kept and is not as it was`];
    case 'revised':
      return now === undefined ? [`${path} is called revised and is gone`] : [];
    case 'merged':
      return goneInto(path, entry.into_path, next);
    case 'superseded':
      return goneInto(path, entry.by_path, next);
    case 'retired':
      return now === undefined ? [] : [`${path} is called retired and is still there`];
  }
}

/** What ended in favour of another memory, or stands at its own place with another text. */
function goneInto(path: string, into: string, next: ReadonlyMap<string, string>): string[] {
  if (!next.has(into)) return [`${path} ended in ${into}, which is not there`];
  if (path !== into && next.has(path)) return [`${path} ended in ${into} and is still there`];
  return [];
}
