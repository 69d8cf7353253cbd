import type { Route } from '#shared/door/route.ts';
import type { DeleteStorePorts } from '#shared/memory/delete-store.ts';
import type { MemoryRouteName } from '#shared/routes.ts';
import { archiveStore } from './archive-store.ts';
import { createMemory } from './create-memory.ts';
import { createStore } from './create-store.ts';
import { deleteMemory } from './delete-memory.ts';
import { deleteStore } from './delete-store.ts';
import { importStore } from './import-store.ts';
import { listMemories } from './list-memories.ts';
import { listMemoryVersions } from './list-memory-versions.ts';
import { listStores } from './list-stores.ts';
import { readMemory } from './read-memory.ts';
import { readMemoryVersion } from './read-memory-version.ts';
import { readStore } from './read-store.ts';
import { redactMemoryVersion } from './redact-memory-version.ts';
import { diffMemories } from './diff-memories.ts';
import { restoreMemory } from './restore-memory.ts';
import { restoreStore } from './restore-store.ts';
import { searchMemories } from './search-memories.ts';
import { updateMemory } from './update-memory.ts';
import { updateStore } from './update-store.ts';

/** The type demands every route of shared/routes.ts: a forgotten one does not compile. */
export function routeTable(ports: DeleteStorePorts): Readonly<Record<MemoryRouteName, Route>> {
  return {
    'POST /v1/memory_stores': createStore(ports),
    'GET /v1/memory_stores': listStores(ports),
    'GET /v1/memory_stores/{memory_store_id}': readStore(ports),
    'POST /v1/memory_stores/{memory_store_id}': updateStore(ports),
    'DELETE /v1/memory_stores/{memory_store_id}': deleteStore(ports),
    'POST /v1/memory_stores/{memory_store_id}/archive': archiveStore(ports),
    'POST /v1/memory_stores/{memory_store_id}/memories': createMemory(ports),
    'GET /v1/memory_stores/{memory_store_id}/memories': listMemories(ports),
    'GET /v1/memory_stores/{memory_store_id}/memories/{memory_id}': readMemory(ports),
    'POST /v1/memory_stores/{memory_store_id}/memories/{memory_id}': updateMemory(ports),
    'PATCH /v1/memory_stores/{memory_store_id}/memories/{memory_id}': updateMemory(ports),
    'DELETE /v1/memory_stores/{memory_store_id}/memories/{memory_id}': deleteMemory(ports),
    'GET /v1/memory_stores/{memory_store_id}/memory_versions': listMemoryVersions(ports),
    'GET /v1/memory_stores/{memory_store_id}/memory_versions/{memory_version_id}':
      readMemoryVersion(ports),
    'POST /v1/memory_stores/{memory_store_id}/memory_versions/{memory_version_id}/redact':
      redactMemoryVersion(ports),
    'POST /v1/reverie/memory_stores/{memory_store_id}/memories/{memory_id}/restore':
      restoreMemory(ports),
    'POST /v1/reverie/memory_stores/{memory_store_id}/restore': restoreStore(ports),
    'GET /v1/reverie/memory_stores/{memory_store_id}/diff': diffMemories(ports),
    'GET /v1/reverie/memory_stores/{memory_store_id}/search': searchMemories(ports),
    'POST /v1/reverie/memory_stores/import': importStore(ports),
  };
}
