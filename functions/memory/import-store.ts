import { parseBody } from '#shared/core/parse.ts';
import type { Route } from '#shared/door/route.ts';
import { StoreImport } from '#shared/memory-history/history-wire.ts';
import { importStore as importArchive } from '#shared/memory-history/import.ts';
import type { MemoryPorts } from '#shared/memory/memory-ports.ts';

/** POST /v1/reverie/memory_stores/import: 200 with how far it is and where to go on, 400 or 404. */
export function importStore(ports: MemoryPorts): Route {
  return async ({ body, call }) => ({
    status: 200,
    body: await importArchive(ports, call, { body: parseBody(StoreImport, body) }),
  });
}
