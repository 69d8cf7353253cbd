import type { Call } from '../core/call.ts';
import { forwardOnly, readPage, type Page } from '../core/page.ts';
import type { Ports } from '../core/ports.ts';
import { readParts } from '../sessions/read-session.ts';
import { named } from './change-resources.ts';
import { resourcesOf } from './read-resources.ts';
import { resourceKeys, type ShownResource } from './resource.ts';
import type { ResourceListQuery } from './resource-wire.ts';
import { showResource } from './show-resource.ts';

/**
 * The resources of a session in the order in which they were attached.
 * @throws Fault `missing`; `invalid` for a cursor that does not fit
 */
export async function listResources(
  ports: Ports,
  call: Call,
  session_id: string,
  { limit, page }: ResourceListQuery,
): Promise<Page<ShownResource>> {
  const { config } = await readParts(ports.table, call, session_id);
  const resources = await resourcesOf(ports.table, config);
  const kind = `resources/${session_id}`;
  const request = { kind, order: 'asc' as const, limit, page, ...resourceKeys };
  const read = await readPage(request, async (stretch) => {
    const rest = resources.filter(({ sk }) => sk >= stretch.from && sk <= stretch.to);
    const entries = rest
      .slice(0, stretch.limit)
      .map((resource) => ({ position: resource.sk, item: showResource(resource) }));
    return { entries, more: rest.length > entries.length };
  });
  return forwardOnly(read);
}

/** @throws Fault `missing` */
export async function retrieveResource(
  ports: Ports,
  call: Call,
  session_id: string,
  resource_id: string,
): Promise<ShownResource> {
  const { config } = await readParts(ports.table, call, session_id);
  return showResource(named(await resourcesOf(ports.table, config), resource_id));
}
