import type { BetaFileMetadata } from '@anthropic-ai/sdk/resources/beta/files';
import { listKeys } from '../core/listing.ts';
import type { Key, Row } from '../core/table.ts';

/** As the Files API shows a file. */
export type FileMetadata = BetaFileMetadata;

/**
 * Where the bytes are: an object of the file's own, or a file of its session's file system, which
 * is still this one while it has this version.
 */
export type FileSource =
  | { readonly object: string }
  | { readonly path: string; readonly version: string };

/** `FILE#<file_id>` / `HEAD`: a file of the Files API. */
export interface ApiFile extends Row {
  readonly schema: 1;
  readonly file_id: string;
  readonly workspace_id: string;
  readonly filename: string;
  readonly mime_type: string;
  readonly size_bytes: number;
  /** Hex, of the whole content. */
  readonly sha256: string;
  readonly created_at: string;
  /** When it stops being there for readers; not `expires_at`, which is the table's TTL. */
  readonly expires_on: string | null;
  /**
   * `pending`: its bytes are awaited, so it is no file yet. `deleted`: gone for readers, its object is
   * about to go. `expired`: its object is gone, what it was can be read for a while.
   */
  readonly state: 'pending' | 'ready' | 'deleted' | 'expired';
  /** What people upload is not; what agents make is. */
  readonly downloadable: boolean;
  readonly scope: { readonly type: 'session'; readonly id: string } | null;
  readonly source: FileSource;
  /** The list of the workspace ({@link fileListKeys}); only while it is `ready` or `expired`. */
  readonly gsi1pk?: string;
  readonly gsi1sk?: string;
  /** Present where reconcile has something to do: see {@link fileDueKeys}. */
  readonly gsi2pk?: 'EXPIRES';
  readonly gsi2sk?: string;
}

/**
 * `FILE#<file_id>` / `SCOPE`: the place of a session's file in the list of its session. Put with the
 * head; both go together.
 */
export interface ScopeRow extends Row {
  /** `FILES#<session_id>`: also the name of the session's file system, but in the index. */
  readonly gsi1pk: string;
  readonly gsi1sk: string;
}

export function fileKey(file_id: string): Key {
  return { pk: `FILE#${file_id}`, sk: 'HEAD' };
}

export function scopeKey(file_id: string): Key {
  return { pk: `FILE#${file_id}`, sk: 'SCOPE' };
}

/** Where an upload's bytes are. */
export function fileObject(file_id: string): string {
  return `files/${file_id}`;
}

/** The partition of the index `list` with the files of a session. */
export function scopePartition(session_id: string): string {
  return `FILES#${session_id}`;
}

/** The attributes that put a ready file into the list of its workspace. */
export function fileListKeys(file: Pick<ApiFile, 'workspace_id' | 'file_id' | 'created_at'>) {
  return listKeys(file.workspace_id, 'file', { id: file.file_id, created_at: file.created_at });
}

/** The attributes by which reconcile finds a file that something is due for at a time. */
export function fileDueKeys(file_id: string, due: string) {
  const { pk, sk } = fileKey(file_id);
  return { gsi2pk: 'EXPIRES', gsi2sk: `${due}#${pk}|${sk}` } as const;
}

/** The row that lists a file of a session with its session. */
export function scopeRow(
  session_id: string,
  file: Pick<ApiFile, 'file_id' | 'created_at'>,
): ScopeRow {
  return {
    ...scopeKey(file.file_id),
    gsi1pk: scopePartition(session_id),
    gsi1sk: `${file.created_at}#${file.file_id}`,
  };
}
