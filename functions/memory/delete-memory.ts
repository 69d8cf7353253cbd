import { parseId } from '#shared/core/id.ts';
import { parseQuery } from '#shared/core/parse.ts';
import type { Route } from '#shared/door/route.ts';
import { deleteMemory as remove } from '#shared/memory/memories.ts';
import type { MemoryPorts } from '#shared/memory/memory-ports.ts';
import { MemoryDeleteQuery } from '#shared/memory/memory-wire.ts';

/** DELETE /v1/memory_stores/{memory_store_id}/memories/{memory_id}: 200 with its id, 400, 404 or 409. */
export function deleteMemory(ports: MemoryPorts): Route {
  return async ({ path, query, call }) => {
    const store_id = parseId('memory_store', path['memory_store_id']);
    const memory_id = parseId('memory', path['memory_id']);
    const { expected_content_sha256 } = parseQuery(MemoryDeleteQuery, query);
    const request = { store_id, memory_id, expected_content_sha256 };
    return { status: 200, body: await remove(ports, call, request) };
  };
}
