import { limits } from '../core/limits.ts';
import type { MemoryOperation } from './changes.ts';
import { foldersOf } from './path.ts';

/** The head, and the answer that a POST with an `Idempotency-Key` leaves. */
const COMMON_WRITES = 2;

/**
 * Split operations into batches that fit into one transaction each. Whoever takes a place comes in
 * the same batch as, or in one after, whoever leaves it; those that wait for one another in a ring
 * stay together while they fit.
 */
export function splitOperations(operations: readonly MemoryOperation[]): MemoryOperation[][] {
  const batches: MemoryOperation[][] = [];
  let keys = new Set<string>();
  for (const group of rings(operations)) {
    const own = group.flatMap(keysOf);
    const together = new Set([...keys, ...own]);
    const last = batches.at(-1);
    if (last !== undefined && together.size + COMMON_WRITES <= limits.transaction_writes_max) {
      last.push(...group);
      keys = together;
      continue;
    }
    for (const batch of cut(group)) batches.push(batch);
    keys = new Set(batches.at(-1)?.flatMap(keysOf));
  }
  return batches;
}

/** Whether operations and so many other rows can be one transaction. */
export function fitsTransaction(
  operations: readonly MemoryOperation[],
  others_count: number,
): boolean {
  const rows = new Set(operations.flatMap(keysOf));
  return rows.size + COMMON_WRITES + others_count <= limits.transaction_writes_max;
}

/** A ring that is larger than a transaction cannot be kept: whoever finds its place taken is told. */
function cut(group: readonly MemoryOperation[]): MemoryOperation[][] {
  const batches: MemoryOperation[][] = [[]];
  let keys = new Set<string>();
  for (const operation of group) {
    const together = new Set([...keys, ...keysOf(operation)]);
    const fits = together.size + COMMON_WRITES <= limits.transaction_writes_max;
    if (fits) batches.at(-1)?.push(operation);
    else batches.push([operation]);
    keys = fits ? together : new Set(keysOf(operation));
  }
  return batches;
}

/** A name for each row that an operation may write. */
function keysOf(operation: MemoryOperation): string[] {
  const left = leftBy(operation);
  const taken = takenBy(operation);
  const id = operation.kind === 'create' ? operation.path : operation.before.memory_id;
  const own = [`pointer ${id}`, `version ${id}`, `version before ${id}`];
  return [left, taken].reduce<string[]>(
    (keys, path) => (path === undefined ? keys : [...keys, path, ...foldersOf(path)]),
    own,
  );
}

function leftBy(operation: MemoryOperation): string | undefined {
  return operation.kind === 'create' ? undefined : operation.before.sk;
}

function takenBy(operation: MemoryOperation): string | undefined {
  if (operation.kind === 'delete') return undefined;
  return operation.kind === 'create' ? operation.path : (operation.path ?? operation.before.sk);
}

/**
 * Groups of operations that wait for one another's places, those that others wait for first:
 * Tarjan's strongly connected components, which come out in that order. Written without recursion,
 * since a chain may be as long as a store.
 */
function rings(operations: readonly MemoryOperation[]): MemoryOperation[][] {
  const waits_for = waiting(operations);
  const order = new Map<number, number>();
  const low = new Map<number, number>();
  const open: number[] = [];
  const is_open = new Set<number>();
  const groups: MemoryOperation[][] = [];
  const enter = (node: number) => {
    order.set(node, order.size);
    low.set(node, order.size - 1);
    open.push(node);
    is_open.add(node);
    return { node, next: 0 };
  };
  const lower = (node: number, to: number | undefined) => {
    low.set(node, Math.min(low.get(node) ?? 0, to ?? 0));
  };
  const close = (node: number) => {
    const members = open.splice(open.indexOf(node));
    for (const member of members) is_open.delete(member);
    groups.push(members.flatMap((member) => operations[member] ?? []));
  };
  for (const start of operations.keys()) {
    if (order.has(start)) continue;
    const path = [enter(start)];
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const { node } = top;
      const other = waits_for[node]?.[top.next++];
      if (other === undefined) {
        path.pop();
        if (low.get(node) === order.get(node)) close(node);
        const parent = path.at(-1);
        if (parent !== undefined) lower(parent.node, low.get(node));
      } else if (!order.has(other)) path.push(enter(other));
      else if (is_open.has(other)) lower(node, order.get(other));
    }
  }
  return groups;
}

/** For each operation the others that leave what it takes, or what is above or below that. */
function waiting(operations: readonly MemoryOperation[]): number[][] {
  const leaving = new Map<string, number>();
  const leaving_below = new Map<string, number[]>();
  for (const [index, operation] of operations.entries()) {
    const left = leftBy(operation);
    if (left === undefined || left === takenBy(operation)) continue;
    leaving.set(left, index);
    for (const folder of foldersOf(left)) {
      const below = leaving_below.get(folder) ?? [];
      below.push(index);
      leaving_below.set(folder, below);
    }
  }
  return operations.map((operation, index) => {
    const taken = takenBy(operation);
    if (taken === undefined) return [];
    const above = [taken, ...foldersOf(taken)].flatMap((path) => leaving.get(path) ?? []);
    return [...above, ...(leaving_below.get(taken) ?? [])].filter((other) => other !== index);
  });
}
