import { parseId } from '#shared/core/id.ts';
import { parseBody, parseQuery } from '#shared/core/parse.ts';
import type { Route } from '#shared/door/route.ts';
import { createMemory as create } from '#shared/memory/memories.ts';
import type { MemoryPorts } from '#shared/memory/memory-ports.ts';
import { BasicView, MemoryCreate } from '#shared/memory/memory-wire.ts';

/** POST /v1/memory_stores/{memory_store_id}/memories: 200 with the memory, 400, 404 or 409. */
export function createMemory(ports: MemoryPorts): Route {
  return async ({ path, query, body, call }) => {
    const store_id = parseId('memory_store', path['memory_store_id']);
    const { view } = parseQuery(BasicView, query);
    const request = { store_id, view, body: parseBody(MemoryCreate, body) };
    return { status: 200, body: await create(ports, call, request) };
  };
}
