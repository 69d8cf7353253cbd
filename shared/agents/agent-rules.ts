import { isDeepStrictEqual } from 'node:util';
import { Fault } from '../core/fault.ts';
import { limits } from '../core/limits.ts';
import { mergeMetadata } from '../core/metadata.ts';
import type { Agent, AgentConfig } from './agent.ts';
import type { AgentCreate, AgentUpdate } from './agent-bodies.ts';
import { resolveModel } from './model.ts';
import { atNextVersion, checkTeam, checkTeamTools, type Team } from './team.ts';
import { checkTools, resolveTools } from './tools.ts';

/**
 * Make version 1 of an agent.
 *
 * @param team Its members, looked up.
 * @throws Fault `invalid` when its parts do not fit together.
 */
export function newAgent(id: string, body: AgentCreate, now: string, team: Team): Agent {
  const model = resolveModel(body.model);
  checkTeam(model, team);
  const config = checked({
    name: body.name,
    description: body.description || null,
    system: body.system || null,
    model,
    tools: resolveTools(body.tools ?? []),
    mcp_servers: body.mcp_servers ?? [],
    skills: [],
    multiagent: atNextVersion(team.multiagent, { id, version: 0 }),
    execution_identity: { type: 'service_account' },
    metadata: { ...body.metadata },
  });
  const times = { created_at: now, updated_at: now, archived_at: null };
  return { id, type: 'agent', version: 1, ...config, ...times };
}

/**
 * Whether an agent takes an update at all: asked before anything else of the body is looked at.
 *
 * @throws Fault `conflict` when `version` is not the agent's, even if the rest would change
 *   nothing; Fault `invalid` when the agent is archived.
 */
export function checkUpdatable(agent: Agent, body: AgentUpdate): void {
  if (agent.archived_at !== null) {
    throw new Fault('invalid', `agent '${agent.id}' is archived, so it cannot be updated.`, {
      details: { error_code: 'agent_archived' },
    });
  }
  if (body.version !== undefined && body.version !== agent.version) throw outdated(agent.version);
}

/**
 * Decide what an update makes of an agent that takes it. Pure. Omitted is kept; a scalar or a list
 * replaces; null or empty clears a text or a list; metadata merges by key.
 *
 * @param team What its `multiagent` becomes, looked up.
 * @returns the next version, or `agent` itself when nothing really changes.
 * @throws Fault `invalid` when its parts would not fit together.
 */
export function updateAgent(agent: Agent, body: AgentUpdate, now: string, team: Team): Agent {
  const config = configOf(agent);
  const model = body.model === undefined ? config.model : resolveModel(body.model, config.model);
  checkTeam(model, team);
  const next = checked({
    ...config,
    name: body.name ?? config.name,
    description: cleared(body.description, config.description),
    system: cleared(body.system, config.system),
    model,
    multiagent: team.multiagent,
    tools: body.tools === undefined ? config.tools : resolveTools(body.tools ?? []),
    mcp_servers: body.mcp_servers === undefined ? config.mcp_servers : (body.mcp_servers ?? []),
    metadata: mergeMetadata(config.metadata, body.metadata),
  });
  if (isDeepStrictEqual(next, config)) return agent;
  const multiagent = atNextVersion(next.multiagent, agent);
  return { ...agent, ...next, multiagent, version: agent.version + 1, updated_at: now };
}

function outdated(version: number): Fault {
  return new Fault(
    'conflict',
    `version: the agent is at version ${version}. Read it again and send that version.`,
    { details: { error_code: 'agent_version_mismatch' } },
  );
}

/** Tri-state of a text: omitted keeps, null or empty clears, else replaces. */
function cleared(sent: string | null | undefined, kept: string | null): string | null {
  return sent === undefined ? kept : sent || null;
}

function configOf(agent: Agent): AgentConfig {
  const { id: _id, type: _type, version: _version, ...rest } = agent;
  const { created_at: _created, updated_at: _updated, archived_at: _archived, ...config } = rest;
  return config;
}

function checked(config: AgentConfig): AgentConfig {
  checkTools(config.tools, config.mcp_servers);
  checkTeamTools(config);
  // What comes back from a row has been JSON: compare and measure what will be stored.
  const json = JSON.stringify(config);
  const bytes = Buffer.byteLength(json);
  if (bytes > limits.agent_bytes_max) {
    throw new Fault(
      'invalid',
      `The agent is ${bytes} bytes of JSON. At most ${limits.agent_bytes_max} are allowed: shorten its tools' schemas.`,
    );
  }
  return JSON.parse(json) as AgentConfig;
}
