import type { BetaDeletedFile } from '@anthropic-ai/sdk/resources/beta/files';
import type { Call } from '../core/call.ts';
import { timestamp } from '../core/clock.ts';
import type { Ports } from '../core/ports.ts';
import { ConditionFailed, type Update } from '../core/table.ts';
import { fileDueKeys, fileKey, type ApiFile } from './api-file.ts';
import { noFile, readFile } from './read-file.ts';
import { ownObject, removeFile } from './remove-file.ts';

/**
 * `DELETE /v1/files/{file_id}`. One write makes it gone for every reader; then its object and its row
 * go. Died between: reconcile goes on, and so does a repeat, which is answered as the first was. A
 * repeat after the end finds nothing.
 *
 * A file of a session is taken out of the Files API only: the session keeps its own, and an output is
 * listed again when the agent writes it anew.
 *
 * @throws Fault `missing`
 */
export async function deleteFile(
  ports: Ports,
  call: Call,
  file_id: string,
): Promise<BetaDeletedFile> {
  const answer = { id: file_id, type: 'file_deleted' } as const;
  const half = (await ports.table.get(fileKey(file_id))) as ApiFile | undefined;
  if (half?.workspace_id === call.workspace_id && isHalfDeleted(half)) {
    await removeFile(ports, half);
    return answer;
  }
  const file = await readFile(ports, call, file_id);
  try {
    await ports.table.transact([tombstone(file, timestamp(ports.clock))]);
  } catch (error) {
    if (error instanceof ConditionFailed) throw noFile(file_id);
    throw error;
  }
  if (ownObject(file) !== undefined) await removeFile(ports, file);
  return answer;
}

function isHalfDeleted(file: ApiFile): boolean {
  return file.state === 'deleted' && ownObject(file) !== undefined;
}

function tombstone(file: ApiFile, now: string): Update {
  const common = {
    update: fileKey(file.file_id),
    condition: '#state IN (:ready, :expired)',
    names: { '#state': 'state' },
  };
  const values = { ':deleted': 'deleted', ':ready': 'ready', ':expired': 'expired' };
  if (ownObject(file) === undefined) {
    return { ...common, values, expression: 'SET #state = :deleted REMOVE gsi1pk, gsi1sk' };
  }
  const { gsi2pk, gsi2sk } = fileDueKeys(file.file_id, now);
  return {
    ...common,
    values: { ...values, ':due': gsi2pk, ':place': gsi2sk },
    expression: 'SET #state = :deleted, gsi2pk = :due, gsi2sk = :place REMOVE gsi1pk, gsi1sk',
  };
}
