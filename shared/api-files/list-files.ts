import type { Call } from '../core/call.ts';
import { Fault } from '../core/fault.ts';
import { isId, prefixes } from '../core/id.ts';
import { limits } from '../core/limits.ts';
import {
  encodeCursor,
  forwardOnly,
  readPage,
  type BidirectionalPage,
  type Page,
} from '../core/page.ts';
import type { Ports } from '../core/ports.ts';
import type { Row } from '../core/table.ts';
import { fileListKeys, scopePartition, type ApiFile, type FileMetadata } from './api-file.ts';
import type { FileListQuery, OldFileListQuery } from './file-wire.ts';
import { readFiles } from './read-file.ts';
import { showFile, toOldShape, type OldFileMetadata } from './show-file.ts';

type ListPorts = Pick<Ports, 'table' | 'clock'>;

/**
 * `GET /v1/files`, newest first; expired files stay in it as long as they can be read. By `ids` it is
 * one page of those that there are.
 *
 * @throws Fault `invalid` for a cursor that does not fit
 */
export async function listFiles(
  ports: ListPorts,
  call: Call,
  { ids, limit, page, scope_id }: FileListQuery,
): Promise<Page<FileMetadata>> {
  if (ids !== undefined) {
    const files = await readFiles(ports, call, [...new Set(ids)].filter(isFileId));
    const wanted = files.filter(({ scope }) => scope_id === undefined || scope?.id === scope_id);
    const newest = wanted.toSorted((a, b) => (placeOf(a) < placeOf(b) ? 1 : -1));
    return { data: newest.map(showFile), next_page: null };
  }
  return forwardOnly(await pageOf(ports, call, { limit, page, scope_id }));
}

export interface OldFilePage {
  readonly data: OldFileMetadata[];
  readonly has_more: boolean;
  readonly first_id: string | null;
  readonly last_id: string | null;
}

/**
 * The same list as `files-api-2025-04-14` has it, with ids for cursors.
 * @throws Fault `invalid` for an id that names no file
 */
export async function listOldFiles(
  ports: ListPorts,
  call: Call,
  { after_id, before_id, limit, scope_id }: OldFileListQuery,
): Promise<OldFilePage> {
  const direction = before_id === undefined ? 'next' : 'prev';
  const edge = await edgeOf(ports, call, { after_id, before_id });
  const page =
    edge &&
    encodeCursor({ kind: prefixes.file, order: 'desc', direction, position: placeOf(edge) });
  const read = await pageOf(ports, call, { limit, scope_id, page });
  const data = read.data.map(toOldShape);
  return {
    data,
    has_more: (direction === 'next' ? read.next_page : read.prev_page) !== null,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
  };
}

/** The file that a page begins behind, or ends before. */
async function edgeOf(
  ports: ListPorts,
  call: Call,
  edges: Pick<OldFileListQuery, 'after_id' | 'before_id'>,
): Promise<ApiFile | undefined> {
  for (const name of ['after_id', 'before_id'] as const) {
    const file_id = edges[name];
    if (file_id === undefined) continue;
    const [file] = await readFiles(ports, call, [file_id].filter(isFileId));
    if (file !== undefined) return file;
    throw new Fault('invalid', `${name}: names no file. Start again without it.`);
  }
  return undefined;
}

type Wanted = Pick<FileListQuery, 'limit' | 'page' | 'scope_id'>;

async function pageOf(
  ports: ListPorts,
  call: Call,
  { limit = limits.page_default, page, scope_id }: Wanted,
): Promise<BidirectionalPage<FileMetadata>> {
  const bounds = { from: '!', to: '~' };
  const request = { kind: prefixes.file, order: 'desc' as const, limit, page, ...bounds };
  const pk = scope_id === undefined ? workspaceFiles(call) : scopePartition(scope_id);
  return await readPage(request, async (stretch) => {
    const { rows, more } = await ports.table.query({ ...stretch, pk, index: 'list' });
    const files = await readFiles(ports, call, rows.map(fileIdOf));
    const items = new Map(files.map((file) => [file.file_id, showFile(file)]));
    const entries = rows.map((row) => ({
      position: String(row['gsi1sk']),
      item: items.get(fileIdOf(row)),
    }));
    return { entries, more };
  });
}

function workspaceFiles({ workspace_id }: Call): string {
  return fileListKeys({ workspace_id, file_id: '', created_at: '' }).gsi1pk;
}

function placeOf(file: ApiFile): string {
  return fileListKeys(file).gsi1sk;
}

function fileIdOf({ pk }: Row): string {
  return pk.slice('FILE#'.length);
}

function isFileId(text: string): boolean {
  return isId('file', text);
}
