import { parseId } from '#shared/core/id.ts';
import { parseBody, parseQuery } from '#shared/core/parse.ts';
import type { Route } from '#shared/door/route.ts';
import { updateMemory as update } from '#shared/memory/memories.ts';
import type { MemoryPorts } from '#shared/memory/memory-ports.ts';
import { BasicView, MemoryUpdate } from '#shared/memory/memory-wire.ts';

/**
 * POST or PATCH /v1/memory_stores/{memory_store_id}/memories/{memory_id}: 200 with the memory as it
 * now is, 400, 404 or 409.
 */
export function updateMemory(ports: MemoryPorts): Route {
  return async ({ path, query, body, call }) => {
    const store_id = parseId('memory_store', path['memory_store_id']);
    const memory_id = parseId('memory', path['memory_id']);
    const { view } = parseQuery(BasicView, query);
    const request = { store_id, memory_id, view, body: parseBody(MemoryUpdate, body) };
    return { status: 200, body: await update(ports, call, request) };
  };
}
