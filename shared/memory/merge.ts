import { limits } from '../core/limits.ts';
import { besidePath } from '../files/path.ts';
import type { MemoryOperation } from './changes.ts';
import type { MemoryRow } from './memory.ts';
import { faultOfPath, foldersOf } from './path.ts';
import type { StoreSnapshot } from './snapshots.ts';

/** What a path shall hold from now on. */
export interface Intent {
  readonly path: string;
  /** Undefined: nothing. */
  readonly next: { readonly text: string; readonly sha256: string } | undefined;
}

/** An intent that met another writer. Theirs stands. */
export interface MemoryConflict {
  readonly path: string;
  /** Where our text is kept; undefined when nothing of ours had to be kept. */
  readonly saved_as: string | undefined;
}

export interface Step {
  readonly operation: MemoryOperation;
  /** What is done when the operation is. */
  readonly intents: readonly Intent[];
}

export interface Merged {
  readonly steps: readonly Step[];
  readonly conflicts: readonly MemoryConflict[];
}

type Memories = ReadonlyMap<string, MemoryRow>;

/**
 * What must be done to a store as it is `now` so that what was intended by who saw it as `seen`
 * comes true: a three-way merge by paths. A memory that vanishes from one path and appears at
 * another is renamed.
 *
 * @param suffix Ends the names that keep ours beside theirs; the same for each try of one call.
 */
export function merge(
  intents: readonly Intent[],
  { seen, now }: { readonly seen: StoreSnapshot; readonly now: StoreSnapshot },
  suffix: string,
): Merged {
  const merging = new Merging(seen.memories, now.memories, suffix);
  const renames = renamesOf(intents, seen.memories, now.memories);
  const renamed = new Set(renames.flatMap((rename) => rename.intents));
  const left = intents.filter((intent) => !renamed.has(intent));
  // What frees a place comes before what takes it.
  for (const { from } of renames) merging.place.leave(from.sk);
  for (const intent of left) if (intent.next === undefined) merging.remove(intent);
  for (const rename of renames) merging.rename(rename);
  for (const intent of left) merging.set(intent);
  return merging;
}

class Merging implements Merged {
  readonly steps: Step[] = [];
  readonly conflicts: MemoryConflict[] = [];
  readonly place: Place;
  readonly #seen: Memories;
  readonly #now: Memories;
  readonly #suffix: string;

  constructor(seen: Memories, now: Memories, suffix: string) {
    this.place = new Place(now);
    this.#seen = seen;
    this.#now = now;
    this.#suffix = suffix;
  }

  remove(intent: Intent): void {
    const { path } = intent;
    const before = this.#now.get(path);
    if (before === undefined) return;
    if (!isSame(before, this.#seen.get(path))) {
      this.conflicts.push({ path, saved_as: undefined });
      return;
    }
    this.steps.push({ operation: { kind: 'delete', before }, intents: [intent] });
    this.place.leave(path);
  }

  rename({ from, to, intents }: Rename): void {
    const path = this.#placed(to.path, true);
    this.steps.push({ operation: { kind: 'write', before: from, path }, intents });
    this.place.take(path);
  }

  set(intent: Intent): void {
    const { path, next } = intent;
    const before = this.#now.get(path);
    if (next === undefined || before?.content_sha256 === next.sha256) return;
    const content = next.text;
    const is_seen = isSame(before, this.#seen.get(path));
    if (is_seen && before !== undefined) {
      this.steps.push({ operation: { kind: 'write', before, content }, intents: [intent] });
      return;
    }
    const at = this.#placed(path, is_seen);
    // Kept there by an earlier try of this call.
    if (this.#now.get(at)?.content_sha256 === next.sha256) return;
    this.steps.push({ operation: { kind: 'create', path: at, content }, intents: [intent] });
    this.place.take(at);
  }

  #placed(path: string, is_wanted: boolean): string {
    if (is_wanted && this.place.isFree(path)) return path;
    const saved_as = beside(path, this.place, this.#suffix);
    this.conflicts.push({ path, saved_as });
    return saved_as;
  }
}

/** Also a memory that was renamed, or deleted and made again, is not the same. */
function isSame(a: MemoryRow | undefined, b: MemoryRow | undefined): boolean {
  return a?.memory_version_id === b?.memory_version_id;
}

interface Rename extends Pick<Step, 'intents'> {
  readonly from: MemoryRow;
  readonly to: Intent;
}

/** A path that is emptied, and one that was free and gets just that content. */
function renamesOf(intents: readonly Intent[], seen: Memories, now: Memories): Rename[] {
  const emptied = new Map<string, Intent[]>();
  for (const intent of intents) {
    const before = seen.get(intent.path);
    const is_left = intent.next === undefined && isSame(before, now.get(intent.path));
    if (before === undefined || !is_left) continue;
    const same = emptied.get(before.content_sha256) ?? [];
    emptied.set(before.content_sha256, [...same, intent]);
  }
  return intents.flatMap((to): Rename[] => {
    if (to.next === undefined || seen.has(to.path) || now.has(to.path)) return [];
    const sources = emptied.get(to.next.sha256) ?? [];
    // Of several with the same content the one of that name.
    const source = sources.find(({ path }) => nameOf(path) === nameOf(to.path)) ?? sources[0];
    const from = source === undefined ? undefined : seen.get(source.path);
    if (source === undefined || from === undefined) return [];
    const rest = sources.filter((one) => one !== source);
    emptied.set(to.next.sha256, rest);
    return [{ from, to, intents: [source, to] }];
  });
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/'));
}

/** Which paths are taken by memories, and which lead to some. */
class Place {
  readonly #memories: Set<string>;
  readonly #below = new Map<string, number>();

  constructor(memories: Memories) {
    this.#memories = new Set();
    for (const path of memories.keys()) this.take(path);
  }

  take(path: string): void {
    this.#memories.add(path);
    for (const folder of foldersOf(path)) this.#count(folder, 1);
  }

  leave(path: string): void {
    this.#memories.delete(path);
    for (const folder of foldersOf(path)) this.#count(folder, -1);
  }

  #count(folder: string, by: number): void {
    this.#below.set(folder, (this.#below.get(folder) ?? 0) + by);
  }

  isFree(path: string): boolean {
    return !this.#memories.has(path) && (this.#below.get(path) ?? 0) === 0 && !this.above(path);
  }

  /** The memory that would have to be a folder for `path` to be. */
  above(path: string): string | undefined {
    return foldersOf(path).find((folder) => this.#memories.has(folder));
  }
}

const bounds = {
  name_bytes_max: limits.memory_path_bytes_max - 1,
  path_bytes_max: limits.memory_path_bytes_max,
  spare: '',
};

/** A path for what cannot have its own: the name, or that of the folder in the way, with a suffix. */
function beside(path: string, place: Place, suffix: string): string {
  const above = place.above(path);
  const wanted =
    above === undefined
      ? besidePath(path, suffix, bounds)
      : `${besidePath(above, suffix, bounds)}${path.slice(above.length)}`;
  if (faultOfPath(wanted) === undefined) return wanted;
  return besidePath(`/${nameOf(path).slice(1)}`, suffix, bounds);
}
