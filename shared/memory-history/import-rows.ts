import { contentKey, contentOf, type NewContent } from '../memory/content.ts';
import {
  pathKey,
  pointerKey,
  versionKey,
  type FolderRow,
  type MemoryRow,
  type PointerRow,
  type VersionRow,
} from '../memory/memory.ts';
import { foldersOf } from '../memory/path.ts';
import { expiring } from '../memory/plan.ts';
import type { Row } from '../core/table.ts';
import type { HistoryLine } from './archive.ts';
import type { ArchivedMemory } from './check-archive.ts';

/** What a line of a history becomes. */
export interface ImportedVersion {
  /** The version and, where it is what its memory holds, the memory. */
  readonly rows: readonly Row[];
  /** The object that must be there before the rows are. */
  readonly object?: { readonly key: string; readonly text: string };
}

export interface ImportFacts {
  readonly store_id: string;
  /** When versions that have been taken over go. */
  readonly expires_at: string | undefined;
}

/** @param memory The memory of the line, unless it is deleted. */
export function importedVersion(
  line: HistoryLine,
  memory: ArchivedMemory | undefined,
  { store_id, expires_at }: ImportFacts,
): ImportedVersion {
  const { id, memory_id, content: text } = line;
  const held = text === null ? undefined : contentOf(store_id, id, text);
  const is_head = memory?.memory_version_id === id;
  const version: VersionRow = {
    ...versionKey(store_id, id),
    schema: 1,
    memory_version_id: id,
    memory_id,
    memory_store_id: store_id,
    operation: line.operation,
    created_at: line.created_at,
    created_by: line.created_by,
    ...originOf(line),
    path: line.path,
    content: held?.content ?? null,
    content_sha256: line.content_sha256,
    content_size_bytes: line.content_size_bytes,
    redacted_at: line.redacted_at,
    redacted_by: line.redacted_by,
    gsi1pk: `MEMVERS#${store_id}#${memory_id}`,
    gsi1sk: id,
    ...(is_head ? {} : expiring({ memory_version_id: id }, { expires_at })),
  };
  const rows =
    is_head && held !== undefined
      ? [version, ...memoryRows(store_id, line, memory, held)]
      : [version];
  const is_object = held !== undefined && 'blob' in held.content;
  if (!is_object) return { rows };
  return { rows, object: { key: contentKey(store_id, id), text: text ?? '' } };
}

/** Where a version's words came from, as far as there is something to tell. */
function originOf({ written_by, dreamt_by, copied }: HistoryLine) {
  return {
    ...(written_by === undefined ? {} : { written_by }),
    ...(dreamt_by === undefined ? {} : { dreamt_by }),
    ...(copied === undefined ? {} : { copied }),
  };
}

function memoryRows(
  store_id: string,
  { id, memory_id, created_at: updated_at }: HistoryLine,
  { path, created_at }: ArchivedMemory,
  held: NewContent,
): [MemoryRow, PointerRow] {
  return [
    {
      ...pathKey(store_id, path),
      kind: 'memory',
      memory_id,
      memory_store_id: store_id,
      memory_version_id: id,
      ...held,
      created_at,
      updated_at,
    },
    { ...pointerKey(store_id, memory_id), path },
  ];
}

/** The folders of all memories of a store. */
export function folderRows(store_id: string, memories: Iterable<ArchivedMemory>): FolderRow[] {
  const counts = new Map<string, number>();
  for (const { path } of memories) {
    for (const folder of foldersOf(path)) counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return [...counts].map(([path, below_count]) => ({
    ...pathKey(store_id, path),
    kind: 'folder',
    below_count,
  }));
}
