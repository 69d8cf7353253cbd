import { fileKey, fileListKeys, scopeKey, scopeRow, type ApiFile } from '../api-files/api-file.ts';
import { mediaTypeOf } from '../api-files/media-type.ts';
import { prefixes } from '../core/id.ts';
import type { Key, Write } from '../core/table.ts';
import type { File, StoredEntry } from './entry.ts';
import type { Changed } from './manifest.ts';
import { isInside, outputs } from './path.ts';

/** Whose files change. */
export interface FilesOwner {
  readonly session_id: string;
  readonly workspace_id: string;
}

/** The rows of one output's file: those of the old version go, those of the new one come. */
export const WRITES_PER_OUTPUT = 4;

/**
 * What a session hands over is a file of the Files API as soon as it is there: its id is that of
 * the entry's version, so nothing else must be kept of it. A write without a new version (another
 * place of the same bytes) leaves it as it is. Puts and deletes without conditions: a version's
 * rows are always the same, and the entry's own condition guards the transaction.
 */
export function outputWrites(
  owner: FilesOwner,
  { path, base, next }: Changed,
  at: string,
): Write[] {
  if (!isInside(path, [outputs]) || base?.version === next?.version) return [];
  const gone = base?.kind === 'file' ? outputKeys(base) : [];
  const come = next?.kind === 'file' ? rowsOf(owner, next, at) : [];
  return [...gone.map((key) => ({ delete: key })), ...come.map((put) => ({ put }))];
}

/** The keys of the file that an entry below {@link outputs} is; none for any other entry. */
export function outputKeys({
  kind,
  path,
  version,
}: Pick<StoredEntry, 'kind' | 'path' | 'version'>): Key[] {
  if (kind !== 'file' || !isInside(path, [outputs])) return [];
  const file_id = outputId(version);
  return [fileKey(file_id), scopeKey(file_id)];
}

function outputId(version: string): string {
  return `${prefixes.file}_${version}`;
}

function rowsOf(
  { session_id, workspace_id }: FilesOwner,
  { path, version, size_bytes, sha256 }: File & { readonly version: string },
  created_at: string,
) {
  const filename = path.slice(path.lastIndexOf('/') + 1);
  const file_id = outputId(version);
  const file: ApiFile = {
    ...fileKey(file_id),
    schema: 1,
    file_id,
    workspace_id,
    filename,
    mime_type: mediaTypeOf(filename, undefined),
    size_bytes,
    sha256,
    created_at,
    expires_on: null,
    state: 'ready',
    downloadable: true,
    scope: { type: 'session', id: session_id },
    source: { path, version },
    ...fileListKeys({ workspace_id, file_id, created_at }),
  };
  return [file, scopeRow(session_id, file)];
}
