import { limits } from '../core/limits.ts';
import type { Ports } from '../core/ports.ts';
import { ConditionFailed, type Update } from '../core/table.ts';
import { fileDueKeys, fileKey, type ApiFile } from './api-file.ts';
import { removeFile, removeObject, type RemovePorts } from './remove-file.ts';

/**
 * What is due for a file that reconcile has found in the index: an upload that never came and a
 * deletion that died are removed, expired bytes are deleted, and a month later what was kept of them.
 * Safe to repeat and to run twice at once.
 *
 * @param file As it is now; the index lags.
 * @returns whether there was something to do
 */
export async function expireFile(
  ports: RemovePorts & Pick<Ports, 'clock'>,
  file: ApiFile,
): Promise<boolean> {
  const now = ports.clock.now().toISOString();
  if (file.gsi2sk === undefined || file.gsi2sk > `${now}#~`) return false;
  switch (file.state) {
    case 'pending':
      // Whoever completes it at this moment wins or loses here, before any byte goes.
      if (!(await wins(ports, forgotten(file)))) return false;
      await removeFile(ports, file);
      return true;
    case 'ready':
      // Readers go by the time: nobody reads the object any more.
      await removeObject(ports, file);
      return await wins(ports, expired(file));
    case 'deleted':
    case 'expired':
      await removeFile(ports, file);
      return true;
  }
}

async function wins({ table }: RemovePorts, update: Update): Promise<boolean> {
  try {
    await table.transact([update]);
    return true;
  } catch (error) {
    if (error instanceof ConditionFailed) return false;
    throw error;
  }
}

function forgotten(file: ApiFile): Update {
  return {
    update: fileKey(file.file_id),
    expression: 'SET #state = :deleted',
    condition: '#state = :pending',
    names: { '#state': 'state' },
    values: { ':deleted': 'deleted', ':pending': 'pending' },
  };
}

function expired(file: ApiFile): Update {
  const end_ms = Date.parse(file.expires_on ?? '') + limits.file_tombstone_ms;
  const { gsi2sk } = fileDueKeys(file.file_id, new Date(end_ms).toISOString());
  return {
    update: fileKey(file.file_id),
    expression: 'SET #state = :expired, gsi2sk = :due',
    condition: '#state = :ready',
    names: { '#state': 'state' },
    values: { ':expired': 'expired', ':ready': 'ready', ':due': gsi2sk },
  };
}
