import { parseId } from '#shared/core/id.ts';
import { parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { getMemory } from '#shared/memory/memories.ts';
import { FullView } from '#shared/memory/memory-wire.ts';

/** GET /v1/memory_stores/{memory_store_id}/memories/{memory_id}: 200, 400 or 404. */
export function readMemory(ports: Ports): Route {
  return async ({ path, query, call }) => {
    const store_id = parseId('memory_store', path['memory_store_id']);
    const memory_id = parseId('memory', path['memory_id']);
    const { view } = parseQuery(FullView, query);
    return { status: 200, body: await getMemory(ports, call, { store_id, memory_id, view }) };
  };
}
