import { createHash } from 'node:crypto';
import { again } from '../core/again.ts';
import type { Call } from '../core/call.ts';
import { timestamp } from '../core/clock.ts';
import { commit } from '../core/commit.ts';
import { Fault } from '../core/fault.ts';
import { listByTime, listKeys } from '../core/listing.ts';
import { forwardOnly, readPage, type Page } from '../core/page.ts';
import type { Ports } from '../core/ports.ts';
import { load, store, type Stored } from '../core/stored.ts';
import type { Write } from '../core/table.ts';
import { agentKey, versionKey, type Agent, type AgentHead, type AgentVersion } from './agent.ts';
import { newAgent, updateAgent } from './agent-rules.ts';
import type { AgentCreate, AgentListQuery, AgentUpdate, VersionListQuery } from './agent-wire.ts';

/** @throws Fault `invalid` when its parts do not fit together. */
export async function createAgent(ports: Ports, call: Call, body: AgentCreate): Promise<Agent> {
  const agent = newAgent(ports.newId('agent'), body, timestamp(ports.clock));
  const stored = await keep(ports, agent);
  const { workspace_id } = call;
  const head: AgentHead = {
    ...agentKey(agent.id),
    workspace_id,
    version: 1,
    archived_at: null,
    agent: stored,
    ...listKeys(workspace_id, 'agent', agent),
  };
  const writes: Write[] = [
    { put: head, condition: 'attribute_not_exists(pk)' },
    versionWrite(agent, stored),
  ];
  return await commit(ports, call, writes, { answer: agent });
}

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
 * Make the next version, unless nothing changes. Without `version` in the body the last write wins:
 * a lost race decides again upon what the winner wrote.
 *
 * @throws Fault `missing`, `invalid`, `conflict`: see {@link updateAgent}.
 */
export async function changeAgent(
  ports: Ports,
  call: Call,
  id: string,
  body: AgentUpdate,
): Promise<Agent> {
  return await again(`agent '${id}'`, async () => {
    const head = await readHead(ports, call, id);
    const agent = await shown(ports, head, head.agent);
    const next = updateAgent(agent, body, timestamp(ports.clock));
    const writes = next === agent ? [] : await updateWrites(ports, next);
    return await commit(ports, call, writes, { answer: next });
  });
}

async function updateWrites(ports: Ports, next: Agent): Promise<Write[]> {
  const stored = await keep(ports, next);
  return [
    {
      update: agentKey(next.id),
      expression: 'SET version = :next, #agent = :agent',
      condition: 'version = :read AND archived_at = :never',
      // A reserved word of DynamoDB.
      names: { '#agent': 'agent' },
      values: {
        ':next': next.version,
        ':read': next.version - 1,
        ':agent': stored,
        ':never': null,
      },
    },
    versionWrite(next, stored),
  ];
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

/** One-way. A repeat answers as the first did. @throws Fault `missing` */
export async function archiveAgent(ports: Ports, call: Call, id: string): Promise<Agent> {
  return await again(`agent '${id}'`, async () => {
    const head = await readHead(ports, call, id);
    const agent = await shown(ports, head, head.agent);
    const archived_at = agent.archived_at ?? timestamp(ports.clock);
    const write: Write = {
      update: agentKey(id),
      expression: 'SET archived_at = :archived_at',
      // The answer shows the version that was read, so it must be the one that is archived.
      condition: 'version = :read AND archived_at = :never',
      values: { ':archived_at': archived_at, ':read': head.version, ':never': null },
    };
    const writes = agent.archived_at === null ? [write] : [];
    return await commit(ports, call, writes, { answer: { ...agent, archived_at } });
  });
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
async function shown(
  ports: Pick<Ports, 'blobs'>,
  head: AgentHead,
  stored: Stored<Agent>,
): Promise<Agent> {
  return { ...(await load(ports.blobs, stored)), archived_at: head.archived_at };
}

/** The hash keeps two racing updates, which make the same version number, from sharing an object. */
async function keep(ports: Ports, agent: Agent): Promise<Stored<Agent>> {
  const hash = createHash('sha256').update(JSON.stringify(agent)).digest('hex');
  return await store(ports.blobs, `configs/${agent.id}/${hash}.json`, agent);
}

function versionWrite(agent: Agent, stored: Stored<Agent>): Write {
  const row: AgentVersion = { ...versionKey(agent.id, agent.version), agent: stored };
  return { put: row, condition: 'attribute_not_exists(pk)' };
}
