import type {
  BetaManagedAgentsAgent,
  BetaManagedAgentsAgentToolset20260401,
  BetaManagedAgentsCustomTool,
  BetaManagedAgentsMCPServerURLDefinition,
  BetaManagedAgentsMCPToolset,
  BetaManagedAgentsModelConfig,
} from '@anthropic-ai/sdk/resources/beta/agents/agents';
import type { Key, Row } from '../core/table.ts';
import type { Stored } from '../core/stored.ts';
import type { Multiagent } from './multiagent.ts';
import type { ModelHead } from '../outcome-models/outcome-model.ts';

/** An agent at one version, with every default filled in: what is stored is what is shown. */
export type Agent = Omit<BetaManagedAgentsAgent, 'multiagent'> & {
  readonly multiagent: Multiagent | null;
};
export type AgentModel = BetaManagedAgentsModelConfig;
export type AgentToolset = BetaManagedAgentsAgentToolset20260401;
export type McpToolset = BetaManagedAgentsMCPToolset;
export type CustomTool = BetaManagedAgentsCustomTool;
export type AgentTool = AgentToolset | McpToolset | CustomTool;
export type McpServer = BetaManagedAgentsMCPServerURLDefinition;

/** What makes a version: a change in any of these makes a new one. */
export type AgentConfig = Omit<
  Agent,
  'id' | 'type' | 'version' | 'created_at' | 'updated_at' | 'archived_at'
>;

/** `AGENT#<id>` / `HEAD`: the newest version, and what is true of the agent itself. */
export interface AgentHead extends Row {
  readonly workspace_id: string;
  readonly version: number;
  readonly archived_at: string | null;
  readonly agent: Stored<Agent>;
  /** @default - the agent never had one */
  readonly outcome_model?: ModelHead;
}

/** `AGENT#<id>` / `V#<version>`: written once. */
export interface AgentVersion extends Row {
  readonly agent: Stored<Agent>;
}

export function agentKey(id: string): Key {
  return { pk: `AGENT#${id}`, sk: 'HEAD' };
}

/** Padded, so that versions sort as text; ten digits outlive any agent. */
export function versionKey(id: string, version: number): Key {
  return { pk: `AGENT#${id}`, sk: `V#${String(version).padStart(10, '0')}` };
}

/** The names of `agent_toolset_20260401`, in the order of the API reference. */
export const built_in_tools = [
  'bash',
  'read',
  'write',
  'edit',
  'glob',
  'grep',
  'web_fetch',
  'web_search',
] as const;
