import type { Table } from '../core/table.ts';
import { sessionKey, type SessionConfig } from '../sessions/session.ts';
import { resourceKeys, type Resource } from './resource.ts';

/** The resources of a session by the time of their creation. Costs nothing where there never was one. */
export async function resourcesOf(
  table: Table,
  { session_id, resources_revision }: SessionConfig,
): Promise<Resource[]> {
  if (resources_revision === 0) return [];
  const found: Resource[] = [];
  const { pk } = sessionKey(session_id);
  let from: string = resourceKeys.from;
  for (;;) {
    const { rows, more } = await table.query({ pk, from, to: resourceKeys.to });
    found.push(...(rows as Resource[]));
    const last = rows.at(-1);
    if (!more || last === undefined) return found;
    from = `${last.sk}\0`;
  }
}
