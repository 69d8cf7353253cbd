import type { Blobs } from '../core/blobs.ts';
import { limits } from '../core/limits.ts';
import type { Table } from '../core/table.ts';
import { pathKey, type PathRow } from '../memory/memory.ts';
import type { MemoryResource } from './resource.ts';

/** The memory that tells an agent what the others are about. */
const INDEX_PATH = '/_index.md';

/** A store's index as it is now, for the prompts of a session. */
export async function storeIndex(
  { table, blobs }: { readonly table: Table; readonly blobs: Blobs },
  store_id: string,
): Promise<MemoryResource['index']> {
  const row = (await table.get(pathKey(store_id, INDEX_PATH))) as PathRow | undefined;
  if (row?.kind !== 'memory') return null;
  const { content } = row;
  const bytes =
    'text' in content ? Buffer.from(content.text) : Buffer.from(await blobs.get(content.blob));
  const kept = bytes.subarray(0, limits.store_index_bytes_max);
  const is_cut = kept.length < bytes.length;
  // Without the replacement of a character that was cut in half.
  const text = is_cut ? kept.toString('utf8').replace(/\ufffd$/, '') : kept.toString('utf8');
  return { text, is_cut };
}
