import type { Operation, VersionRow } from '../memory/memory.ts';
import { foldersOf } from '../memory/path.ts';

/** As much of a version as tells what a path held. */
export interface Glance {
  readonly memory_version_id: string;
  readonly operation: Operation;
  readonly created_at: string;
  /** Null once redacted. */
  readonly path: string | null;
  /** Null once redacted, and of a deletion. */
  readonly content_sha256: string | null;
}

/** A memory that was there at a time. */
export interface Held {
  readonly memory_id: string;
  readonly memory_version_id: string;
  readonly path: string;
  readonly content_sha256: string;
}

/** A memory that was, or may have been, there at a time, and whose text of that time is gone. */
export interface Lost {
  readonly memory_id: string;
  /** Where it is now; null when it is nowhere. */
  readonly path: string | null;
  readonly reason: 'redacted' | 'expired';
}

/** The end of time, so to speak: what stands now. */
export const NOW = '~';

/** The versions of one memory that are left. */
export interface Span {
  readonly first_at: string;
  readonly newest: Glance;
}

/** The versions of one memory, seen from some times. */
interface Life {
  /** Whether its first version is left. */
  readonly is_whole: boolean;
  readonly first_at: string;
  readonly glances: (Glance | undefined)[];
  newest: Glance;
}

/**
 * What a store held at some times, by its versions in the order of their ids. Keeps a few hundred
 * bytes a memory, whatever the number of versions.
 */
export class Past {
  readonly #times: readonly string[];
  readonly #lives = new Map<string, Life>();

  /** @param times RFC 3339 in UTC with milliseconds, or {@link NOW}. */
  constructor(times: readonly string[]) {
    this.#times = times;
  }

  add(row: VersionRow): void {
    const glance: Glance = {
      memory_version_id: row.memory_version_id,
      operation: row.operation,
      created_at: row.created_at,
      path: row.path,
      content_sha256: row.content_sha256,
    };
    const life = this.#lives.get(row.memory_id) ?? {
      is_whole: row.operation === 'created',
      first_at: row.created_at,
      glances: [],
      newest: glance,
    };
    this.#times.forEach((time, index) => {
      if (row.created_at <= time) life.glances[index] = glance;
    });
    life.newest = glance;
    this.#lives.set(row.memory_id, life);
  }

  /** Every memory that the store has ever held. */
  get spans(): ReadonlyMap<string, Span> {
    return this.#lives;
  }

  /** What the store held at the time with this index. No path is above, below or at another's. */
  at(index: number): { readonly held: Map<string, Held>; readonly lost: Lost[] } {
    const held: Held[] = [];
    const lost: Lost[] = [];
    for (const [memory_id, life] of this.#lives) {
      const glance = life.glances[index];
      const reason = reasonOf(life, glance);
      if (reason !== undefined) {
        const path = life.newest.operation === 'deleted' ? null : life.newest.path;
        lost.push({ memory_id, path, reason });
      } else if (glance !== undefined && glance.operation !== 'deleted') {
        held.push(heldOf(memory_id, glance));
      }
    }
    return { held: withoutOverlaps(held), lost };
  }
}

function heldOf(memory_id: string, glance: Glance): Held {
  const { memory_version_id, path, content_sha256 } = glance;
  return { memory_id, memory_version_id, path: path ?? '', content_sha256: content_sha256 ?? '' };
}

function reasonOf(life: Life, glance: Glance | undefined): Lost['reason'] | undefined {
  if (glance === undefined) return life.is_whole ? undefined : 'expired';
  return glance.path === null && glance.operation !== 'deleted' ? 'redacted' : undefined;
}

/**
 * Functions' clocks differ by some milliseconds, so a time may fall between the version that leaves
 * a path and an earlier dated one that took it afterwards. Then the later one had it.
 */
function withoutOverlaps(held: readonly Held[]): Map<string, Held> {
  const taken = new Places();
  const kept = held
    .toSorted((a, b) => (a.memory_version_id < b.memory_version_id ? 1 : -1))
    .filter(({ path, memory_id }) => taken.take(path, memory_id));
  return new Map(kept.map((memory) => [memory.memory_id, memory]));
}

/** Paths that are taken, of which none leads through another. */
export class Places {
  readonly #memories = new Map<string, string>();
  readonly #folders = new Set<string>();

  /** Whether no other memory is at this path, above or below it. */
  isFree(path: string, memory_id: string): boolean {
    const own = this.#memories.get(path);
    if (own !== undefined) return own === memory_id;
    if (this.#folders.has(path)) return false;
    return foldersOf(path).every((folder) => !this.#memories.has(folder));
  }

  /** @returns false, and takes nothing, where the path is not free */
  take(path: string, memory_id: string): boolean {
    if (!this.isFree(path, memory_id)) return false;
    this.#memories.set(path, memory_id);
    for (const folder of foldersOf(path)) this.#folders.add(folder);
    return true;
  }
}
