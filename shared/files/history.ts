import { createHash } from 'node:crypto';
import { decodeTime } from 'ulid';
import * as z from 'zod';
import { limits } from '../core/limits.ts';
import type { Row, Table, Write } from '../core/table.ts';
import { entryOf, filesKey, type Author, type StoredEntry } from './entry.ts';
import type { Changed } from './manifest.ts';
import type { FilesOwner } from './outputs.ts';

/** One version of a path: who wrote it by which call, and what became of it. */
export interface FileVersion {
  readonly path: string;
  /** That of the entry. */
  readonly version: string;
  readonly kind: StoredEntry['kind'];
  readonly written_by: Author;
  readonly written_at: string;
  /** Null for folders and links, as the next. */
  readonly size_bytes: number | null;
  readonly sha256: string | null;
  /** Who wrote over it or removed it; null for what the path holds now. */
  readonly ended_by: (Author & { readonly at: string; readonly removed: boolean }) | null;
}

/**
 * `FILES#<session_id>` / `V#<hash of path>#<place>`: what a path held before. Only what was written over or
 * removed has one: the present version's author stands in its entry, so files that are written once
 * cost nothing. A path has `file_history_max` places, which are taken in turn.
 */
type PastRow = Row &
  Omit<FileVersion, 'ended_by'> & {
    readonly ended_by: Author;
    readonly ended_at: string;
    readonly removed: boolean;
  };

/** Writes of one change beside its entry's own. */
export const WRITES_PER_PAST = 1;

/**
 * What an entry knows of those before it. A path that was free goes on behind what it held before, though
 * nothing tells of that: each of its versions was a transaction, which the session's number has counted.
 *
 * @param session_version The manifest's, as the writer has read it.
 */
export function revisedFrom(
  base: StoredEntry | undefined,
  session_version: number,
): { readonly revision: number } {
  return { revision: (base === undefined ? session_version : (base.revision ?? 1)) + 1 };
}

/**
 * The row of what a change ends. A put without a condition: the entry's own guards the transaction,
 * and the place follows from the version that it has seen. A call that writes over its own version
 * leaves none.
 */
export function pastWrites(
  { session_id }: FilesOwner,
  { path, base, next }: Changed,
  author: Author,
  at: string,
): Write[] {
  if (base === undefined || base.version === next?.version) return [];
  if (base.written_by.event_id === author.event_id) return [];
  const row: PastRow = {
    pk: filesKey(session_id),
    sk: pastKey(path, (base.revision ?? 1) % limits.file_history_max),
    ...versionOf(base),
    ended_by: author,
    ended_at: at,
    removed: next === undefined,
  };
  return [{ put: row }];
}

/** The path's hash: a path itself may be as long as a sort key. */
function pastKey(path: string, place: number): string {
  const hash = createHash('sha256').update(path).digest('base64url');
  return `V#${hash}#${String(place).padStart(3, '0')}`;
}

function versionOf(entry: StoredEntry): Omit<FileVersion, 'ended_by'> {
  const { path, version, kind, written_by } = entry;
  const is_file = entry.kind === 'file';
  return {
    path,
    version,
    kind,
    written_by,
    // Not when the file says that it was modified: that is what a command has made of it (`touch -d`).
    written_at: new Date(decodeTime(version)).toISOString(),
    size_bytes: is_file ? entry.size_bytes : null,
    sha256: is_file ? entry.sha256 : null,
  };
}

const author = z.object({ thread_id: z.string(), event_id: z.string() });
const Past = z
  .object({
    path: z.string(),
    version: z.string(),
    kind: z.enum(['file', 'folder', 'link']),
    written_by: author,
    written_at: z.string(),
    size_bytes: z.int().nullable(),
    sha256: z.string().nullable(),
    ended_by: author,
    ended_at: z.string(),
    removed: z.boolean(),
  })
  .transform(({ ended_by, ended_at, removed, ...version }): FileVersion => ({
    ...version,
    ended_by: { ...ended_by, at: ended_at, removed },
  }));

/** What is kept of one path, the newest version first; empty for a path that never was. */
export async function historyOf(
  table: Table,
  session_id: string,
  path: string,
): Promise<FileVersion[]> {
  const pk = filesKey(session_id);
  const [present, past] = await Promise.all([
    table.get({ pk, sk: `F#${path}` }),
    allRows(table, pk, pastKey(path, 0), pastKey(path, limits.file_history_max - 1)),
  ]);
  const before = past.map((row) => Past.parse(row));
  const now = present === undefined ? [] : [presentOf(entryOf(present))];
  return [...now, ...before.toSorted(newestFirst)];
}

/** What is kept of every path of a session: what its threads have written. */
export async function* everyVersion(
  table: Table,
  session_id: string,
): AsyncGenerator<FileVersion[]> {
  const pk = filesKey(session_id);
  yield* pages(table, pk, { from: 'F#', to: 'F#\u{10ffff}' }, (row) => presentOf(entryOf(row)));
  yield* pages(table, pk, { from: 'V#', to: 'V#\u{10ffff}' }, (row) => Past.parse(row));
}

function presentOf(entry: StoredEntry): FileVersion {
  return { ...versionOf(entry), ended_by: null };
}

/** Versions are names that sort by time. */
function newestFirst(a: FileVersion, b: FileVersion): number {
  return a.version < b.version ? 1 : -1;
}

async function allRows(table: Table, pk: string, from: string, to: string): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const page of pages(table, pk, { from, to }, (row) => row)) rows.push(...page);
  return rows;
}

async function* pages<Item>(
  table: Table,
  pk: string,
  range: { readonly from: string; readonly to: string },
  itemOf: (row: Row) => Item,
): AsyncGenerator<Item[]> {
  let { from } = range;
  for (;;) {
    const { rows, more } = await table.query({ pk, from, to: range.to });
    yield rows.map(itemOf);
    const last = rows.at(-1);
    if (!more || last === undefined) return;
    from = `${last.sk}\0`;
  }
}
