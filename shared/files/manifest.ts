import * as z from 'zod';
import type { Clock } from '../core/clock.ts';
import { limits } from '../core/limits.ts';
import { isAllSeen } from '../core/seen.ts';
import type { Key, Row, Table } from '../core/table.ts';
import { entryOf, filesKey, type Entry, type StoredEntry } from './entry.ts';
import { changedBetween, tagOf, toldBy, type Told } from './told.ts';

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
  /** The last transactions that the head told of when it was read. */
  readonly told: readonly Told[];
}

const Head = z.object({
  version: z.int().default(0),
  files_count: z.int().default(0),
  folders_count: z.int().default(0),
  size_bytes: z.int().default(0),
  inline_bytes: z.int().default(0),
  changed_at: z.string().optional(),
});
/** What the head row says of a manifest. */
type Head = Omit<Manifest, 'entries' | 'is_whole'>;

function headOf(row: Row | undefined): { head: Head; changed_at: string | undefined } {
  const { changed_at, ...sums } = Head.parse(row ?? {});
  return { head: { ...sums, told: row === undefined ? [] : toldBy(row) }, changed_at };
}

/** What a function knows of a session's files. */
interface Known {
  /** As last read, or as one's own transaction has left it where nobody came between. */
  readonly latest: Manifest;
  /** The newest that was all that there was: what was changed since is read. */
  readonly whole: Manifest | undefined;
}

/** Manifests of this many sessions stay in a function's memory: 50 sessions at once, and slack. */
const CACHED_MAX = 64;

/**
 * The manifests that this function knows. One is used again while its version is that of the head
 * row: a warm call costs one read, whatever the number of files. Where others have written since and the
 * head tells what, that is read; else all is.
 */
export class Manifests {
  readonly #table: Table;
  readonly #clock: Clock;
  readonly #known = new Map<string, Known>();

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
    // From before the read: what calls beside us leave meanwhile may have the head's number by chance.
    const { latest, whole } = this.#known.get(session_id) ?? {};
    const found = await this.#table.getMany([{ pk, sk: 'HEAD' }, ...beside]);
    const own = found.find((row) => row.pk === pk && row.sk === 'HEAD');
    const { head, changed_at } = headOf(own);
    const rows = found.filter((row) => row !== own);
    const manifest =
      latest?.version === head.version && latest.is_whole
        ? { ...latest, told: head.told }
        : ((await this.#caughtUp(pk, whole, head)) ?? (await this.#listed(pk, head, changed_at)));
    this.#keep(session_id, manifest, manifest.is_whole ? manifest : whole);
    return { manifest, rows };
  }

  /** What is known to have been whole, with what was changed since. Undefined where that is not told. */
  async #caughtUp(
    pk: string,
    whole: Manifest | undefined,
    head: Head,
  ): Promise<Manifest | undefined> {
    if (whole === undefined) return undefined;
    const changed = changedBetween(head.told, whole.version, head.version);
    if (changed === undefined || changed.size > limits.told_reads_max) return undefined;
    const keys = [...changed.keys()].map((path) => ({ pk, sk: `F#${path}` }));
    const entries = new Map(whole.entries);
    for (const path of changed.keys()) entries.delete(path);
    for (const row of await this.#table.getMany(keys)) {
      const entry = entryOf(row);
      entries.set(entry.path, entry);
    }
    return { ...head, entries, is_whole: holds(entries, changed) };
  }

  async #listed(pk: string, head: Head, changed_at: string | undefined): Promise<Manifest> {
    // Entries written between the two reads are newer than the head: the next read of the head
    // differs from ours, so this manifest is not used again.
    const entries = head.version === 0 ? new Map<string, StoredEntry>() : await this.#entries(pk);
    const is_whole = isAllSeen(changed_at, this.#clock) || this.#isSeen(head, entries);
    return { ...head, entries, is_whole };
  }

  /** Whether entries are as those transactions have left them that may not be seen yet. */
  #isSeen({ told, version }: Head, entries: Manifest['entries']): boolean {
    const old = told.findLast(({ at_ms }) => isAllSeen(new Date(at_ms).toISOString(), this.#clock));
    const changed = old && changedBetween(told, old.before, version);
    return changed !== undefined && holds(entries, changed);
  }

  /** What the session holds in sum, without its entries. */
  async totals(session_id: string): Promise<Totals> {
    return headOf(await this.#table.get({ pk: filesKey(session_id), sk: 'HEAD' })).head;
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
    const { version, is_whole, told } = before;
    const sums = addTotals(before, deltaOf(changed));
    const after = { ...sums, version: version + 1, entries, is_whole, told };
    this.#keep(session_id, after, this.#known.get(session_id)?.whole);
    return after;
  }

  #keep(session_id: string, latest: Manifest, whole: Manifest | undefined): void {
    this.#known.delete(session_id);
    this.#known.set(session_id, { latest, whole });
    const [oldest] = this.#known.keys();
    if (this.#known.size > CACHED_MAX && oldest !== undefined) this.#known.delete(oldest);
  }
}

/** Whether each of the changed paths holds what it was left with. */
function holds(entries: Manifest['entries'], changed: ReadonlyMap<string, string>): boolean {
  return [...changed].every(([path, tag]) => tagOf(entries.get(path)) === tag);
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
