import type { Blobs } from '../core/blobs.ts';
import type { Cipher } from '../core/cipher.ts';
import { limits } from '../core/limits.ts';
import type { Change } from '../files/commit.ts';
import { deltaOf, type Manifest } from '../files/manifest.ts';
import { packKey } from '../files/pack.ts';
import type { SessionFiles } from '../files/session-files.ts';
import { sessionPrefix } from '../sessions/session.ts';
import { resolveChanges } from '../tools/changes.ts';
import { SandboxLost, type Sandbox } from '../tools/sandbox.ts';
import { fetchArchive, type GitHub, type RepositoryFault } from './github-archive.ts';
import { tokenContext } from './repository.ts';
import type { RepositoryResource } from './resource.ts';

export interface RepositoryPorts {
  readonly github: GitHub;
  readonly cipher: Cipher;
  readonly blobs: Blobs;
  readonly files: SessionFiles;
  readonly sandbox: Sandbox;
}

/** Makes a repository's files stand in its session. */
export type BringRepository = (
  resource: RepositoryResource,
  workspace_id: string,
  signal: AbortSignal,
) => Promise<RepositoryFault | undefined>;

/** Writers of the same paths are met so often only when something is wrong. */
const ATTEMPTS_MAX = 5;

/**
 * Fetch a repository, unpack it in the sandbox, and put its files into the session. What stands at
 * a path already is kept, so that it may run twice, or again where it died: what the first one has
 * written is the same.
 *
 * @returns why it could not be; undefined when the files are there
 */
export function bringRepository(ports: RepositoryPorts): BringRepository {
  return async (resource, workspace_id, signal) => {
    const { session_id, resource_id, sealed_token } = resource;
    const token =
      sealed_token === null
        ? undefined
        : await ports.cipher.open(sealed_token, tokenContext(resource));
    const archive = await fetchArchive(ports.github, { ...resource, token }, signal);
    if (!(archive instanceof Uint8Array)) return archive;
    const { newName } = ports.files.ports;
    const key = `${sessionPrefix(session_id)}repositories/${resource_id}/${newName()}.tar.gz`;
    await ports.blobs.put(key, archive, 'application/gzip');
    const upload_key = packKey(session_id, newName());
    const reply = await unpack(ports, { resource, key, upload_key }, signal);
    if ('type' in reply) return reply;
    return await place(ports, { resource, workspace_id, upload_key }, reply.changes);
  };
}

async function unpack(
  { blobs, sandbox }: RepositoryPorts,
  at: { readonly resource: RepositoryResource; readonly key: string; readonly upload_key: string },
  signal: AbortSignal,
) {
  const { session_id, mount_path, resource_id } = at.resource;
  try {
    const reply = await sandbox.invoke(
      {
        session_id,
        event_id: resource_id,
        call: {
          tool: 'unpack',
          url: await blobs.presignGet(at.key, limits.presign_s),
          mount_path,
        },
        parts: [],
        upload_url: await blobs.presignPut(at.upload_key, limits.presign_s),
        mounts: [],
        networking: { type: 'limited', allowed_hosts: [] },
      },
      signal,
    );
    if (!reply.is_error) return reply;
    const [why] = reply.content;
    return cloneFault(at.resource, why?.type === 'text' ? why.text : 'it is damaged.');
  } catch (error) {
    if (signal.aborted || !(error instanceof SandboxLost)) throw error;
    return cloneFault(at.resource, `the sandbox gave no answer (${error.message}).`);
  }
}

async function place(
  { files }: RepositoryPorts,
  at: {
    readonly resource: RepositoryResource;
    readonly workspace_id: string;
    readonly upload_key: string;
  },
  sent: Parameters<typeof resolveChanges>[2],
): Promise<RepositoryFault | undefined> {
  const { session_id, resource_id } = at.resource;
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    const { manifest } = await files.manifests.read(session_id);
    const free = sent.filter(({ path }) => !manifest.entries.has(path));
    const seen = { manifest, upload_key: at.upload_key };
    const changes = await resolveChanges(files, session_id, free, seen);
    if (!fits(manifest, changes)) {
      return cloneFault(at.resource, 'the session has no room for its files.');
    }
    const conflicts = await files.commit({
      session_id,
      workspace_id: at.workspace_id,
      base: manifest,
      changes,
      author: { thread_id: 'resource', event_id: resource_id },
      on_conflict: 'refuse',
    });
    if (conflicts.length === 0) return undefined;
  }
  return cloneFault(at.resource, 'its files were being changed by others.');
}

/** Checked before the first of its transactions: half a repository is worse than none. */
function fits(manifest: Manifest, changes: readonly Change[]): boolean {
  const delta = deltaOf(changes);
  return (
    manifest.files_count + delta.files_count <= limits.session_files_max &&
    manifest.folders_count + delta.folders_count <= limits.session_folders_max &&
    manifest.size_bytes + delta.size_bytes <= limits.session_bytes_max
  );
}

function cloneFault({ url }: RepositoryResource, why: string): RepositoryFault {
  return { type: 'repository_clone_error', message: `${url} could not be mounted: ${why}` };
}
