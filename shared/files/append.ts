import { limits } from '../core/limits.ts';
import type { Row } from '../core/table.ts';
import { entryOf, type Content, type File, type StoredEntry } from './entry.ts';
import type { Changed } from './manifest.ts';
import { sha256Of } from './pack.ts';

export interface AppendPorts {
  readonly bytesOf: (content: Content, size_bytes: number) => Promise<Uint8Array>;
  readonly store: (bytes: Uint8Array) => Promise<Content>;
}

/** A file that two have appended to at once. */
export interface Joined {
  /** As it stands now, with the other's addition. */
  readonly base: StoredEntry;
  /** With ours behind it. */
  readonly next: File;
}

/**
 * What a file holds that another thread has appended to while we did: both additions, theirs first, as
 * if one had waited for the other.
 *
 * @returns undefined where either has done anything else, made the file, or it is too large to be read here
 */
export async function joinAppends(
  { bytesOf, store }: AppendPorts,
  { base, next }: Changed,
  row: Row | undefined,
): Promise<Joined | undefined> {
  const theirs = row === undefined ? undefined : entryOf(row);
  if (base?.kind !== 'file' || next?.kind !== 'file' || theirs?.kind !== 'file') return undefined;
  if (![next, theirs].every(({ size_bytes }) => mayBegin(base.size_bytes, size_bytes))) {
    return undefined;
  }
  const [ours, other] = await Promise.all([
    bytesOf(next.content, next.size_bytes),
    bytesOf(theirs.content, theirs.size_bytes),
  ]);
  if (![ours, other].every((bytes) => begins(bytes, base))) return undefined;
  const bytes = Buffer.concat([other, ours.subarray(base.size_bytes)]);
  const content = await store(bytes);
  return {
    base: theirs,
    next: { ...next, size_bytes: bytes.length, sha256: sha256Of(bytes), content },
  };
}

/** Two files of nothing that have become something were made, not appended to. */
function mayBegin(start_bytes: number, size_bytes: number): boolean {
  return start_bytes > 0 && size_bytes > start_bytes && size_bytes <= limits.append_join_bytes_max;
}

function begins(bytes: Uint8Array, { size_bytes, sha256 }: File): boolean {
  return sha256Of(bytes.subarray(0, size_bytes)) === sha256;
}
