import * as z from 'zod';
import type { Clock } from '../core/clock.ts';
import { isAllSeen } from '../core/seen.ts';
import type { Key, Row, Table } from '../core/table.ts';
import { entryOf, filesKey, type Entry, type StoredEntry } from './entry.ts';

/** What a session holds in sum. Kept in the `HEAD` row by the transaction that changes an entry. */
export interface Totals {
  readonly files_count: number;
  /** Folders and links. */
  readonly folders_count: number;
  readonly size_bytes: number;
  /** The part of `size_bytes` that stands in rows. */
  readonly inline_bytes: number;
}

/** All entries of a session at one moment. */
export interface Manifest extends Totals {
  /** Grows by one with each transaction on the session's files; 0 before the first. */
  readonly version: number;
  readonly entries: ReadonlyMap<string, StoredEntry>;
  /** Whether it is all that there was at its version: see {@link isAllSeen}. */
  readonly is_whole: boolean;
}

const Head = z.object({
  version: z.int().default(0),
  files_count: z.int().default(0),
  folders_count: z.int().default(0),
  size_bytes: z.int().default(0),
  inline_bytes: z.int().default(0),
  changed_at: z.string().optional(),
});

/** Manifests of this many sessions stay in a function's memory: 50 sessions at once, and slack. */
const CACHED_MAX = 64;

/**
 * The manifests that this function knows. One is used again while its version is that of the head
 * row: a warm call costs one read, whatever the number of files.
 */
export class Manifests {
  readonly #table: Table;
  readonly #clock: Clock;
  readonly #known = new Map<string, Manifest>();

  constructor(table: Table, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
  }

  /**
   * @param beside Keys of further rows, read in the same request.
   * @returns the manifest, and those of `beside` that exist.
   */
  async read(
    session_id: string,
    beside: readonly Key[] = [],
  ): Promise<{ readonly manifest: Manifest; readonly rows: readonly Row[] }> {
    const pk = filesKey(session_id);
    const found = await this.#table.getMany([{ pk, sk: 'HEAD' }, ...beside]);
    const own = found.find((row) => row.pk === pk && row.sk === 'HEAD');
    const { changed_at, ...head } = Head.parse(own ?? {});
    const rows = found.filter((row) => row !== own);
    const known = this.#known.get(session_id);
    if (known?.version === head.version && known.is_whole) return { manifest: known, rows };
    const is_whole = isAllSeen(changed_at, this.#clock);
    // Entries written between the two reads are newer than the head: the next read of the head
    // differs from ours, so this manifest is not used again.
    const entries = head.version === 0 ? new Map() : await this.#entries(pk);
    const manifest = { ...head, entries, is_whole };
    this.#keep(session_id, manifest);
    return { manifest, rows };
  }

  /** What the session holds in sum, without its entries. */
  async totals(session_id: string): Promise<Totals> {
    return Head.parse((await this.#table.get({ pk: filesKey(session_id), sk: 'HEAD' })) ?? {});
  }

  async #entries(pk: string): Promise<Map<string, StoredEntry>> {
    const entries = new Map<string, StoredEntry>();
    let from = 'F#';
    for (;;) {
      const page = await this.#table.query({ pk, from, to: 'F#\u{10ffff}' });
      for (const row of page.rows) {
        const entry = entryOf(row);
        entries.set(entry.path, entry);
      }
      const last = page.rows.at(-1);
      if (!page.more || last === undefined) return entries;
      from = `${last.sk}\0`;
    }
  }

  /**
   * Follow one transaction of our own. When others wrote between, the head's version is ahead of
   * ours by their number, so what we kept is not used again.
   */
  follow(session_id: string, before: Manifest, changed: readonly Changed[]): Manifest {
    const entries = new Map(before.entries);
    for (const { path, next } of changed) {
      if (next === undefined) entries.delete(path);
      else entries.set(path, next);
    }
    const { version, is_whole } = before;
    const sums = addTotals(before, deltaOf(changed));
    const after = { ...sums, version: version + 1, entries, is_whole };
    this.#keep(session_id, after);
    return after;
  }

  #keep(session_id: string, manifest: Manifest): void {
    this.#known.delete(session_id);
    this.#known.set(session_id, manifest);
    const [oldest] = this.#known.keys();
    if (this.#known.size > CACHED_MAX && oldest !== undefined) this.#known.delete(oldest);
  }
}

/** One path before and after a write. */
export interface Changed {
  readonly path: string;
  readonly base: StoredEntry | undefined;
  readonly next: StoredEntry | undefined;
}

/** What writes add to the totals. */
export function deltaOf(
  changed: readonly { base: Entry | undefined; next: Entry | undefined }[],
): Totals {
  return changed.reduce<Totals>(
    (sum, { base, next }) => addTotals(addTotals(sum, totalsOf(next, 1)), totalsOf(base, -1)),
    { files_count: 0, folders_count: 0, size_bytes: 0, inline_bytes: 0 },
  );
}

function totalsOf(entry: Entry | undefined, sign: 1 | -1): Totals {
  const is_file = entry?.kind === 'file';
  return {
    files_count: is_file ? sign : 0,
    folders_count: entry === undefined || is_file ? 0 : sign,
    size_bytes: is_file ? sign * entry.size_bytes : 0,
    inline_bytes: is_file && 'inline' in entry.content ? sign * entry.size_bytes : 0,
  };
}

function addTotals(a: Totals, b: Totals): Totals {
  return {
    files_count: a.files_count + b.files_count,
    folders_count: a.folders_count + b.folders_count,
    size_bytes: a.size_bytes + b.size_bytes,
    inline_bytes: a.inline_bytes + b.inline_bytes,
  };
}
