import type { Route } from '#shared/door/route.ts';
import type { MemoryPorts } from '#shared/memory/memory-ports.ts';
import type { MemoryRouteName } from '#shared/routes.ts';

/** The type demands every route of shared/routes.ts: a forgotten one does not compile. */
export function routeTable(_ports: MemoryPorts): Readonly<Record<MemoryRouteName, Route>> {
  return {};
}
