import { fileContent } from '../api-files/file-content.ts';
import { readFile } from '../api-files/read-file.ts';
import type { Call } from '../core/call.ts';
import { commit } from '../core/commit.ts';
import { Fault } from '../core/fault.ts';
import { isId, parseId } from '../core/id.ts';
import { limits } from '../core/limits.ts';
import { listKeys } from '../core/listing.ts';
import { ConditionFailed } from '../core/table.ts';
import { storeKey, storePrefix, type StoreHead } from '../memory/memory.ts';
import type { MemoryPorts } from '../memory/memory-ports.ts';
import { checkArchive, type ArchivedMemory } from './check-archive.ts';
import type { StoreImport as Body } from './history-wire.ts';
import { folderRows } from './import-rows.ts';
import { readWorkCursor, unknownCursor, workCursor } from './work-cursor.ts';
import { writeHistory, writeRows } from './write-history.ts';

/** How far an import is; the store is there for others once `next_cursor` is null. */
export interface StoreImport {
  readonly type: 'memory_store_import';
  readonly memory_store_id: string;
  /** Versions that are written, of all its requests. */
  readonly imported_count: number;
  readonly total_count: number;
  readonly next_cursor: string | null;
}

export interface ImportRequest {
  readonly body: Body;
  /** After this no further transaction is begun. @default - `memory_work_ms` */
  readonly work_ms?: number;
}

/** What an import keeps between its requests. */
interface Agenda {
  readonly file_id: string;
  readonly versions_count: number;
  readonly memories: readonly (readonly [memory_id: string, memory: ArchivedMemory])[];
}

/** Where an import stands. */
interface Progress {
  readonly store_id: string;
  readonly done_count: number;
  readonly total_count: number;
}

/**
 * Make a store of an archive, with its ids and times. All of it is checked before anything is
 * written. Until the end the store is a deleted one that nobody has begun to sweep: nobody sees it,
 * and one that is given up goes after a day. Runs twice, dies here, or reply lost: the same rows are
 * written again.
 *
 * @throws Fault `missing` for the file; `invalid` with `memory_archive_invalid` for what no export
 *   makes, and for a cursor of another import
 */
export async function importStore(
  ports: MemoryPorts,
  call: Call,
  { body, work_ms = limits.memory_work_ms }: ImportRequest,
): Promise<StoreImport> {
  const until_ms = performance.now() + work_ms;
  const progress =
    typeof body.cursor === 'string'
      ? await goOn(ports, call, { cursor: body.cursor, until_ms })
      : await begin(ports, call, { ...body, until_ms });
  return await commit(ports, call, [], { answer: answerOf(progress) });
}

function answerOf(progress: Progress): StoreImport {
  const { store_id, done_count, total_count } = progress;
  return {
    type: 'memory_store_import',
    memory_store_id: store_id,
    imported_count: done_count,
    total_count,
    next_cursor: done_count === total_count ? null : cursorOf(progress),
  };
}

async function begin(
  ports: MemoryPorts,
  call: Call,
  { file_id: given, name, until_ms }: Body & { readonly until_ms: number },
): Promise<Progress> {
  const file_id = parseId('file', given);
  const chunks = await archiveOf(ports, call, file_id);
  const { store, memories, versions_count } = await checkArchive(chunks, ports.memories_max);
  const store_id = ports.newId('memory_store');
  const agenda: Agenda = { file_id, versions_count, memories: [...memories] };
  const began_at = ports.clock.now().toISOString();
  const head: StoreHead = {
    ...storeKey(store_id),
    schema: 1,
    memory_store_id: store_id,
    workspace_id: call.workspace_id,
    name: name ?? store.name,
    description: store.description,
    metadata: store.metadata,
    created_at: store.created_at,
    updated_at: began_at,
    archived_at: null,
    deleted_at: began_at,
    config_version: 1,
    revision: versions_count,
    memories_count: memories.size,
    ...dueKeys(ports, store_id),
  };
  // A new id: nothing is there that this could overwrite.
  await ports.table.transact([{ put: head }]);
  await ports.blobs.put(agendaKey(store_id), JSON.stringify(agenda), 'application/json');
  const progress = { store_id, done_count: 0, total_count: versions_count };
  return await write(ports, call, { head, agenda, progress, until_ms });
}

/** @throws Fault `missing`; `invalid` for one that is too large */
async function archiveOf(ports: MemoryPorts, call: Call, file_id: string) {
  const file = await readFile(ports, call, file_id);
  if (!('object' in file.source)) {
    throw new Fault('invalid', 'file_id: must be a file that was uploaded, not one of a session.');
  }
  if (file.size_bytes > limits.import_bytes_max) {
    throw new Fault(
      'invalid',
      `file_id: the archive has more than ${limits.import_bytes_max} bytes.`,
      { details: { error_code: 'memory_archive_invalid' } },
    );
  }
  return await fileContent(ports, file);
}

