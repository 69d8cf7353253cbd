import type {
  BetaManagedAgentsAgentToolset20260401,
  BetaManagedAgentsCustomTool,
} from '@anthropic-ai/sdk/resources/beta/agents/agents';
import type {
  BetaManagedAgentsDocumentBlock,
  BetaManagedAgentsImageBlock,
  BetaManagedAgentsSearchResultBlock,
  BetaManagedAgentsTextBlock,
} from '@anthropic-ai/sdk/resources/beta/sessions/events';
import * as z from 'zod';
import type { WritesAt } from '../files/commit.ts';
import type { ShownPlaybook } from '../playbooks/playbook-reads.ts';
import type { StoreMount } from '../resources/resource.ts';
import type { Networking } from './sandbox.ts';
import { isToolName, toolset, type ToolName } from './toolset.ts';
import type { ToolUsage } from './search.ts';
import type { SeenText, WebRules } from './web-rules.ts';

/** A tool as the model is offered it. */
export interface ToolDefinition {
  readonly name: string;
  readonly description: string;
  readonly input_schema: { readonly type: 'object'; readonly [keyword: string]: unknown };
}

/** What of an agent's `tools` this room knows; MCP toolsets are another's. */
export type AgentTool =
  | BetaManagedAgentsAgentToolset20260401
  | BetaManagedAgentsCustomTool
  | { readonly type: 'mcp_toolset' };

export type ResultBlock =
  | BetaManagedAgentsTextBlock
  | BetaManagedAgentsImageBlock
  | BetaManagedAgentsDocumentBlock
  | BetaManagedAgentsSearchResultBlock;

/** One call of a built-in tool, as the log has it. */
export interface ToolCall {
  readonly session_id: string;
  readonly workspace_id: string;
  readonly thread_id: string;
  /** The `agent.tool_use` event. */
  readonly event_id: string;
  readonly name: string;
  /** As the model gave it; it is checked here. */
  readonly input: unknown;
  readonly environment: { readonly networking: Networking };
  /** Memory stores in the session's file system. @default - none */
  readonly mounts?: readonly StoreMount[];
  /** The configuration of web_fetch or web_search. @default - no rules */
  readonly web?: WebRules;
  /** What the conversation has shown, for the rule of `url_sources`. @default - nothing */
  readonly seen?: SeenText;
  /** Where the agent's model may run, and so whatever model helps it. @default - anywhere */
  readonly inference_geo?: string;
  /** Whether other threads work on the same files. @default false */
  readonly in_team?: boolean;
  /** @default - the outcome is recorded when the call has ended */
  readonly recordWith?: RecordWith;
}

/**
 * Record a call's outcome in one transaction with rows that the call has changed: both stand there or
 * neither, and it is a request less.
 * @returns false where nothing was written: the rows are to be written by themselves, the outcome later.
 */
export type RecordWith = (outcome: ToolOutcome, writes: WritesAt) => Promise<boolean>;

export interface ToolOutcome {
  readonly content: ResultBlock[];
  readonly is_error: boolean;
  readonly usage?: ToolUsage;
  /** Playbooks whose steps stand in `content`. @default - none */
  readonly playbooks?: readonly ShownPlaybook[];
}

export interface ToolRunner {
  /**
   * Run a call to its end. A tool's failure is an outcome with `is_error`.
   * @throws Error for a fault of our own infrastructure only (table, bucket, an unparsable reply).
   */
  run(call: ToolCall, signal: AbortSignal): Promise<ToolOutcome>;
  /**
   * Begin to read what a call will need, while it is still written down that it runs. It may never be run,
   * and it sees nothing that its model was not asked behind.
   */
  foresee(call: ForeseenCall): void;
}

export type ForeseenCall = Pick<
  ToolCall,
  'session_id' | 'thread_id' | 'event_id' | 'name' | 'mounts'
>;

export interface DefinitionOptions {
  /** Whether a search can be done: by the provider's own tool or a configured search API. */
  readonly has_search: boolean;
}

/**
 * The tools that a model is offered: the enabled built-in ones, then the custom ones, each in an
 * order that never changes, for they are the first part of the prompt cache.
 */
export function toolDefinitions(
  tools: readonly AgentTool[],
  options: DefinitionOptions,
): ToolDefinition[] {
  const built_in = enabledTools(tools)
    .filter((name) => name !== 'web_search' || options.has_search)
    .map((name) => definitions[name]);
  const custom = tools
    .filter((tool) => tool.type === 'custom')
    .map(({ name, description, input_schema }) => ({
      name,
      description,
      input_schema: { ...input_schema, type: 'object' as const },
    }));
  return [...built_in, ...custom];
}

/** The built-in tools that an agent has, by its toolset's defaults and exceptions. */
export function enabledTools(tools: readonly AgentTool[]): ToolName[] {
  const toolsets = tools.filter((tool) => tool.type === 'agent_toolset_20260401');
  return (Object.keys(toolset) as ToolName[]).filter((name) =>
    toolsets.some(({ configs, default_config }) => {
      const own = configs.find((config) => config.name === name);
      return own?.enabled ?? default_config.enabled;
    }),
  );
}

const definitions = Object.fromEntries(
  Object.entries(toolset).map(([name, { description, input }]) => {
    const { $schema: _, ...schema } = z.toJSONSchema(input);
    return [name, { name, description, input_schema: schema }];
  }),
) as unknown as Record<ToolName, ToolDefinition>;

const repeatables = new Set<string>(['read', 'glob', 'grep', 'web_fetch', 'web_search']);

/**
 * Whether a call that may have run can be run again. bash, write and edit can not: their second run
 * would see the first one's files. They are answered with an error instead.
 */
export function repeatable(name: string): boolean {
  return repeatables.has(name);
}

/** Whether a name is a built-in tool that {@link ToolRunner} runs. */
export const isBuiltIn = isToolName;

/** An outcome in words. */
export function told(text: string, is_error: boolean): ToolOutcome {
  return { content: [{ type: 'text', text }], is_error };
}
