import type { Cipher } from '../core/cipher.ts';
import type { Ports } from '../core/ports.ts';
import { mountPath } from './mount-path.ts';
import type { Owner } from './plan-resources.ts';
import { resourceKey, type RepositoryResource } from './resource.ts';
import type { RepositoryParams } from './resource-wire.ts';

/** What a sealed token is bound to: moved to another row, it cannot be opened. */
export function tokenContext({
  session_id,
  resource_id,
}: Pick<RepositoryResource, 'session_id' | 'resource_id'>) {
  return { session_id, resource_id };
}

/** A repository of a new session; it is fetched at the beginning of its first turn. */
export async function newRepository(
  { cipher, newId }: Pick<Ports, 'newId'> & { readonly cipher: Cipher },
  { session_id, at }: Owner,
  { url, authorization_token, checkout, mount_path }: RepositoryParams,
): Promise<RepositoryResource> {
  const resource_id = newId('resource');
  const path = mount_path ?? `/workspace/${url.slice(url.lastIndexOf('/') + 1)}`;
  return {
    ...resourceKey(session_id, resource_id),
    schema: 1,
    type: 'github_repository',
    resource_id,
    session_id,
    mount_path: mountPath(path, 'mount_path'),
    url,
    checkout: checkout ?? null,
    sealed_token:
      authorization_token === undefined
        ? null
        : await cipher.seal(authorization_token, tokenContext({ session_id, resource_id })),
    state: 'pending',
    tried_run: 0,
    created_at: at,
    updated_at: at,
  };
}
