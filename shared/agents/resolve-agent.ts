import type { BetaManagedAgentsSessionThreadAgent } from '@anthropic-ai/sdk/resources/beta/agents/agents';
import type { Call } from '../core/call.ts';
import { Fault } from '../core/fault.ts';
import { parseId } from '../core/id.ts';
import type { Ports } from '../core/ports.ts';
import type { Agent } from './agent.ts';
import type { AgentParam } from './agent-wire.ts';
import { getAgentAndHead, getVersion } from './agents.ts';
import { resolveModel } from './model.ts';
import { membersOf, withMembers, type Topology } from './multiagent.ts';
import { checkTeam, checkTeamTools } from './team.ts';
import { checkTools, resolveTools } from './tools.ts';

/** An agent as a thread runs it: the whole configuration, frozen, without the team it may start. */
export type ThreadAgent = BetaManagedAgentsSessionThreadAgent;

/** An agent as a session keeps it: with the whole configuration of each member of its team. */
export interface ResolvedAgent extends ThreadAgent {
  readonly multiagent: Topology<ThreadAgent> | null;
}

/** What a session's `agent` parameter means now. */
export interface Resolved {
  readonly agent: ResolvedAgent;
  /** Whether the agent has an outcome model by which its sessions are reported on. */
  readonly has_outcome_model: boolean;
}

/**
 * Read what a session's `agent` parameter means.
 *
 * @param param Parsed by `AgentParam`: an id, a reference with a version, or one with overrides.
 * @throws Fault `missing` for an unknown agent or version; Fault `invalid` for an archived one and
 *   for overrides that do not fit: see {@link overrideAgent}.
 */
export async function resolveAgent(ports: Ports, call: Call, param: AgentParam): Promise<Resolved> {
  const id = parseId('agent', param.id);
  const { agent, head } = await getAgentAndHead(ports, call, id, param.version);
  if (agent.archived_at !== null) {
    throw new Fault('invalid', `agent: '${agent.id}' is archived. Use another agent.`, {
      details: { error_code: 'agent_archived' },
    });
  }
  const has_outcome_model = head.outcome_model?.deleted_at === null;
  const own = overrideAgent(agent, param);
  const multiagent = await resolveTeam(ports, agent, own);
  return { agent: { ...own, multiagent }, has_outcome_model };
}

/**
 * The team at the versions that the agent's save has pinned, so a member that was changed or archived
 * since is the one that was named then. The copies that an agent may start of itself are as the
 * session has it, with its overrides; other members are not.
 */
async function resolveTeam(
  ports: Ports,
  { id, version, multiagent }: Agent,
  own: ThreadAgent,
): Promise<ResolvedAgent['multiagent']> {
  if (multiagent === null) return null;
  const members = await Promise.all(
    membersOf(multiagent).map(async (reference) => {
      const is_self = reference.id === id && reference.version === version;
      return is_self ? own : snapshotOf(await getVersion(ports, reference));
    }),
  );
  checkTeam(own.model, { multiagent, members });
  return withMembers(multiagent, members);
}

/** Everybody that may run in a session: the agent itself first, then its team. */
export function agentsOf(agent: ResolvedAgent): ThreadAgent[] {
  const { multiagent, ...own } = agent;
  return [own, ...(multiagent === null ? [] : membersOf(multiagent))];
}

/**
 * Apply a session's overrides. Pure. Each is tri-state: omitted inherits, null or empty clears, a
 * value replaces, whole. `effort` is the agent's to choose: that of an override is ignored, and a
 * session with a model of its own runs at the model's default, also where the agent's is the same.
 *
 * @throws Fault `invalid` when the model is cleared (`agent_model_required`) or when tools and MCP
 *   servers do not fit together any more.
 */
export function overrideAgent(agent: Agent, param: AgentParam): ThreadAgent {
  const base = snapshotOf(agent);
  if (param.type === 'agent') return base;
  if (param.model === null) {
    throw new Fault('invalid', 'agent.model: cannot be cleared. Leave it out, or name a model.', {
      details: { error_code: 'agent_model_required' },
    });
  }
  const resolved: ThreadAgent = {
    ...base,
    model:
      param.model === undefined ? base.model : resolveModel({ ...param.model, effort: undefined }),
    system: param.system === undefined ? base.system : param.system || null,
    tools: param.tools === undefined ? base.tools : resolveTools(param.tools ?? []),
    mcp_servers: param.mcp_servers === undefined ? base.mcp_servers : (param.mcp_servers ?? []),
  };
  checkTools(resolved.tools, resolved.mcp_servers);
  checkTeamTools({ ...resolved, multiagent: agent.multiagent });
  return resolved;
}

function snapshotOf(agent: Agent): ThreadAgent {
  const { created_at: _created, updated_at: _updated, archived_at: _archived, ...rest } = agent;
  const { metadata: _metadata, multiagent: _multiagent, ...snapshot } = rest;
  return snapshot;
}
