import { parseId } from '#shared/core/id.ts';
import { parseBody } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { StoreUpdate } from '#shared/memory/memory-wire.ts';
import { updateStore as update } from '#shared/memory/stores.ts';

/** POST /v1/memory_stores/{memory_store_id}: 200 with the store as it now is, 400 or 404. */
export function updateStore(ports: Ports): Route {
  return async ({ path, body, call }) => {
    const id = parseId('memory_store', path['memory_store_id']);
    return { status: 200, body: await update(ports, call, id, parseBody(StoreUpdate, body)) };
  };
}
