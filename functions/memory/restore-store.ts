import { parseId } from '#shared/core/id.ts';
import { parseBody } from '#shared/core/parse.ts';
import type { Route } from '#shared/door/route.ts';
import { StoreRestoreBody } from '#shared/memory-history/history-wire.ts';
import { restoreStore as restore } from '#shared/memory-history/restore-store.ts';
import type { MemoryPorts } from '#shared/memory/memory-ports.ts';

/** POST /v1/reverie/memory_stores/{memory_store_id}/restore: 200 with what was done and where to go on, 400 or 404. */
export function restoreStore(ports: MemoryPorts): Route {
  return async ({ path, body, call }) => {
    const store_id = parseId('memory_store', path['memory_store_id']);
    const request = { store_id, body: parseBody(StoreRestoreBody, body) };
    return { status: 200, body: await restore(ports, call, request) };
  };
}
