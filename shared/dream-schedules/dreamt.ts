import { limits } from '../core/limits.ts';
import type { Key, Row, Table } from '../core/table.ts';
import type { DreamHead } from '../dreams/dream.ts';

/** `MEMSTORE#<store>` / `D#<session>`: when a session was last dreamt into a store by a schedule. It goes with the store. */
export interface DreamtRow extends Row {
  readonly dream_id: string;
  /** When the dream began: what the session did later is new. */
  readonly dreamt_at: string;
  /** The table's TTL, in epoch seconds. */
  readonly expires_at: number;
}

export function dreamtKey(store_id: string, session_id: string): Key {
  return { pk: `MEMSTORE#${store_id}`, sk: `D#${session_id}` };
}

const DAY_S = 86_400;

/**
 * Remember what a completed dream has read, so that the next one reads other sessions. Overwrites:
 * a newer dream of the schedule comes after this one. Runs twice: writes the same.
 */
export async function markDreamt(
  table: Table,
  { memory_store_id, session_ids, dream_id, created_at }: DreamHead,
): Promise<void> {
  const expires_at = Math.floor(Date.parse(created_at) / 1_000) + limits.dreamt_kept_days * DAY_S;
  for (let from = 0; from < session_ids.length; from += limits.transaction_writes_max) {
    const some = session_ids.slice(from, from + limits.transaction_writes_max);
    const rows = some.map((session_id): DreamtRow => ({
      ...dreamtKey(memory_store_id, session_id),
      dream_id,
      dreamt_at: created_at,
      expires_at,
    }));
    await table.transact(rows.map((put) => ({ put })));
  }
}
