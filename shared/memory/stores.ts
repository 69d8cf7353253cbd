import { isDeepStrictEqual } from 'node:util';
import { again } from '../core/again.ts';
import type { Call } from '../core/call.ts';
import { timestamp } from '../core/clock.ts';
import { commit } from '../core/commit.ts';
import { listByTime, listKeys } from '../core/listing.ts';
import { mergeMetadata } from '../core/metadata.ts';
import { forwardOnly, type Page } from '../core/page.ts';
import type { Ports } from '../core/ports.ts';
import type { Write } from '../core/table.ts';
import { storeArchived } from './explain.ts';
import { storeKey, type StoreHead } from './memory.ts';
import type { StoreCreate, StoreListQuery, StoreUpdate } from './memory-wire.ts';
import { readStore } from './read-store.ts';
import { showStore, type MemoryStore } from './show-memory.ts';

export async function createStore(
  ports: Ports,
  call: Call,
  body: StoreCreate,
): Promise<MemoryStore> {
  const { workspace_id } = call;
  const id = ports.newId('memory_store');
  const created_at = timestamp(ports.clock);
  const head: StoreHead = {
    ...storeKey(id),
    schema: 1,
    memory_store_id: id,
    workspace_id,
    name: body.name,
    description: body.description ?? '',
    metadata: body.metadata ?? {},
    created_at,
    updated_at: created_at,
    archived_at: null,
    deleted_at: null,
    config_version: 1,
    revision: 0,
    memories_count: 0,
    ...listKeys(workspace_id, 'memory_store', { id, created_at }),
  };
  const write: Write = { put: head, condition: 'attribute_not_exists(pk)' };
  return await commit(ports, call, [write], { answer: showStore(head) });
}

/** @throws Fault `missing`, also for another workspace's store */
export async function getStore(ports: Ports, call: Call, id: string): Promise<MemoryStore> {
  return showStore(await readStore(ports.table, call.workspace_id, id));
}

/**
 * Change what a store is called. The last write wins: a lost race decides again upon what the
 * winner wrote. What changes nothing is not written.
 *
 * @throws Fault `missing`; `invalid` for an archived store and for too much metadata
 */
export async function updateStore(
  ports: Ports,
  call: Call,
  id: string,
  body: StoreUpdate,
): Promise<MemoryStore> {
  return await again(`memory store '${id}'`, async () => {
    const head = await readStore(ports.table, call.workspace_id, id);
    if (head.archived_at !== null) throw storeArchived(id);
    const fields = {
      name: body.name ?? head.name,
      description: body.description ?? head.description,
      metadata: mergeMetadata(head.metadata, body.metadata),
    };
    if (isSame(head, fields)) {
      return await commit(ports, call, [], { answer: showStore(head) });
    }
    const next = { ...head, ...fields, updated_at: timestamp(ports.clock) };
    return await commit(ports, call, [configWrite(next)], { answer: showStore(next) });
  });
}

function isSame(head: StoreHead, fields: Pick<StoreHead, 'name' | 'description' | 'metadata'>) {
  return isDeepStrictEqual(
    [head.name, head.description, head.metadata],
    [fields.name, fields.description, fields.metadata],
  );
}

/** The store's own fields, when nobody changed them since; its memories may change meanwhile. */
function configWrite(next: StoreHead): Write {
  return {
    update: storeKey(next.memory_store_id),
    expression:
      'SET #name = :name, description = :description, metadata = :metadata, updated_at = :at, archived_at = :archived, config_version = :next',
    condition: 'config_version = :read AND deleted_at = :null',
    names: { '#name': 'name' },
    values: {
      ':name': next.name,
      ':description': next.description,
      ':metadata': next.metadata,
      ':at': next.updated_at,
      ':archived': next.archived_at,
      ':read': next.config_version,
      ':next': next.config_version + 1,
      ':null': null,
    },
  };
}

/** One-way; memories can still be read and deleted. A repeat answers as the first did. @throws Fault `missing` */
export async function archiveStore(ports: Ports, call: Call, id: string): Promise<MemoryStore> {
  return await again(`memory store '${id}'`, async () => {
    const head = await readStore(ports.table, call.workspace_id, id);
    if (head.archived_at !== null) {
      return await commit(ports, call, [], { answer: showStore(head) });
    }
    const at = timestamp(ports.clock);
    const next = { ...head, archived_at: at, updated_at: at };
    return await commit(ports, call, [configWrite(next)], { answer: showStore(next) });
  });
}

/** Newest first. */
export async function listStores(
  ports: Ports,
  call: Call,
  query: StoreListQuery,
): Promise<Page<MemoryStore>> {
  const { limit, page, include_archived } = query;
  const { 'created_at[gte]': gte, 'created_at[lte]': lte } = query;
  const list = { limit, page, gte, lte, workspace_id: call.workspace_id, key: storeKey };
  return forwardOnly(
    await listByTime(ports.table, { ...list, noun: 'memory_store' }, async (row) => {
      const head = row as StoreHead;
      if (head.deleted_at !== null) return undefined;
      return head.archived_at !== null && !include_archived ? undefined : showStore(head);
    }),
  );
}