async function goOn(
  ports: MemoryPorts,
  call: Call,
  { cursor, until_ms }: { readonly cursor: string; readonly until_ms: number },
): Promise<Progress> {
  const progress = readCursor(cursor);
  const { store_id, total_count } = progress;
  const head = (await ports.table.get(storeKey(store_id))) as StoreHead | undefined;
  if (head === undefined || head.workspace_id !== call.workspace_id) throw unknownCursor();
  // The last answer was lost: the store is there.
  if (head.deleted_at === null) return { ...progress, done_count: total_count };
  const key = agendaKey(store_id);
  if (isDue(ports, head) || (await ports.blobs.head(key)) === undefined) throw unknownCursor();
  const text = Buffer.from(await ports.blobs.get(key)).toString('utf8');
  const agenda = JSON.parse(text) as Agenda;
  return await write(ports, call, { head, agenda, progress, until_ms });
}

interface Work {
  readonly head: StoreHead;
  readonly agenda: Agenda;
  readonly progress: Progress;
  readonly until_ms: number;
}

async function write(ports: MemoryPorts, call: Call, work: Work): Promise<Progress> {
  const { head, agenda, progress, until_ms } = work;
  const { store_id, done_count } = progress;
  const memories = new Map(agenda.memories);
  const chunks = await archiveOf(ports, call, agenda.file_id);
  const is_time_up = () => performance.now() > until_ms;
  const part = { store_id, memories, from: done_count, is_time_up };
  const now_count = await writeHistory(ports, chunks, part);
  const place = head.gsi2sk ?? '';
  if (now_count < agenda.versions_count) {
    const { gsi2sk } = dueKeys(ports, store_id);
    await move(ports, head, { expression: 'SET gsi2sk = :due', values: { ':due': gsi2sk } }, place);
    return { ...progress, done_count: now_count };
  }
  await writeRows(ports.table, folderRows(store_id, memories.values()));
  await appear(ports, head, place);
  // It holds paths: versions can be redacted from now on, and then nothing may tell them.
  await ports.blobs.delete([agendaKey(store_id)]);
  return { ...progress, done_count: now_count };
}

/** The last write: the store is there, with everything that it holds. */
async function appear(ports: MemoryPorts, head: StoreHead, place: string): Promise<void> {
  const { workspace_id, memory_store_id: id, created_at } = head;
  const { gsi1pk, gsi1sk } = listKeys(workspace_id, 'memory_store', { id, created_at });
  const change = {
    expression: 'SET deleted_at = :null, gsi1pk = :list, gsi1sk = :place REMOVE gsi2pk, gsi2sk',
    values: { ':null': null, ':list': gsi1pk, ':place': gsi1sk },
  };
  await move(ports, head, change, place);
}

/** @throws Fault when two requests write one import, or it is being swept: the later one loses */
async function move(
  { table }: MemoryPorts,
  { memory_store_id }: StoreHead,
  { expression, values }: { readonly expression: string; readonly values: object },
  place: string,
): Promise<void> {
  try {
    await table.update({
      update: storeKey(memory_store_id),
      expression,
      condition: 'gsi2sk = :seen',
      values: { ...values, ':seen': place },
    });
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
    throw new Fault('busy', 'This import is being written by another request. Send it again.');
  }
}

/** Where reconcile finds the store when nobody has gone on with it for a day. */
function dueKeys({ clock }: MemoryPorts, store_id: string) {
  const due = new Date(clock.now().getTime() + limits.import_idle_ms).toISOString();
  return { gsi2pk: 'DELETED', gsi2sk: `${due}#${store_id}` } as const;
}

function isDue({ clock }: MemoryPorts, { gsi2sk = '' }: StoreHead): boolean {
  return gsi2sk <= clock.now().toISOString();
}

function agendaKey(store_id: string): string {
  return `${storePrefix(store_id)}import.json`;
}

function cursorOf({ store_id, done_count, total_count }: Progress): string {
  return workCursor('memory_import', `${store_id}#${done_count}#${total_count}`);
}

function readCursor(text: string): Progress {
  const form = /^(\w{1,80})#(\d{1,7})#(\d{1,7})$/;
  const [store_id = '', done, total] = readWorkCursor('memory_import', text, form);
  if (!isId('memory_store', store_id)) throw unknownCursor();
  return { store_id, done_count: Number(done), total_count: Number(total) };
}
