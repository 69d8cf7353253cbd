import { isId } from '../core/id.ts';
import type { Table } from '../core/table.ts';
import type { MemoryRow, VersionRow } from './memory.ts';

/** Neither a session nor a dream wrote it, nor a schedule or a person who applied one as it was. */
export function isByHand(version: VersionRow | undefined): boolean {
  if (version?.dreamt_by !== undefined) return false;
  const author = version?.created_by;
  if (author?.type === 'api_actor') return !isId('dream_schedule', author.api_key_id);
  return author?.type !== 'session_actor';
}

/** Of a version: not what it says. */
const attributes = ['pk', 'sk', 'operation', 'created_by', 'dreamt_by', 'copied'];

function holdsHandwriting(version: VersionRow): boolean {
  return isByHand(version) || version.copied?.may_hold_handwriting === true;
}

/**
 * Whether a person may have written some of what a memory says: a version of it is by hand, whoever wrote
 * the later ones, or its first ones are not kept any more, or so it was where it was copied from.
 */
export async function mayHoldHandwriting(
  table: Table,
  { memory_store_id, memory_id }: Pick<MemoryRow, 'memory_store_id' | 'memory_id'>,
): Promise<boolean> {
  const pk = `MEMVERS#${memory_store_id}#${memory_id}`;
  let is_whole = false;
  for (let from = '!'; ;) {
    const page = await table.query({ pk, index: 'list', from, to: '~' });
    const versions = (await table.getMany(page.rows, { attributes })) as VersionRow[];
    if (versions.some(holdsHandwriting)) return true;
    is_whole ||= versions.some(({ operation }) => operation === 'created');
    const last = page.rows.at(-1);
    if (!page.more || last === undefined) return !is_whole;
    from = `${last.sk}!`;
  }
}
