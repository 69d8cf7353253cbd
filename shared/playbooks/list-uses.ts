import * as z from 'zod';
import type { Call } from '../core/call.ts';
import { limits } from '../core/limits.ts';
import { forwardOnly, readPage, type Page } from '../core/page.ts';
import { queryInt } from '../core/parse.ts';
import type { Ports } from '../core/ports.ts';
import type { Table } from '../core/table.ts';
import { resourcesOf } from '../resources/read-resources.ts';
import type { Resource } from '../resources/resource.ts';
import { readParts } from '../sessions/read-session.ts';
import { playbookReadKey, playbookReadKeys, type PlaybookReadRow } from './playbook-reads.ts';

export const PlaybookUseQuery = z.strictObject({
  limit: queryInt(1, limits.page_max).default(limits.page_default),
  page: z.string().optional(),
});
export type PlaybookUseQuery = z.output<typeof PlaybookUseQuery>;

/** A playbook that a session was offered, has read, or both. */
export interface PlaybookUse {
  readonly type: 'playbook_use';
  readonly session_id: string;
  readonly memory_store_id: string;
  readonly memory_id: string;
  /** In the store, as it was then. */
  readonly path: string;
  /** Null where it was found without an offer. */
  readonly offered: { readonly memory_version_id: string; readonly at: string } | null;
  /** The first time that a tool's answer showed its steps; null where none did. */
  readonly read: {
    readonly memory_version_id: string;
    readonly thread_id: string;
    /** The `agent.tool_use` whose answer it was. */
    readonly event_id: string;
    readonly at: string;
  } | null;
}

/**
 * `GET /v1/reverie/sessions/{session_id}/playbook_uses`, by store and memory.
 *
 * @throws Fault `missing`; `invalid` for a cursor that does not fit
 */
export async function listUses(
  { table }: Pick<Ports, 'table'>,
  call: Call,
  session_id: string,
  query: PlaybookUseQuery,
): Promise<Page<PlaybookUse>> {
  const { config } = await readParts(table, call, session_id);
  const [resources, reads] = await Promise.all([
    resourcesOf(table, config),
    readsOf(table, session_id),
  ]);
  const uses = usesOf(session_id, resources, reads);
  const request = { kind: `playbook_uses/${session_id}`, order: 'asc' as const, ...query };
  const page = await readPage({ ...request, ...playbookReadKeys }, async ({ from, to, limit }) => {
    const entries = [...uses]
      .map(([position, item]) => ({ position, item }))
      .filter(({ position }) => position >= from && position <= to)
      .toSorted((a, b) => (a.position < b.position ? -1 : 1));
    return await Promise.resolve({
      entries: entries.slice(0, limit),
      more: entries.length > limit,
    });
  });
  return forwardOnly(page);
}

/** The playbooks that a session has read: of one store, or of all. */
export async function readsOf(
  table: Table,
  session_id: string,
  memory_store_id?: string,
): Promise<PlaybookReadRow[]> {
  const below =
    memory_store_id === undefined
      ? playbookReadKeys
      : { from: `PLAYBOOK#${memory_store_id}#`, to: `PLAYBOOK#${memory_store_id}#~` };
  const { pk } = playbookReadKey(session_id, { memory_store_id: '', memory_id: '' });
  const found: PlaybookReadRow[] = [];
  for (let { from } = below, more = true; more;) {
    const page = await table.query({ pk, from, to: below.to });
    found.push(...(page.rows as PlaybookReadRow[]));
    from = `${page.rows.at(-1)?.sk ?? ''}\0`;
    ({ more } = page);
  }
  return found;
}

/** By the place that a read of it has in its session. */
function usesOf(
  session_id: string,
  resources: readonly Resource[],
  reads: readonly PlaybookReadRow[],
): Map<string, PlaybookUse> {
  const uses = new Map<string, PlaybookUse>();
  for (const store of resources) {
    if (store.type !== 'memory_store') continue;
    const { memory_store_id } = store;
    for (const { memory_id, memory_version_id, path, offered_at } of store.playbooks ?? []) {
      const { sk } = playbookReadKey(session_id, { memory_store_id, memory_id });
      const offered = { memory_version_id, at: offered_at };
      const place = { session_id, memory_store_id, memory_id, path };
      uses.set(sk, { type: 'playbook_use', ...place, offered, read: null });
    }
  }
  for (const row of reads) {
    const { sk, memory_store_id, memory_id, path } = row;
    const { memory_version_id, thread_id, event_id, read_at: at } = row;
    const read = { memory_version_id, thread_id, event_id, at };
    const offered = uses.get(sk)?.offered ?? null;
    const place = { session_id, memory_store_id, memory_id, path };
    uses.set(sk, { type: 'playbook_use', ...place, offered, read });
  }
  return uses;
}
