import { Fault } from '../core/fault.ts';
import { limits } from '../core/limits.ts';
import {
  built_in_tools,
  type AgentTool,
  type AgentToolset,
  type McpServer,
  type McpToolset,
} from './agent.ts';
import type { AgentToolsetParams, McpToolsetParams, Policy, ToolParams } from './tools-wire.ts';

/**
 * Fill in what a caller left out: each configured tool's own setting, else the toolset's default,
 * else the platform's (built-in tools run, tools of an MCP server ask).
 */
export function resolveTools(params: readonly ToolParams[]): AgentTool[] {
  return params.map((tool) => {
    switch (tool.type) {
      case 'agent_toolset_20260401':
        return resolveToolset(tool);
      case 'mcp_toolset':
        return resolveMcpToolset(tool);
      case 'custom':
        return tool as AgentTool;
    }
  });
}

interface Setting {
  readonly enabled: boolean;
  readonly permission_policy: Policy;
}

function settingOf(
  config: { enabled?: boolean | null | undefined; permission_policy?: Policy | null | undefined },
  fallback: Setting,
): Setting {
  return {
    enabled: config.enabled ?? fallback.enabled,
    permission_policy: config.permission_policy ?? fallback.permission_policy,
  };
}

function resolveToolset(params: AgentToolsetParams): AgentToolset {
  const fallback: Setting = { enabled: true, permission_policy: { type: 'always_allow' } };
  const default_config = settingOf(params.default_config ?? {}, fallback);
  const configs = (params.configs ?? []).map((config) => {
    const resolved = { ...config, type: config.name, ...settingOf(config, default_config) };
    return config.name === 'web_fetch'
      ? { ...resolved, url_sources: config.url_sources ?? null }
      : resolved;
  });
  // The union's members differ only in `name` and `type`, which the spread has made one union each.
  return { type: params.type, default_config, configs: configs as AgentToolset['configs'] };
}

function resolveMcpToolset(params: McpToolsetParams): McpToolset {
  const fallback: Setting = { enabled: true, permission_policy: { type: 'always_ask' } };
  const default_config = settingOf(params.default_config ?? {}, fallback);
  const configs = (params.configs ?? []).map((config) => ({
    name: config.name,
    ...settingOf(config, default_config),
  }));
  const { type, mcp_server_name } = params;
  return { type, mcp_server_name, default_config, configs };
}

/**
 * What must hold between an agent's tools and its MCP servers.
 *
 * @throws Fault `invalid` that names the first rule which is broken.
 */
export function checkTools(tools: readonly AgentTool[], mcp_servers: readonly McpServer[]): void {
  refuseTwice(
    mcp_servers.map(({ name }) => name),
    'mcp_servers',
    'server',
  );
  const toolsets = tools.filter((tool) => tool.type === 'mcp_toolset');
  refuseTwice(
    toolsets.map((tool) => tool.mcp_server_name),
    'tools',
    'mcp_toolset of server',
  );
  refuseTwice(
    tools.flatMap((tool) => (tool.type === 'agent_toolset_20260401' ? [tool.type] : [])),
    'tools',
    'toolset',
  );
  for (const tool of tools) {
    if (tool.type === 'custom') continue;
    refuseTwice(
      tool.configs.map(({ name }) => name),
      'tools',
      'config of tool',
    );
  }
  checkServers(toolsets, mcp_servers);
  checkNames(tools);
  checkUrlSources(tools);
}

function checkServers(toolsets: readonly McpToolset[], mcp_servers: readonly McpServer[]): void {
  const declared = new Set(mcp_servers.map(({ name }) => name));
  const used = new Set(toolsets.map(({ mcp_server_name }) => mcp_server_name));
  for (const name of used) {
    if (declared.has(name)) continue;
    throw new Fault(
      'invalid',
      `tools: the mcp_toolset names the server '${name}', which mcp_servers does not declare. Declare it there.`,
    );
  }
  for (const name of declared) {
    if (used.has(name)) continue;
    throw new Fault(
      'invalid',
      `mcp_servers: no mcp_toolset in tools names the server '${name}'. Add one, or remove the server.`,
    );
  }
}

function checkNames(tools: readonly AgentTool[]): void {
  const names = tools.flatMap((tool) => {
    if (tool.type === 'custom') return [tool.name];
    return tool.type === 'agent_toolset_20260401' ? built_in_tools : [];
  });
  refuseTwice(names, 'tools', 'tool');
  const reserved = names.find((name) => name.startsWith('ant__'));
  if (reserved !== undefined) {
    throw new Fault('invalid', `tools: '${reserved}': names that start with ant__ are reserved.`);
  }
  const mcp = tools.reduce(
    (count, tool) => count + (tool.type === 'mcp_toolset' ? Math.max(1, tool.configs.length) : 0),
    0,
  );
  if (names.length + mcp > limits.agent_tools_max) {
    throw new Fault(
      'invalid',
      `tools: ${names.length + mcp} tools over all toolsets. At most ${limits.agent_tools_max} are allowed.`,
    );
  }
}

/** Lists in url_sources may only name tools whose results exist. */
function checkUrlSources(tools: readonly AgentTool[]): void {
  const custom = new Set(tools.flatMap((tool) => (tool.type === 'custom' ? [tool.name] : [])));
  const server = new Set(['web_search', 'web_fetch']);
  for (const tool of tools) {
    if (tool.type !== 'agent_toolset_20260401') continue;
    for (const config of tool.configs) {
      if (config.type !== 'web_fetch' || config.url_sources === null) continue;
      const { client_tool_results, server_tool_results } = config.url_sources;
      checkReferences(
        client_tool_results,
        custom,
        'client_tool_results: a custom tool of this agent',
      );
      checkReferences(server_tool_results, server, 'server_tool_results: web_search or web_fetch');
    }
  }
}

function checkReferences(
  filter: { type: string; tools?: readonly { name: string }[] } | null,
  known: ReadonlySet<string>,
  rule: string,
): void {
  const unknown = filter?.tools?.find(({ name }) => !known.has(name));
  if (unknown === undefined) return;
  throw new Fault(
    'invalid',
    `tools: web_fetch: url_sources.${rule} must be named, not '${unknown.name}'.`,
  );
}

function refuseTwice(names: readonly string[], field: string, what: string): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return;
  throw new Fault('invalid', `${field}: the ${what} '${twice}' stands there twice. Send it once.`);
}
