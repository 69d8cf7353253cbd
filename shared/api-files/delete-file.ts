import type { BetaDeletedFile } from '@anthropic-ai/sdk/resources/beta/files';
import type { Call } from '../core/call.ts';
import { timestamp } from '../core/clock.ts';
import type { Ports } from '../core/ports.ts';
import { ConditionFailed } from '../core/table.ts';
import { deleteMounted } from '../resources/delete-resource.ts';
import { fileDueKeys, fileKey, type ApiFile } from './api-file.ts';
import { noFile, readFile } from './read-file.ts';
import { removeFile } from './remove-file.ts';

/**
 * `DELETE /v1/files/{file_id}`. One write makes it gone for every reader; then its object and its row
 * go. Died between: reconcile goes on, and so does a repeat, which is answered as the first was. A
 * repeat after the end finds nothing.
 *
 * An output of a session is taken out of the Files API only: the session keeps its own, and it is
 * listed again when the agent writes it anew. A file that is mounted leaves its session too.
 *
 * @throws Fault `missing`
 */
export async function deleteFile(
  ports: Ports,
  call: Call,
  file_id: string,
): Promise<BetaDeletedFile> {
  const row = (await ports.table.get(fileKey(file_id))) as ApiFile | undefined;
  const is_half_deleted = row?.workspace_id === call.workspace_id && row.state === 'deleted';
  const file = is_half_deleted ? row : await readFile(ports, call, file_id);
  if (file.scope !== null && 'object' in file.source) {
    const mounted = { file_id, session_id: file.scope.id };
    if (await deleteMounted(ports, call, mounted)) return { id: file_id, type: 'file_deleted' };
  }
  if (!is_half_deleted) await hide(ports, file);
  await removeFile(ports, file);
  return { id: file_id, type: 'file_deleted' };
}

/** What two requests at once both try; one of them finds it gone. */
async function hide(ports: Ports, file: ApiFile): Promise<void> {
  const { file_id } = file;
  const { gsi2pk, gsi2sk } = fileDueKeys(file_id, timestamp(ports.clock));
  try {
    await ports.table.transact([
      {
        update: fileKey(file_id),
        expression: 'SET #state = :deleted, gsi2pk = :due, gsi2sk = :place REMOVE gsi1pk, gsi1sk',
        condition: '#state IN (:ready, :expired)',
        names: { '#state': 'state' },
        values: {
          ':deleted': 'deleted',
          ':ready': 'ready',
          ':expired': 'expired',
          ':due': gsi2pk,
          ':place': gsi2sk,
        },
      },
    ]);
  } catch (error) {
    if (error instanceof ConditionFailed) throw noFile(file_id);
    throw error;
  }
}
