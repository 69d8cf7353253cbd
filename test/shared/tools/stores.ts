import type { MemoryOperation } from '#shared/memory/changes.ts';
import type { MemoryRow } from '#shared/memory/memory.ts';
import { textOf } from '#shared/memory/read-store.ts';
import { splitOperations } from '#shared/memory/split.ts';
import { writeMemories } from '#shared/memory/write-memories.ts';
import type { StoreMount } from '#shared/resources/resource.ts';
import { actor, putStore, wholeStore, workspace_id, type WholeStore } from '../memory/store.ts';
import { inSession, type Rig } from './rig.ts';

/** A store with these memories, of which an API key is the writer. */
export async function storeWith(rig: Rig, memories: Readonly<Record<string, string>> = {}) {
  const clock = { now: () => new Date(), at: new Date() };
  const store_id = await putStore({ ...rig, clock });
  const operations = Object.entries(memories).map(([path, content]) => ({
    kind: 'create' as const,
    path,
    content,
  }));
  for (const batch of splitOperations(operations)) await byApi(rig, store_id, ...batch);
  return store_id;
}

/** Somebody else's writes, in one transaction. */
export async function byApi(
  rig: Rig,
  store_id: string,
  ...operations: MemoryOperation[]
): Promise<void> {
  const { outcome } = await writeMemories(rig, { store_id, operations, actor });
  if (outcome !== 'written') throw new Error('a test wrote what it had not seen');
}

export async function whole(rig: Rig, store_id: string): Promise<WholeStore> {
  return await wholeStore(rig, store_id);
}

/** A memory as it is now. @throws Error when there is none */
export async function memoryOf(rig: Rig, store_id: string, path: string): Promise<MemoryRow> {
  const { memories } = await whole(rig, store_id);
  const found = memories.find(({ sk }) => sk === path);
  if (found === undefined) throw new Error(`no memory ${path}`);
  return found;
}

/** The texts of a store, by path. */
export async function texts(rig: Rig, store_id: string): Promise<Record<string, string>> {
  const { memories } = await whole(rig, store_id);
  const pairs = memories.map(
    async ({ sk, content }) => [sk, await textOf(rig.blobs, content)] as const,
  );
  return Object.fromEntries(await Promise.all(pairs));
}

export function mountOf(
  memory_store_id: string,
  access: StoreMount['access'] = 'read_write',
  path = '/mnt/memory/store',
): StoreMount {
  return { memory_store_id, access, path };
}

/** A session of its own with these stores. */
export function withStores(rig: Rig, session_id: string, ...mounts: StoreMount[]) {
  return inSession(rig, session_id, { workspace_id, mounts });
}
