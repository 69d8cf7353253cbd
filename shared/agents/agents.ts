import type { Call } from '../core/call.ts';
import { Fault } from '../core/fault.ts';
import { listByTime } from '../core/listing.ts';
import { forwardOnly, readPage, type Page } from '../core/page.ts';
import type { Ports } from '../core/ports.ts';
import { load, type Stored } from '../core/stored.ts';
import { agentKey, versionKey, type Agent, type AgentHead, type AgentVersion } from './agent.ts';
import type { AgentListQuery, VersionListQuery } from './agent-wire.ts';
import type { AgentReference } from './multiagent.ts';

/**
 * @param version An older version; omitted for the newest.
 * @throws Fault `missing`
 */
export async function getAgent(
  ports: Ports,
  call: Call,
  id: string,
  version?: number,
): Promise<Agent> {
  return (await getAgentAndHead(ports, call, id, version)).agent;
}

/** The same, with what is true of the agent whatever its version. */
export async function getAgentAndHead(
  ports: Ports,
  call: Call,
  id: string,
  version?: number,
): Promise<{ readonly agent: Agent; readonly head: AgentHead }> {
  const head = await readHead(ports, call, id);
  if (version === undefined || version === head.version) {
    return { agent: await shown(ports, head, head.agent), head };
  }
  const row = (await ports.table.get(versionKey(id, version))) as AgentVersion | undefined;
  if (row === undefined) throw new Fault('missing', `agent '${id}' has no version ${version}.`);
  return { agent: await shown(ports, head, row.agent), head };
}

/**
 * A version that a save has pinned: that it exists, and in this workspace, was checked then, and
 * versions are never deleted.
 */
export async function getVersion(ports: Ports, { id, version }: AgentReference): Promise<Agent> {
  const row = (await ports.table.get(versionKey(id, version))) as AgentVersion | undefined;
  if (row === undefined) throw new Fault('missing', `agent '${id}' has no version ${version}.`);
  return await load(ports.blobs, row.agent);
}

/** Newest first. */
export async function listAgents(
  ports: Ports,
  call: Call,
  query: AgentListQuery,
): Promise<Page<Agent>> {
  const bounds = { gte: query['created_at[gte]'], lte: query['created_at[lte]'] };
  const { limit, page } = query;
  const list = { limit, page, ...bounds, workspace_id: call.workspace_id, key: agentKey };
  return forwardOnly(
    await listByTime(ports.table, { ...list, noun: 'agent' }, async (row) => {
      const head = row as AgentHead;
      if (head.archived_at !== null && !query.include_archived) return undefined;
      return await shown(ports, head, head.agent);
    }),
  );
}

/** Newest first. @throws Fault `missing` */
export async function listVersions(
  ports: Ports,
  call: Call,
  id: string,
  query: VersionListQuery,
): Promise<Page<Agent>> {
  const head = await readHead(ports, call, id);
  const [from, to] = [versionKey(id, 1).sk, versionKey(id, head.version).sk];
  const request = { kind: `versions of ${id}`, order: 'desc' as const, from, to, ...query };
  const page = await readPage(request, async (stretch) => {
    const { rows, more } = await ports.table.query({ pk: head.pk, ...stretch });
    const entries = rows.map(async (row) => ({
      position: row.sk,
      item: await shown(ports, head, (row as AgentVersion).agent),
    }));
    return { entries: await Promise.all(entries), more };
  });
  return forwardOnly(page);
}

/** @throws Fault `missing`, also for another workspace's agent. */
export async function readHead(
  ports: Pick<Ports, 'table'>,
  { workspace_id }: Pick<Call, 'workspace_id'>,
  id: string,
): Promise<AgentHead> {
  const head = (await ports.table.get(agentKey(id))) as AgentHead | undefined;
  if (head === undefined || head.workspace_id !== workspace_id) {
    throw new Fault('missing', `agent '${id}' was not found.`);
  }
  return head;
}

/** A version as it is shown: whether the agent is archived is true of all its versions. */
export async function shown(
  ports: Pick<Ports, 'blobs'>,
  head: AgentHead,
  stored: Stored<Agent>,
): Promise<Agent> {
  return { ...(await load(ports.blobs, stored)), archived_at: head.archived_at };
}
