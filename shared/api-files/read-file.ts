import type { Call } from '../core/call.ts';
import { Fault } from '../core/fault.ts';
import { limits } from '../core/limits.ts';
import type { Ports } from '../core/ports.ts';
import { sessionKey, type SessionHead } from '../sessions/session.ts';
import { fileKey, type ApiFile } from './api-file.ts';

type ReadPorts = Pick<Ports, 'table' | 'clock'>;

/**
 * A file for whoever may see it, also when its bytes have expired.
 *
 * @throws Fault `missing`, also for an upload that is not complete and for the files of a deleted
 *   session
 */
export async function readFile(ports: ReadPorts, call: Call, file_id: string): Promise<ApiFile> {
  const [file] = await readFiles(ports, call, [file_id]);
  if (file === undefined) throw noFile(file_id);
  return file;
}

/** Those of the files that the caller may see, in the order of their ids; the others are left out. */
export async function readFiles(
  ports: ReadPorts,
  call: Pick<Call, 'workspace_id'>,
  file_ids: readonly string[],
): Promise<ApiFile[]> {
  const rows = (await ports.table.getMany(file_ids.map(fileKey))) as ApiFile[];
  const now_ms = ports.clock.now().getTime();
  const files = rows.filter(
    (file) => file.workspace_id === call.workspace_id && isVisible(file, now_ms),
  );
  const scopes = new Set(files.flatMap(({ scope }) => scope?.id ?? []));
  if (scopes.size === 0) return files;
  const sessions = (await ports.table.getMany([...scopes].map(sessionKey))) as SessionHead[];
  const there = new Set(
    sessions.flatMap(({ deleted_at, session_id }) => (deleted_at === null ? [session_id] : [])),
  );
  return files.filter(({ scope }) => scope === null || there.has(scope.id));
}

export function noFile(file_id: string): Fault {
  return new Fault('missing', `File ${file_id} was not found.`);
}

function isVisible({ state, expires_on }: ApiFile, now_ms: number): boolean {
  if (state !== 'ready' && state !== 'expired') return false;
  return expires_on === null || now_ms < Date.parse(expires_on) + limits.file_tombstone_ms;
}

/** Whether a file's bytes have expired, whether or not they have been deleted yet. */
export function isExpired({ expires_on }: Pick<ApiFile, 'expires_on'>, now: Date): boolean {
  return expires_on !== null && Date.parse(expires_on) <= now.getTime();
}

export function fileExpired({ file_id, expires_on }: ApiFile): Fault {
  return new Fault(
    'missing',
    `File ${file_id} has expired at ${expires_on}: its content is gone. Upload it again.`,
    { details: { error_code: 'file_expired' } },
  );
}
