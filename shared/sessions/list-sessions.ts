import type { Call } from '../core/call.ts';
import { Fault } from '../core/fault.ts';
import { isId, prefixes } from '../core/id.ts';
import { listKeys, positionsWithin } from '../core/listing.ts';
import { readPage, type BidirectionalPage, type Entry } from '../core/page.ts';
import type { Ports } from '../core/ports.ts';
import { storePartition } from '../resources/resource.ts';
import { agentPartition } from './new-session.ts';
import { showRows } from './read-session.ts';
import type { SessionListQuery } from './session-wire.ts';
import { configKey, sessionKey, type SessionConfig, type SessionHead } from './session.ts';
import type { Session } from './show-session.ts';

/** Candidates of one read when a filter may leave most of them out. */
const SCAN_ROWS = 100;

/**
 * `GET /v1/sessions`, newest first unless asked otherwise. By memory store it reads only what
 * holds that store, by agent only what that agent has; every other filter looks at candidates, at most `page_scan_max` a request.
 *
 * @throws Fault `invalid` for a cursor that does not fit
 */
export async function listSessions(
  ports: Ports,
  call: Call,
  query: SessionListQuery,
): Promise<BidirectionalPage<Session>> {
  if (query.agent_version !== undefined && query.agent_id === undefined) {
    throw new Fault('invalid', 'agent_version: needs agent_id beside it.');
  }
  // No session has it, and it may be too long for a key.
  const is_odd =
    (query.agent_id !== undefined && !isId('agent', query.agent_id)) ||
    (query.memory_store_id !== undefined && !isId('memory_store', query.memory_store_id));
  if (is_odd) return { data: [], next_page: null, prev_page: null };
  const pk = partitionOf(call.workspace_id, query);
  const { from, to } = positionsWithin({
    gt: query['created_at[gt]'],
    gte: query['created_at[gte]'],
    lt: query['created_at[lt]'],
    lte: query['created_at[lte]'],
  });
  const { order, limit, page } = query;
  const request = { kind: prefixes.session, order, limit, page, from, to };
  return await readPage(request, async (stretch) => {
    const rows_max = filters(query) ? Math.max(stretch.limit, SCAN_ROWS) : stretch.limit;
    const { rows, more } = await ports.table.query({
      ...stretch,
      pk,
      index: 'list',
      limit: rows_max,
    });
    const ids = rows.map(({ pk: own }) => own.slice('SESSION#'.length));
    const found = await readMany(ports, ids);
    const entries = rows.map(async (row, index): Promise<Entry<Session>> => {
      const candidate = found.get(ids[index] ?? '');
      const item =
        candidate !== undefined && matches(candidate, query)
          ? await showRows(ports, candidate.session, candidate.config)
          : undefined;
      return { position: String(row['gsi1sk']), item };
    });
    return { entries: await Promise.all(entries), more };
  });
}

/** The partition that leaves out most. */
function partitionOf(
  workspace_id: string,
  { memory_store_id, agent_id }: SessionListQuery,
): string {
  if (memory_store_id !== undefined) return storePartition(workspace_id, memory_store_id);
  if (agent_id !== undefined) return agentPartition(workspace_id, agent_id);
  return listKeys(workspace_id, 'session', { id: '', created_at: '' }).gsi1pk;
}

function filters(query: SessionListQuery): boolean {
  const { statuses, agent_version, deployment_id, memory_store_id } = query;
  // The partition of a store has every agent's sessions; that of an agent needs no filter for it.
  const agent_id = memory_store_id === undefined ? undefined : query.agent_id;
  return [statuses, agent_version, deployment_id, agent_id].some((one) => one !== undefined);
}

interface Candidate {
  readonly session: SessionHead;
  readonly config: SessionConfig;
}

/** The sessions as they are now; the index may be a little behind. */
async function readMany(ports: Ports, ids: readonly string[]): Promise<Map<string, Candidate>> {
  const rows = await ports.table.getMany(ids.flatMap((id) => [sessionKey(id), configKey(id)]));
  const configs = new Map(
    rows.flatMap((row) => (row.sk === 'CONFIG' ? [[row.pk, row as SessionConfig]] : [])),
  );
  return new Map(
    rows.flatMap((row) => {
      const config = configs.get(row.pk);
      if (row.sk !== 'HEAD' || config === undefined) return [];
      return [[config.session_id, { session: row as SessionHead, config }]];
    }),
  );
}

function matches({ session, config }: Candidate, query: SessionListQuery): boolean {
  const { statuses, agent_id, agent_version, deployment_id } = query;
  if (session.deleted_at !== null) return false;
  if (session.archived_at !== null && !query.include_archived) return false;
  if (statuses !== undefined && !statuses.includes(session.status)) return false;
  if (agent_id !== undefined && config.agent_id !== agent_id) return false;
  if (agent_version !== undefined && config.agent_version !== agent_version) return false;
  return deployment_id === undefined || config.deployment_id === deployment_id;
}
