import pLimit from 'p-limit';
import type { Call } from '../core/call.ts';
import { Fault } from '../core/fault.ts';
import { limits } from '../core/limits.ts';
import type { MemoryOperation } from '../memory/changes.ts';
import { actorOf } from '../memory/memories.ts';
import type { MemoryPorts } from '../memory/memory-ports.ts';
import { readMemories, textOf } from '../memory/read-store.ts';
import { writeMemories } from '../memory/write-memories.ts';
import { INDEX_PATH, renderIndex } from '../playbooks/index-page.ts';

/**
 * Bring a store's index up to what the store holds. The index is no change of a dream: it follows
 * from what is there, so it is made anew and not reviewed. Runs twice: the second finds it so.
 *
 * @param is_unwanted Take it away where it says nothing but what is rendered. @default false
 */
export async function refreshIndex(
  ports: MemoryPorts,
  call: Call,
  store_id: string,
  is_unwanted = false,
): Promise<void> {
  const batch = { store_id, workspace_id: call.workspace_id, actor: actorOf(call) };
  for (let attempt = 1; attempt <= limits.memory_attempts_max; attempt++) {
    const operation = await due(ports, store_id, is_unwanted);
    if (operation === undefined) return;
    try {
      const { outcome } = await writeMemories(ports, { ...batch, operations: [operation] });
      if (outcome === 'written') return;
    } catch (error) {
      // No room, or others have made one meanwhile: a store can do without.
      if (error instanceof Fault) return;
      throw error;
    }
  }
}

async function due(
  { table, blobs }: MemoryPorts,
  store_id: string,
  is_unwanted: boolean,
): Promise<MemoryOperation | undefined> {
  const rows = await readMemories(table, store_id);
  const limit = pLimit(limits.copies_parallel_max);
  const texts = await Promise.all(
    rows.map((row) => limit(async () => [row.sk, await textOf(blobs, row.content)] as const)),
  );
  const memories = new Map(texts);
  const before = rows.find(({ sk }) => sk === INDEX_PATH);
  const own = memories.get(INDEX_PATH);
  const content = renderIndex(memories, own);
  if (before === undefined) {
    return is_unwanted ? undefined : { kind: 'create', path: INDEX_PATH, content };
  }
  const is_all_rendered = content === renderIndex(memories);
  if (is_unwanted && is_all_rendered) return { kind: 'delete', before };
  return content === own ? undefined : { kind: 'write', before, content };
}
