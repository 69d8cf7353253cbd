import pLimit from 'p-limit';
import { timestamp } from '../core/clock.ts';
import { limits } from '../core/limits.ts';
import type { Ports } from '../core/ports.ts';
import type { Write } from '../core/table.ts';
import { copyBytes, mountWrites, type MountedFile } from '../resources/mount-file.ts';
import { newHead, type NewSession } from './new-session.ts';
import type { SessionHead } from './session.ts';

/** Files whose rows are one transaction: six each, when they are mounted below the outputs. */
const FILES_PER_TRANSACTION = 16;

/**
 * Write the files of a session before the session itself: 500 of them are more than a transaction
 * holds, and their bytes are none at all. First of all its head, as that of a session that was
 * deleted at a time to come: nobody finds it, and if its creation ends here or anywhere before its
 * last transaction, reconcile sweeps it with all that was written.
 *
 * @returns the condition under which the last transaction may put the real head
 * @throws Fault `too_large` when the files are more than a session may hold
 */
export async function writeFirst(
  ports: Pick<Ports, 'table' | 'blobs' | 'clock'>,
  made: NewSession,
  files: readonly MountedFile[],
): Promise<Pick<Write & { put: SessionHead }, 'condition' | 'values'>> {
  const due = new Date(Date.parse(made.at) + limits.reserved_ms).toISOString();
  const place = `${due}#${made.session_id}`;
  const head: SessionHead = {
    ...newHead(made),
    deleted_at: made.at,
    gsi2pk: 'DELETED',
    gsi2sk: place,
  };
  await ports.table.transact([{ put: head, condition: 'attribute_not_exists(pk)' }]);
  const limit = pLimit(limits.copies_parallel_max);
  await Promise.all(
    files.map(async (file) => await limit(async () => await copyBytes(ports, file))),
  );
  for (let first = 0; first < files.length; first += FILES_PER_TRANSACTION) {
    const some = files.slice(first, first + FILES_PER_TRANSACTION);
    await ports.table.transact(mountWrites(some, timestamp(ports.clock)));
  }
  return { condition: 'gsi2sk = :place', values: { ':place': place } };
}
