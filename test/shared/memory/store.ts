import { listKeys } from '#shared/core/listing.ts';
import { newId } from '#shared/core/id.ts';
import type { Table } from '#shared/core/table.ts';
import type { MemoryPorts } from '#shared/memory/memory-ports.ts';
import { sha256Of } from '#shared/memory/content.ts';
import { foldersOf } from '#shared/memory/path.ts';
import { textOf } from '#shared/memory/read-store.ts';
import {
  storeKey,
  type Actor,
  type FolderRow,
  type MemoryRow,
  type PathRow,
  type PointerRow,
  type StoreHead,
  type VersionRow,
} from '#shared/memory/memory.ts';
import { MemoryBlobs } from '../../memory-blobs.ts';

export interface TestMemoryPorts extends MemoryPorts {
  readonly blobs: MemoryBlobs;
  readonly clock: { now(): Date; at: Date };
}

/** The ports of memory over a real table, with a clock that stands still until it is set. */
export function memoryPorts(
  table: Table,
  settings: Partial<Pick<MemoryPorts, 'memories_max' | 'version_days'>> = {},
): TestMemoryPorts {
  const clock = {
    at: new Date('2026-11-21T12:00:00.000Z'),
    now: () => clock.at,
  };
  const blobs = new MemoryBlobs();
  return { table, blobs, clock, newId, memories_max: 2_000, version_days: 0, ...settings };
}

export const workspace_id = 'wrkspc_01JAAAAAAAAAAAAAAAAAAAAAAA';
export const actor: Actor = { type: 'api_actor', api_key_id: 'apikey_01JAAAAAAAAAAAAAAAAAAAAAAA' };

/** An empty store of {@link workspace_id}, with what `changed` says. */
export async function putStore(
  ports: TestMemoryPorts,
  changed: Partial<StoreHead> = {},
): Promise<string> {
  const id = ports.newId('memory_store');
  const created_at = ports.clock.now().toISOString();
  const head: StoreHead = {
    ...storeKey(id),
    schema: 1,
    memory_store_id: id,
    workspace_id,
    name: 'a store',
    description: '',
    metadata: {},
    created_at,
    updated_at: created_at,
    archived_at: null,
    deleted_at: null,
    config_version: 1,
    revision: 0,
    memories_count: 0,
    ...listKeys(workspace_id, 'memory_store', { id, created_at }),
    ...changed,
  };
  await ports.table.transact([{ put: head }]);
  return id;
}

async function partition<Kind>(table: Table, pk: string): Promise<Kind[]> {
  const rows: Kind[] = [];
  for (let from = ' '; ;) {
    const page = await table.query({ pk, from, to: '~' });
    rows.push(...(page.rows as Kind[]));
    if (!page.more) return rows;
    from = `${page.rows.at(-1)?.sk}!`;
  }
}

/** Everything that a store has in table and bucket. */
export interface WholeStore {
  readonly head: StoreHead;
  readonly memories: readonly MemoryRow[];
  readonly folders: readonly FolderRow[];
  readonly pointers: readonly PointerRow[];
  readonly versions: readonly VersionRow[];
  readonly objects: readonly string[];
}

export async function wholeStore(
  { table, blobs }: Pick<TestMemoryPorts, 'table' | 'blobs'>,
  store_id: string,
): Promise<WholeStore> {
  const own = await partition<StoreHead | PointerRow>(table, storeKey(store_id).pk);
  const paths = await partition<PathRow>(table, `PATHS#${store_id}`);
  return {
    head: own.find(({ sk }) => sk === 'HEAD') as StoreHead,
    pointers: own.filter(({ sk }) => sk !== 'HEAD') as PointerRow[],
    memories: paths.filter((row) => row.kind === 'memory'),
    folders: paths.filter((row) => row.kind === 'folder'),
    versions: await partition<VersionRow>(table, `MEMVERS#${store_id}`),
    objects: [...blobs.objects.keys()].filter((key) => key.includes(store_id)),
  };
}

/** What does not hold of a store that must always hold; empty when all is well. */
export async function broken(
  ports: Pick<TestMemoryPorts, 'table' | 'blobs'>,
  store_id: string,
): Promise<string[]> {
  const store = await wholeStore(ports, store_id);
  return [...brokenPaths(store), ...brokenVersions(store), ...(await brokenContents(ports, store))];
}

function brokenPaths({ head, memories, folders, pointers }: WholeStore): string[] {
  const wrong: string[] = [];
  if (head.memories_count !== memories.length) {
    wrong.push(`memories_count is ${head.memories_count} of ${memories.length}`);
  }
  const counts = new Map<string, number>();
  for (const { sk } of memories) {
    for (const folder of foldersOf(sk)) counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  for (const { sk } of memories) if (counts.has(sk)) wrong.push(`${sk} is memory and folder`);
  const stored = folders.map(({ sk, below_count }) => `${sk} ${below_count}`).toSorted();
  const exact = [...counts].map(([path, count]) => `${path} ${count}`).toSorted();
  if (stored.join() !== exact.join())
    wrong.push(`folders are ${stored.join()} not ${exact.join()}`);
  const pointed = pointers.map(({ sk, path }) => `${sk} ${path}`).toSorted();
  const live = memories.map(({ memory_id, sk }) => `M#${memory_id} ${sk}`).toSorted();
  if (pointed.join() !== live.join())
    wrong.push(`pointers are ${pointed.join()} not ${live.join()}`);
  return wrong;
}

function brokenVersions(store: WholeStore): string[] {
  return [...brokenHeads(store), ...brokenHistories(store)];
}

/** What a memory's row and its newest version must both say. */
function headOf(row: MemoryRow | VersionRow, path: string | null, at: string): string {
  const { memory_version_id, content, content_sha256, content_size_bytes } = row;
  return JSON.stringify([memory_version_id, path, content, content_sha256, content_size_bytes, at]);
}

function brokenHeads({ memories, versions }: WholeStore): string[] {
  const newest = new Map(versions.map((version) => [version.memory_id, version]));
  const wrong = memories.flatMap((memory) => {
    const version = newest.get(memory.memory_id);
    newest.delete(memory.memory_id);
    const is_same =
      version !== undefined &&
      headOf(version, version.path, version.created_at) ===
        headOf(memory, memory.sk, memory.updated_at);
    return is_same ? [] : [`head of ${memory.sk} is not its newest version`];
  });
  const unsaid = [...newest.values()].filter(({ operation }) => operation !== 'deleted');
  return [...wrong, ...unsaid.map(({ memory_id }) => `${memory_id} is gone without a word`)];
}

function brokenHistories({ versions }: WholeStore): string[] {
  const wrong: string[] = [];
  const times = new Map<string, string>();
  for (const { memory_id, created_at, operation } of versions) {
    const before = times.get(memory_id);
    if (before !== undefined && before >= created_at) wrong.push(`${memory_id} goes back in time`);
    if ((before === undefined) !== (operation === 'created')) {
      wrong.push(`${memory_id} has a ${operation} version at a wrong place`);
    }
    times.set(memory_id, created_at);
  }
  return wrong;
}

async function brokenContents(
  { blobs }: Pick<TestMemoryPorts, 'blobs'>,
  { memories, versions }: WholeStore,
): Promise<string[]> {
  const wrong: string[] = [];
  for (const row of [...memories, ...versions]) {
    if (row.content === null) continue;
    const text = await textOf(blobs, row.content).catch(() => undefined);
    if (text === undefined) wrong.push(`the content of ${row.sk} is gone`);
    else if (sha256Of(text) !== row.content_sha256) wrong.push(`${row.sk} has another content`);
  }
  return wrong;
}
