import type { ApiFile } from '../api-files/api-file.ts';
import { fileExpired, isExpired, noFile, readFiles } from '../api-files/read-file.ts';
import type { Call } from '../core/call.ts';
import type { Cipher } from '../core/cipher.ts';
import { Fault } from '../core/fault.ts';
import { parseId } from '../core/id.ts';
import { limits } from '../core/limits.ts';
import type { Ports } from '../core/ports.ts';
import type { Write } from '../core/table.ts';
import { storeKey, type StoreHead } from '../memory/memory.ts';
import { mountFile, type MountedFile } from './mount-file.ts';
import { checkFree, mountPath, storePath, uploadPath, type Taken } from './mount-path.ts';
import { newRepository } from './repository.ts';
import { resourceKey, storePartition, type MemoryResource, type Resource } from './resource.ts';
import type { FileParams, MemoryParams, ResourceParams } from './resource-wire.ts';
import { storeIndex } from './store-index.ts';

export interface ResourcePorts extends Ports {
  readonly cipher: Cipher;
}

/** The session that resources are for, and when. */
export interface Owner {
  readonly session_id: string;
  readonly workspace_id: string;
  readonly at: string;
}

/** The resources of a new session, decided and not yet written. */
export interface PlannedResources {
  /** In the order of the request. */
  readonly resources: readonly Resource[];
  readonly files: readonly MountedFile[];
  /** What must still be so when the session is written: its stores can be attached. */
  readonly checks: readonly Write[];
}

/** What the parameters are decided from. */
interface Planning {
  readonly ports: ResourcePorts;
  readonly owner: Owner;
  readonly files: ReadonlyMap<string, ApiFile>;
  readonly stores: ReadonlyMap<string, StoreHead>;
}

/**
 * Decide the resources of a new session. Nothing is written.
 *
 * @throws Fault `missing` for an unknown file or store; `invalid` for what cannot be attached
 */
export async function planResources(
  ports: ResourcePorts,
  call: Call,
  owner: Owner,
  params: readonly ResourceParams[],
): Promise<PlannedResources> {
  const planning = { ports, owner, ...(await findNamed(ports, call, params)) };
  const taken: Taken[] = [];
  const resources: Resource[] = [];
  const files: MountedFile[] = [];
  // One after the other: ids in the order of the request, each place taken before the next.
  for (const [index, one] of params.entries()) {
    const { resource, mounted } = await planOne(planning, one, taken);
    const place = { path: resource.mount_path, is_folder: resource.type !== 'file' };
    checkFree(`resources.${index}.mount_path`, place, taken);
    taken.push(place);
    resources.push(resource);
    if (mounted !== undefined) files.push(mounted);
  }
  const size_bytes = files.reduce((sum, { file }) => sum + file.size_bytes, 0);
  if (size_bytes > limits.session_bytes_max) throw tooMuch();
  return { resources, files, checks: [...planning.stores.keys()].map(stillOpen) };
}

async function findNamed(ports: ResourcePorts, call: Call, params: readonly ResourceParams[]) {
  const file_ids = params.flatMap((one) =>
    one.type === 'file' ? [parseId('file', one.file_id)] : [],
  );
  const store_ids = params.flatMap((one) =>
    one.type === 'memory_store' ? [parseId('memory_store', one.memory_store_id)] : [],
  );
  if (new Set(store_ids).size < store_ids.length) {
    throw new Fault('invalid', 'resources: a memory store can be attached once only.');
  }
  const [files, stores] = await Promise.all([
    readFiles(ports, call, [...new Set(file_ids)]),
    ports.table.getMany(store_ids.map(storeKey)) as Promise<StoreHead[]>,
  ]);
  const own = stores.filter(({ workspace_id }) => workspace_id === call.workspace_id);
  return {
    files: new Map(files.map((file) => [file.file_id, file])),
    stores: new Map(own.map((store) => [store.memory_store_id, store])),
  };
}

async function planOne(
  planning: Planning,
  params: ResourceParams,
  taken: readonly Taken[],
): Promise<{ readonly resource: Resource; readonly mounted?: MountedFile }> {
  const { ports, owner, files } = planning;
  switch (params.type) {
    case 'memory_store':
      return { resource: await planStore(planning, params, taken) };
    case 'github_repository':
      return { resource: await newRepository(ports, owner, params) };
    case 'file': {
      const mounted = planFile(ports, owner, params, files.get(params.file_id));
      return { resource: mounted.resource, mounted };
    }
  }
}

/**
 * Decide how a file is mounted.
 * @throws Fault `missing` when it is not there, or has expired; `invalid` for its place
 */
export function planFile(
  { clock, newId }: Pick<Ports, 'clock' | 'newId'>,
  owner: Owner,
  { file_id, mount_path }: FileParams,
  from: ApiFile | undefined,
): MountedFile {
  if (from === undefined) throw noFile(file_id);
  if (isExpired(from, clock.now())) throw fileExpired(from);
  // By the id that the client knows: it can name the path in the very same request.
  const path = mount_path ?? `/mnt/session/uploads/${file_id}`;
  return mountFile(from, {
    ...owner,
    resource_id: newId('resource'),
    file_id: newId('file'),
    mount_path: mountPath(uploadPath(path), 'mount_path'),
  });
}

async function planStore(
  { ports, owner, stores }: Planning,
  { memory_store_id, access, instructions }: MemoryParams,
  taken: readonly Taken[],
): Promise<MemoryResource> {
  const store = stores.get(memory_store_id);
  if (store === undefined || store.deleted_at !== null) throw noStore(memory_store_id);
  if (store.archived_at !== null) throw archivedStore(memory_store_id);
  const { session_id, workspace_id, at } = owner;
  const resource_id = ports.newId('resource');
  return {
    ...resourceKey(session_id, resource_id),
    schema: 1,
    type: 'memory_store',
    resource_id,
    session_id,
    mount_path: storePath(store.name, new Set(taken.map(({ path }) => path))),
    memory_store_id,
    access: access ?? 'read_write',
    instructions: instructions ?? null,
    name: store.name,
    description: store.description,
    index: await storeIndex(ports, memory_store_id),
    created_at: at,
    updated_at: at,
    gsi1pk: storePartition(workspace_id, memory_store_id),
    gsi1sk: `${at}#${session_id}`,
  };
}

/** Archiving or deleting a store meanwhile refuses the session; its memories may change. */
function stillOpen(memory_store_id: string): Write {
  return {
    check: storeKey(memory_store_id),
    condition: 'archived_at = :null AND deleted_at = :null',
    values: { ':null': null },
  };
}

function noStore(memory_store_id: string): Fault {
  return new Fault('missing', `Memory store ${memory_store_id} was not found.`);
}

/** A store was archived or deleted while the session was being created. */
export function closedStore(): Fault {
  return new Fault('invalid', 'resources: a memory store has just been archived. Leave it out.');
}

export function tooMuch(): Fault {
  return new Fault(
    'too_large',
    `The session's files would be more than ${limits.session_bytes_max} bytes. Leave some out.`,
  );
}

function archivedStore(memory_store_id: string): Fault {
  return new Fault(
    'invalid',
    `Memory store ${memory_store_id} is archived and cannot be attached. Leave it out.`,
  );
}
