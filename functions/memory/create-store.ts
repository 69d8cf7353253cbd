import { parseBody } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { StoreCreate } from '#shared/memory/memory-wire.ts';
import { createStore as create } from '#shared/memory/stores.ts';

/** POST /v1/memory_stores: 200 with the empty store, or 400. */
export function createStore(ports: Ports): Route {
  return async ({ body, call }) => {
    return { status: 200, body: await create(ports, call, parseBody(StoreCreate, body)) };
  };
}
