import type { BetaManagedAgentsDeleteSessionResource } from '@anthropic-ai/sdk/resources/beta/sessions/resources';
import { again } from '../core/again.ts';
import type { Call } from '../core/call.ts';
import { timestamp } from '../core/clock.ts';
import { Fault } from '../core/fault.ts';
import type { Ports } from '../core/ports.ts';
import type { Table, Write } from '../core/table.ts';
import { entryOf, filesKey } from '../files/entry.ts';
import { readParts } from '../sessions/read-session.ts';
import { named, readChangeable, risen, touchSession } from './change-resources.ts';
import { unmountWrites } from './mount-file.ts';
import { resourcesOf } from './read-resources.ts';
import type { FileResource } from './resource.ts';

export type DeletedResource = BetaManagedAgentsDeleteSessionResource;

/**
 * `DELETE /v1/sessions/{session_id}/resources/{resource_id}`: take a file from a session. What the
 * agent has made of it stays: an entry that is no longer the mounted one is the agent's. Its bytes
 * stay until the session goes, because a copy that the agent has made may stand on them.
 *
 * @throws Fault `missing`, also for a repeat; `invalid` for what is no file, or when the session is
 *   archived
 */
export async function deleteResource(
  ports: Ports,
  call: Call,
  session_id: string,
  resource_id: string,
): Promise<DeletedResource> {
  const { table } = ports;
  return await again(`session '${session_id}'`, async () => {
    const { resources } = await readChangeable(table, call, session_id);
    const resource = named(resources, resource_id);
    if (resource.type !== 'file') {
      throw new Fault('invalid', 'Only files can be removed from a session; this stays with it.');
    }
    const at = timestamp(ports.clock);
    const unmount = await unmountOf(table, resource, { workspace_id: call.workspace_id, at });
    await table.transact([...touchSession(session_id, at), ...unmount]);
    return { id: resource_id, type: 'session_resource_deleted' };
  });
}

/**
 * Take the copy of a file that is mounted in a session out of the Files API: the resource goes with
 * it, for it would show an id that names nothing. Also in an archived session.
 *
 * @returns false when no resource of the session is this file
 * @throws Fault `missing` when the session is gone
 */
export async function deleteMounted(
  { table, clock }: Pick<Ports, 'table' | 'clock'>,
  call: Call,
  { file_id, session_id }: { readonly file_id: string; readonly session_id: string },
): Promise<boolean> {
  return await again(`session '${session_id}'`, async () => {
    const { session, config } = await readParts(table, call, session_id);
    const resources = await resourcesOf(table, config);
    const resource = resources.find((one) => one.type === 'file' && one.file_id === file_id);
    if (resource?.type !== 'file') return false;
    const at = timestamp(clock);
    const unmount = await unmountOf(table, resource, { workspace_id: call.workspace_id, at });
    const touch = session.archived_at === null ? touchSession(session_id, at) : [risen(session_id)];
    await table.transact([...touch, ...unmount]);
    return true;
  });
}

async function unmountOf(
  table: Table,
  resource: FileResource,
  owner: { readonly workspace_id: string; readonly at: string },
): Promise<Write[]> {
  const { session_id, mount_path } = resource;
  const row = await table.get({ pk: filesKey(session_id), sk: `F#${mount_path}` });
  return unmountWrites(resource, owner, row === undefined ? undefined : entryOf(row));
}
