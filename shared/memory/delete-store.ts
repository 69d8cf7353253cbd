import type { BetaManagedAgentsDeletedMemoryStore } from '@anthropic-ai/sdk/resources/beta/memory-stores/memory-stores';
import type { Call } from '../core/call.ts';
import { timestamp } from '../core/clock.ts';
import { limits } from '../core/limits.ts';
import { ConditionFailed } from '../core/table.ts';
import { storeMissing } from './explain.ts';
import { redactionOf } from '../redactions/redaction.ts';
import { storeKey } from './memory.ts';
import type { MemoryPorts } from './memory-ports.ts';
import { sweepStoreContents } from './sweep-store.ts';

export interface DeleteStorePorts extends MemoryPorts {
  /** What could not be swept at once: logged here, done by reconcile. */
  readonly sweepLost: (error: unknown) => void;
}

/**
 * `DELETE /v1/memory_stores/{memory_store_id}`. One write makes it gone for every reader and writer
 * and takes it out of the lists; it can happen once only. What is left is swept then, as far as a
 * few seconds reach, and once more by reconcile, as is what dreams have read of it.
 *
 * @throws Fault `missing`, also for a repeat
 */
export async function deleteStore(
  ports: DeleteStorePorts,
  call: Call,
  store_id: string,
): Promise<BetaManagedAgentsDeletedMemoryStore> {
  const at = timestamp(ports.clock);
  try {
    // A transaction, because it knows itself again: repeated for a lost reply, an update of its own
    // would find its own work, and who has deleted be told that there was nothing.
    await ports.table.transact([
      {
        update: storeKey(store_id),
        expression:
          'SET deleted_at = :at, gsi2pk = :deleted, gsi2sk = :place REMOVE gsi1pk, gsi1sk',
        condition: 'workspace_id = :workspace AND deleted_at = :null',
        values: {
          ':at': at,
          ':deleted': 'DELETED',
          ':place': `${at}#${store_id}`,
          ':workspace': call.workspace_id,
          ':null': null,
        },
      },
      redactionOf(call.workspace_id, { type: 'store', memory_store_id: store_id }, at),
    ]);
  } catch (error) {
    throw error instanceof ConditionFailed ? storeMissing(store_id) : error;
  }
  const until_ms = performance.now() + limits.sweep_inline_ms;
  const is_time_up = () => performance.now() >= until_ms;
  await sweepStoreContents(ports, store_id, is_time_up).catch(ports.sweepLost);
  return { id: store_id, type: 'memory_store_deleted' };
}
