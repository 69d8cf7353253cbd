import { built_in_tools } from '../agents/agent.ts';
import type { SessionAgent } from '../sessions/session.ts';

type Tools = SessionAgent['tools'];

/**
 * What the agent's tools say of a call. `custom`: the client runs it, outside all policies.
 * `disabled`: nobody declared it, or it is switched off; the call is denied without a judgement.
 */
export type Policy = 'custom' | 'disabled' | 'always_allow' | 'always_ask' | 'auto';

/** Decide by name. Pure: the same tools and name always get the same policy. */
export function policyOf(tools: Tools, name: string): Policy {
  for (const tool of tools) {
    if (tool.type === 'custom') {
      if (tool.name === name) return 'custom';
    } else if (tool.type === 'agent_toolset_20260401') {
      // A name outside the toolset is not covered by its default.
      if (!built_in_tools.some((built_in) => built_in === name)) continue;
      const setting = tool.configs.find((config) => config.name === name) ?? tool.default_config;
      return setting.enabled ? setting.permission_policy.type : 'disabled';
    }
  }
  return 'disabled';
}
