import { parseId } from '#shared/core/id.ts';
import { parseBody, parseQuery } from '#shared/core/parse.ts';
import type { Route } from '#shared/door/route.ts';
import { MemoryRestore } from '#shared/memory-history/history-wire.ts';
import { restoreMemory as restore } from '#shared/memory-history/restore-memory.ts';
import type { MemoryPorts } from '#shared/memory/memory-ports.ts';
import { BasicView } from '#shared/memory/memory-wire.ts';

/** POST /v1/reverie/memory_stores/{memory_store_id}/memories/{memory_id}/restore: 200 with the memory, 400, 404 or 409. */
export function restoreMemory(ports: MemoryPorts): Route {
  return async ({ path, query, body, call }) => ({
    status: 200,
    body: await restore(ports, call, {
      store_id: parseId('memory_store', path['memory_store_id']),
      memory_id: parseId('memory', path['memory_id']),
      ...parseQuery(BasicView, query),
      ...parseBody(MemoryRestore, body),
    }),
  });
}
