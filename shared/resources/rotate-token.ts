import { again } from '../core/again.ts';
import type { Call } from '../core/call.ts';
import { timestamp } from '../core/clock.ts';
import { commit } from '../core/commit.ts';
import { Fault } from '../core/fault.ts';
import type { Write } from '../core/table.ts';
import { named, readChangeable, touchSession } from './change-resources.ts';
import type { ResourcePorts } from './plan-resources.ts';
import { tokenContext } from './repository.ts';
import { resourceKey, type ShownResource } from './resource.ts';
import type { ResourceUpdate } from './resource-wire.ts';
import { showResource } from './show-resource.ts';

/**
 * `POST /v1/sessions/{session_id}/resources/{resource_id}`: give a repository another token. A
 * repository that could not be fetched is tried with it at the next turn.
 *
 * @throws Fault `missing`; `invalid` for what is no repository, or when the session is archived
 */
export async function rotateToken(
  ports: ResourcePorts,
  call: Call,
  ids: { readonly session_id: string; readonly resource_id: string },
  { authorization_token }: ResourceUpdate,
): Promise<ShownResource> {
  const { session_id, resource_id } = ids;
  return await again(`session '${session_id}'`, async () => {
    const { resources } = await readChangeable(ports.table, call, session_id);
    const resource = named(resources, resource_id);
    if (resource.type !== 'github_repository') {
      throw new Fault('invalid', 'Only the token of a github_repository can be changed.');
    }
    const at = timestamp(ports.clock);
    const sealed = await ports.cipher.seal(authorization_token, tokenContext(resource));
    const update: Write = {
      update: resourceKey(session_id, resource_id),
      expression: 'SET sealed_token = :sealed, updated_at = :at',
      condition: 'attribute_exists(pk)',
      values: { ':sealed': sealed, ':at': at },
    };
    const answer = showResource({ ...resource, updated_at: at });
    return await commit(ports, call, [...touchSession(session_id, at), update], { answer });
  });
}
