import { createHash } from 'node:crypto';
import { again } from '../core/again.ts';
import type { Call } from '../core/call.ts';
import { timestamp } from '../core/clock.ts';
import { commit } from '../core/commit.ts';
import { listKeys } from '../core/listing.ts';
import type { Ports } from '../core/ports.ts';
import { store, type Stored } from '../core/stored.ts';
import type { Write } from '../core/table.ts';
import type { AgentCreate, AgentUpdate } from './agent-bodies.ts';
import { checkUpdatable, newAgent, updateAgent } from './agent-rules.ts';
import { agentKey, versionKey, type Agent, type AgentHead, type AgentVersion } from './agent.ts';
import { getAgent, readHead, shown } from './agents.ts';
import { readTeam } from './team.ts';

/** @throws Fault `invalid` when its parts do not fit together; `missing` for an unknown member. */
export async function createAgent(ports: Ports, call: Call, body: AgentCreate): Promise<Agent> {
  const id = ports.newId('agent');
  const team = await readTeam(
    memberReader(ports, call),
    { id, version: 0, multiagent: null },
    body,
  );
  const agent = newAgent(id, body, timestamp(ports.clock), team);
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
    checkUpdatable(agent, body);
    const team = await readTeam(memberReader(ports, call), agent, body);
    const next = updateAgent(agent, body, timestamp(ports.clock), team);
    const writes = next === agent ? [] : await updateWrites(ports, next);
    return await commit(ports, call, writes, { answer: next });
  });
}

/**
 * A member that is archived between its reading and the save was there when it was named: no
 * condition holds it, as none holds it after the save.
 */
function memberReader(ports: Ports, call: Call) {
  return async (id: string, version?: number) => await getAgent(ports, call, id, version);
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

/** The hash keeps two racing updates, which make the same version number, from sharing an object. */
async function keep(ports: Ports, agent: Agent): Promise<Stored<Agent>> {
  const hash = createHash('sha256').update(JSON.stringify(agent)).digest('hex');
  return await store(ports.blobs, `configs/${agent.id}/${hash}.json`, agent);
}

function versionWrite(agent: Agent, stored: Stored<Agent>): Write {
  const row: AgentVersion = { ...versionKey(agent.id, agent.version), agent: stored };
  return { put: row, condition: 'attribute_not_exists(pk)' };
}
