import type { Ports } from '../core/ports.ts';
import { ConditionFailed, type Row } from '../core/table.ts';
import type { VersionRow } from './memory.ts';

/**
 * Remove a version whose time is over. The object goes first: readers take the version for gone
 * already, so nobody finds the row without it, and who dies here is repeated.
 *
 * @returns false when somebody else was first
 */
export async function expireVersion(
  { table, blobs }: Pick<Ports, 'table' | 'blobs'>,
  row: Row,
): Promise<boolean> {
  const { pk, sk, content, gsi2sk } = row as VersionRow;
  if (content !== null && 'blob' in content) await blobs.delete([content.blob]);
  try {
    await table.transact([
      {
        delete: { pk, sk },
        condition: 'gsi2sk = :place',
        values: { ':place': gsi2sk },
      },
    ]);
    return true;
  } catch (error) {
    if (error instanceof ConditionFailed) return false;
    throw error;
  }
}
