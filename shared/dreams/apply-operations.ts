import { INDEX_PATH, renderIndex } from '../playbooks/index-page.ts';
import { checkLedger } from './check-ledger.ts';
import type { Ledger, LedgerEntry } from './ledger.ts';
import { inputPaths, outputPath, type Operation } from './operation.ts';
import type { Edit } from './report.ts';
import type { Snapshot, SnapshotMemory } from './snapshot.ts';
import { splitText } from './split-text.ts';
import { structureFaults } from './structure.ts';

/** What operations make of a store. */
export interface Applied {
  /** Every memory afterwards, by its path. */
  readonly next: ReadonlyMap<string, string>;
  /** Only what differs; the index is the last, with the change id `index`. */
  readonly edits: readonly Edit[];
  readonly ledger: Ledger;
}

/** The change id of the index, which no operation may touch. */
export const INDEX_CHANGE = 'index';

/**
 * Apply operations to a copy of a store, and prove that every memory is accounted for. Each path
 * belongs to one operation at most, so any choice among operations can be applied as well.
 *
 * @throws BrokenLedger when the operations cannot be applied or their account does not close: the
 *   dream must fail rather than publish
 */
export function applyOperations(snapshot: Snapshot, operations: readonly Operation[]): Applied {
  const [fault] = structureFaults(snapshot, operations);
  if (fault !== undefined) throw new BrokenLedger([`${fault.change_id}: ${fault.text}`]);
  const before = new Map(snapshot.memories.map((memory) => [memory.path, memory]));
  const next = new Map(snapshot.memories.map(({ path, text }) => [path, text]));
  const changes = new Map<string, string>();
  for (const operation of operations) {
    for (const path of inputPaths(operation)) {
      next.delete(path);
      changes.set(path, operation.change_id);
    }
    const path = outputPath(operation);
    if (path === undefined || operation.op === 'retire') continue;
    for (const part of splitText(path, operation.text)) {
      next.set(part.path, part.text);
      changes.set(part.path, operation.change_id);
    }
  }
  if (operations.length > 0) {
    next.set(INDEX_PATH, renderIndex(next, before.get(INDEX_PATH)?.text));
    changes.set(INDEX_PATH, INDEX_CHANGE);
  }
  const ledger = ledgerOf(snapshot, operations, next);
  const faults = checkLedger(snapshot, next, ledger);
  if (faults.length > 0) throw new BrokenLedger(faults);
  return { next, edits: editsOf(before, next, changes), ledger };
}

/** A dream's account does not close. */
export class BrokenLedger extends Error {
  override readonly name = 'BrokenLedger';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`The ledger of the dream does not close: ${faults.slice(0, 5).join('; ')}.`);
    this.faults = faults;
  }
}

function ledgerOf(
  snapshot: Snapshot,
  operations: readonly Operation[],
  next: ReadonlyMap<string, string>,
): Ledger {
  const fates = new Map<string, LedgerEntry>();
  for (const memory of snapshot.memories) fates.set(memory.path, keptOr(memory, next));
  const existed = new Set(fates.keys());
  for (const operation of operations) {
    for (const path of fatedPaths(operation, existed)) {
      const entry = fates.get(path);
      if (entry !== undefined) fates.set(path, fateOf(operation, entry));
    }
  }
  const added = operations.flatMap((operation) => {
    const path = outputPath(operation);
    if (path === undefined || operation.op === 'retire') return [];
    const parts = splitText(path, operation.text).map((part) => part.path);
    return parts
      .filter((part) => !existed.has(part))
      .map((part) => ({ path: part, change_id: operation.change_id }));
  });
  if (next.has(INDEX_PATH) && !existed.has(INDEX_PATH)) {
    added.push({ path: INDEX_PATH, change_id: INDEX_CHANGE });
  }
  return { entries: [...fates.values()], added };
}

function keptOr(
  { memory_id, path, text }: SnapshotMemory,
  next: ReadonlyMap<string, string>,
): LedgerEntry {
  const is_revised = path === INDEX_PATH && next.get(path) !== text;
  return is_revised
    ? { memory_id, path, fate: 'revised', change_id: INDEX_CHANGE }
    : { memory_id, path, fate: 'kept' };
}

/** What it takes in, and the memory that it writes to without taking it in. */
function fatedPaths(operation: Operation, existed: ReadonlySet<string>): ReadonlySet<string> {
  const path = outputPath(operation);
  const written = path !== undefined && existed.has(path) ? [path] : [];
  return new Set([...inputPaths(operation), ...written]);
}

function fateOf(operation: Operation, { memory_id, path }: LedgerEntry): LedgerEntry {
  const { change_id } = operation;
  const own = { memory_id, path, change_id };
  switch (operation.op) {
    case 'add':
    case 'revise':
      return { ...own, fate: 'revised' };
    case 'merge':
      return { ...own, fate: 'merged', into_path: operation.path };
    case 'supersede': {
      const { by_path, loser } = operation;
      return path === operation.path
        ? { ...own, fate: 'superseded', by_path, loser }
        : { ...own, fate: 'revised' };
    }
    case 'retire':
      return { ...own, fate: 'retired', reason: operation.reason };
  }
}

function editsOf(
  before: ReadonlyMap<string, SnapshotMemory>,
  next: ReadonlyMap<string, string>,
  changes: ReadonlyMap<string, string>,
): Edit[] {
  return [...changes].flatMap(([path, change_id]) => {
    const memory = before.get(path);
    const after = next.get(path) ?? null;
    if ((memory?.text ?? null) === after) return [];
    const { memory_id, memory_version_id, text } = memory ?? {};
    const was =
      memory_id === undefined || memory_version_id === undefined || text === undefined
        ? null
        : { memory_id, memory_version_id, text };
    return [{ path, before: was, after, change_ids: [change_id] }];
  });
}
