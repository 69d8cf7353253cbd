import { invariant } from '../core/invariant.ts';
import type { MemoryOperation, Returning } from '../memory/changes.ts';
import type { MemoryRow } from '../memory/memory.ts';
import { splitOperations } from '../memory/split.ts';
import { Places, type Held, type Lost, type Span } from './past.ts';

/**
 * One write of a restore. It names versions and no paths: it may be kept until the next request, and
 * redacting a version must leave no path behind.
 */
export interface Step {
  readonly kind: MemoryOperation['kind'];
  readonly memory_id: string;
  /** Its newest version when the restore began: another one then is somebody else's write. */
  readonly seen: string;
  /** The version that is to be again; absent of a deletion. */
  readonly source?: string;
  /** Of a memory that comes back. */
  readonly returns?: Returning;
}

/** A memory that is left as it is, and why. */
export interface Unavailable {
  /** Where the memory is or was to be; null when only a version that is gone could tell. */
  readonly path: string | null;
  readonly memory_id: string;
  readonly reason: 'redacted' | 'expired' | 'path_taken';
}

export interface Plan {
  /** Each fits into one transaction; whoever takes a place comes no sooner than it is left. */
  readonly batches: readonly (readonly Step[])[];
  readonly unchanged_count: number;
  readonly unavailable: readonly Unavailable[];
}

/** What a store holds: its memories, and the life of each that it has ever held. */
export interface Present {
  readonly memories: ReadonlyMap<string, MemoryRow>;
  readonly spans: ReadonlyMap<string, Span>;
}

/** What it held at a time, by memory; and what it held then that is gone for good. */
export interface Then {
  readonly held: ReadonlyMap<string, Held>;
  readonly lost: readonly Lost[];
}

/**
 * What leads from what a store holds to what it held. Memories are taken by their ids, so who was
 * deleted comes back as who it was. A memory whose old text is gone stays as it is, and so does one
 * whose place it holds.
 */
export function planRestore(present: Present, { held, lost }: Then): Plan {
  const { memories } = present;
  const { possible, blocked } = splitBlocked([...held.values()], lost, memories);
  const changes = possible.filter((wanted) => isChange(wanted, memories.get(wanted.memory_id)));
  const kept = new Set(lost.map(({ memory_id }) => memory_id));
  const gone = [...memories.values()].filter(
    ({ memory_id }) => !held.has(memory_id) && !kept.has(memory_id),
  );
  const steps = new Map<MemoryOperation, Step>([
    ...gone.map(deletion),
    ...changes.map((wanted) => change(wanted, present)),
  ]);
  const batches = splitOperations([...steps.keys()]);
  return {
    batches: batches.map((batch) => batch.flatMap((operation) => steps.get(operation) ?? [])),
    unchanged_count: possible.length - changes.length,
    unavailable: [...lost, ...blocked],
  };
}

/** Who must stay keeps others from their places, and those then stay where they are, and so on. */
function splitBlocked(held: readonly Held[], lost: readonly Lost[], memories: Present['memories']) {
  const stays = new Places();
  const stay = (memory_id: string): void => {
    const path = memories.get(memory_id)?.sk;
    if (path !== undefined) stays.take(path, memory_id);
  };
  for (const { memory_id } of lost) stay(memory_id);
  const blocked: Unavailable[] = [];
  for (let possible = held; ;) {
    const free = possible.filter(({ path, memory_id }) => stays.isFree(path, memory_id));
    if (free.length === possible.length) return { possible, blocked };
    const still = new Set(free);
    for (const wanted of possible) {
      if (still.has(wanted)) continue;
      const { path, memory_id } = wanted;
      blocked.push({ path, memory_id, reason: 'path_taken' });
      stay(memory_id);
    }
    possible = free;
  }
}

function isChange(wanted: Held, row: MemoryRow | undefined): boolean {
  return row?.sk !== wanted.path || row.content_sha256 !== wanted.content_sha256;
}

function deletion(before: MemoryRow): [MemoryOperation, Step] {
  const { memory_id, memory_version_id: seen } = before;
  return [
    { kind: 'delete', before },
    { kind: 'delete', memory_id, seen },
  ];
}

/** The operation is for its paths only: the text is read when it is written. */
function change(wanted: Held, { memories, spans }: Present): [MemoryOperation, Step] {
  const { path, memory_id, memory_version_id: source } = wanted;
  const before = memories.get(memory_id);
  if (before !== undefined) {
    const seen = before.memory_version_id;
    return [
      { kind: 'write', before, path },
      { kind: 'write', memory_id, seen, source },
    ];
  }
  const span = spans.get(memory_id);
  invariant(span !== undefined, 'what was held has versions');
  const { first_at: created_at, newest } = span;
  const seen = newest.memory_version_id;
  const returns = { memory_id, created_at, deleted_at: newest.created_at };
  return [
    { kind: 'create', path, content: '' },
    { kind: 'create', memory_id, seen, source, returns },
  ];
}
