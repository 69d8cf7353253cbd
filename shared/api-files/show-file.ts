import type { ApiFile, FileMetadata } from './api-file.ts';

/** A file as the API shows it. */
export function showFile(file: ApiFile): FileMetadata {
  const { file_id: id, expires_on: expires_at, filename, mime_type, size_bytes } = file;
  const { created_at, downloadable, scope } = file;
  return {
    id,
    type: 'file',
    filename,
    mime_type,
    size_bytes,
    created_at,
    expires_at,
    downloadable,
    scope,
  };
}

/** The shape of `files-api-2025-04-14`: before files could expire. */
export type OldFileMetadata = Omit<FileMetadata, 'expires_at'>;

/** Whether a request's `anthropic-beta` asks for the shapes from before the Files API was general. */
export function asksOldShape(betas: ReadonlySet<string>): boolean {
  return betas.has('files-api-2025-04-14');
}

export function toOldShape({ expires_at: _new, scope, ...old }: FileMetadata): OldFileMetadata {
  return scope === null || scope === undefined ? old : { ...old, scope };
}

/** A file of `/v1/reverie/files`: the API's own shape, and what a direct upload is checked by. */
export interface UploadedFile extends FileMetadata {
  /** Hex, of the whole content. */
  readonly sha256: string;
  /** Until it is `ready` it is no file for anything else. */
  readonly state: 'pending' | 'ready';
}

export function showUpload(file: ApiFile, state: UploadedFile['state']): UploadedFile {
  return { ...showFile(file), sha256: file.sha256, state };
}
