import type { BetaManagedAgentsDeleteSessionResource } from '@anthropic-ai/sdk/resources/beta/sessions/resources';
import { again } from '../core/again.ts';
import type { Call } from '../core/call.ts';
import { timestamp } from '../core/clock.ts';
import { Fault } from '../core/fault.ts';
import type { Ports } from '../core/ports.ts';
import { entryOf, filesKey } from '../files/entry.ts';
import { named, readChangeable, touchSession } from './change-resources.ts';
import { unmountWrites } from './mount-file.ts';

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
    const row = await table.get({
      pk: filesKey(session_id),
      sk: `F#${resource.mount_path}`,
    });
    const at = timestamp(ports.clock);
    const entry = row === undefined ? undefined : entryOf(row);
    const owner = { workspace_id: call.workspace_id, at };
    await table.transact([
      ...touchSession(session_id, at),
      ...unmountWrites(resource, owner, entry),
    ]);
    return { id: resource_id, type: 'session_resource_deleted' };
  });
}
