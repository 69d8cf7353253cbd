import * as z from 'zod';
import type { Row } from '../core/table.ts';

/** Where the bytes of a file are: in its row, or a part of an object in the bucket. */
export type Content =
  | { readonly inline: Uint8Array }
  | { readonly key: string; readonly offset: number };

/** Who wrote a file: the thread and the event of its tool call, or a name for the platform itself. */
export interface Author {
  readonly thread_id: string;
  readonly event_id: string;
}

interface Named {
  /** In the form of {@link normalPath}. */
  readonly path: string;
  /** Permission bits, without the type. */
  readonly mode: number;
  readonly modified_at: string;
}

export interface File extends Named {
  readonly kind: 'file';
  readonly size_bytes: number;
  /** Hex, of the whole content. */
  readonly sha256: string;
  readonly content: Content;
}
export interface Folder extends Named {
  readonly kind: 'folder';
}
/** A symbolic link. It is never followed outside of the session's own files. */
export interface Link extends Named {
  readonly kind: 'link';
  readonly target: string;
}
/** What a path holds. Folders that only lead to a file need no entry. */
export type Entry = File | Folder | Link;

/** An entry as it stands in the table. */
export type StoredEntry = Entry & {
  /** Changes with each write, and never comes back: a condition on it cannot meet another state. */
  readonly version: string;
  readonly written_by: Author;
  /** Grows with each version of the path, also over times when it was free. @default 1 */
  readonly revision?: number;
};

/** `FILES#<session_id>` holds `HEAD`, `F#<path>`, `SHELL#<thread_id>` and `V#<hash of path>#<place>`. */
export function filesKey(session_id: string): string {
  return `FILES#${session_id}`;
}

const named = {
  path: z.string(),
  mode: z.int(),
  modified_at: z.string(),
  version: z.string(),
  written_by: z.object({ thread_id: z.string(), event_id: z.string() }),
  revision: z.int().exactOptional(),
};
const StoredRow = z.discriminatedUnion('kind', [
  z.object({
    ...named,
    kind: z.literal('file'),
    size_bytes: z.int(),
    sha256: z.string(),
    content: z.union([
      z.object({ inline: z.instanceof(Uint8Array) }),
      z.object({ key: z.string(), offset: z.int() }),
    ]),
  }),
  z.object({ ...named, kind: z.literal('folder') }),
  z.object({ ...named, kind: z.literal('link'), target: z.string() }),
]);

export function entryOf(row: Row): StoredEntry {
  return StoredRow.parse(row);
}

export function rowOf(session_id: string, entry: StoredEntry): Row {
  return { pk: filesKey(session_id), sk: `F#${entry.path}`, ...entry };
}

/** Whether two entries hold the same thing, whoever wrote them. */
export function isSame(a: Entry, b: Entry): boolean {
  if (a.kind === 'file' && b.kind === 'file') return a.sha256 === b.sha256 && a.mode === b.mode;
  if (a.kind === 'link' && b.kind === 'link') return a.target === b.target;
  return a.kind === b.kind && a.mode === b.mode;
}
