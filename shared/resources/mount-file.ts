import { fileKey, fileListKeys, scopeKey, scopeRow, type ApiFile } from '../api-files/api-file.ts';
import { noFile } from '../api-files/read-file.ts';
import type { Blobs } from '../core/blobs.ts';
import type { Table, Write } from '../core/table.ts';
import { changeWrites } from '../files/commit.ts';
import { entryOf, filesKey, type StoredEntry } from '../files/entry.ts';
import type { Changed } from '../files/manifest.ts';
import { sessionPrefix } from '../sessions/session.ts';
import { resourceKey, type FileResource } from './resource.ts';

/** What a mounted file becomes: a resource, a file of the Files API and one of the file system. */
export interface MountedFile {
  readonly resource: FileResource;
  readonly file: ApiFile;
  readonly entry: StoredEntry;
  /** The file that was uploaded, or that another session's agent made. */
  readonly from: ApiFile;
}

export interface MountPlan {
  readonly session_id: string;
  readonly workspace_id: string;
  readonly resource_id: string;
  /** Of the session's own copy. */
  readonly file_id: string;
  readonly mount_path: string;
  readonly at: string;
}

/** Decide the rows of a mounted file. The entry's version is the resource's own ULID: no other has it. */
export function mountFile(from: ApiFile, plan: MountPlan): MountedFile {
  const { session_id, workspace_id, resource_id, file_id, mount_path, at } = plan;
  const key = `${sessionPrefix(session_id)}uploads/${file_id}`;
  const version = resource_id.slice(resource_id.indexOf('_') + 1);
  return {
    from,
    resource: {
      ...resourceKey(session_id, resource_id),
      schema: 1,
      type: 'file',
      resource_id,
      session_id,
      mount_path,
      file_id,
      entry_version: version,
      created_at: at,
      updated_at: at,
    },
    file: {
      ...fileKey(file_id),
      schema: 1,
      file_id,
      workspace_id,
      filename: from.filename,
      mime_type: from.mime_type,
      size_bytes: from.size_bytes,
      sha256: from.sha256,
      created_at: at,
      expires_on: null,
      state: 'ready',
      downloadable: from.downloadable,
      scope: { type: 'session', id: session_id },
      source: { object: key },
      ...fileListKeys({ workspace_id, file_id, created_at: at }),
    },
    entry: {
      kind: 'file',
      path: mount_path,
      mode: 0o644,
      modified_at: at,
      size_bytes: from.size_bytes,
      sha256: from.sha256,
      content: { key, offset: 0 },
      version,
      written_by: { thread_id: 'resource', event_id: resource_id },
    },
  };
}

/**
 * Everything of some mounted files but their bytes.
 *
 * @param at Now: copying the bytes has taken its time since the resources were made, and readers of the
 *   files go by when they were changed
 */
export function mountWrites(mounted: readonly MountedFile[], at: string): Write[] {
  const [first] = mounted;
  if (first === undefined) return [];
  const { session_id } = first.resource;
  const { workspace_id } = first.file;
  const condition = 'attribute_not_exists(pk)';
  const puts = mounted.flatMap(({ resource, file }): Write[] => [
    { put: resource, condition },
    { put: file, condition },
    { put: scopeRow(session_id, file), condition },
  ]);
  const changed = mounted.map(({ entry }): Changed => ({
    path: entry.path,
    base: undefined,
    next: entry,
  }));
  return [...puts, ...changeWrites({ session_id, workspace_id }, changed, at)];
}

/** Take a resource's file away; its entry only while it is the one that was mounted. */
export function unmountWrites(
  { session_id, resource_id, file_id, entry_version }: FileResource,
  { workspace_id, at }: { readonly workspace_id: string; readonly at: string },
  entry: StoredEntry | undefined,
): Write[] {
  const changed: Changed[] =
    entry?.version === entry_version ? [{ path: entry.path, base: entry, next: undefined }] : [];
  return [
    { delete: resourceKey(session_id, resource_id), condition: 'attribute_exists(pk)' },
    { delete: fileKey(file_id) },
    { delete: scopeKey(file_id) },
    ...(changed.length === 0 ? [] : changeWrites({ session_id, workspace_id }, changed, at)),
  ];
}

/**
 * Copy the bytes of a file to the session. Dies after it: an object under the session's prefix that
 * no row names, which goes with the session.
 *
 * @throws Fault `missing` when the file was deleted, or written over, since it was read
 */
export async function copyBytes(
  { table, blobs }: { readonly table: Table; readonly blobs: Blobs },
  { from, file, entry }: MountedFile,
): Promise<void> {
  if (entry.kind !== 'file' || 'inline' in entry.content) throw new Error('a copy is an object');
  const { key } = entry.content;
  const { source } = from;
  if ('object' in source) {
    await blobs.copy(source.object, key).catch(async (error: unknown) => {
      const now = (await table.get(fileKey(from.file_id))) as ApiFile | undefined;
      throw now?.state === 'ready' ? error : noFile(from.file_id);
    });
    return;
  }
  const owner = from.scope?.id ?? '';
  const row = await table.get({ pk: filesKey(owner), sk: `F#${source.path}` });
  const now = row === undefined ? undefined : entryOf(row);
  if (now?.kind !== 'file' || now.version !== source.version) {
    throw noFile(from.file_id);
  }
  const bytes =
    'inline' in now.content
      ? now.content.inline
      : await blobs.getRange(now.content.key, now.content.offset, now.size_bytes);
  await blobs.put(key, bytes, file.mime_type);
}
