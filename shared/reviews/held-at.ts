import type { Ports } from '../core/ports.ts';
import { pathKey, type PathRow } from '../memory/memory.ts';
import type { Held } from './plan-changes.ts';

/** What some paths of a store hold. */
export async function heldAt(
  { table }: Ports,
  store_id: string,
  paths: readonly string[],
): Promise<Held> {
  const keys = [...new Set(paths)].map((path) => pathKey(store_id, path));
  const rows = (await table.getMany(keys)) as PathRow[];
  return new Map(rows.map((row) => [row.sk, row]));
}
