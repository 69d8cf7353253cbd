import type {
  BetaMessageParam,
  BetaToolResultBlockParam,
} from '@anthropic-ai/sdk/resources/beta/messages/messages';
import type { SessionAgent } from '../sessions/session.ts';
import { isBuiltIn } from '../tools/tools.ts';
import type { SeenText, WebRules } from '../tools/web-rules.ts';
import type { Conversation } from './messages.ts';

/** What the agent's toolset says of a web tool beyond its policy. */
export function webRulesOf(tools: SessionAgent['tools'], name: string): WebRules | undefined {
  if (name !== 'web_fetch' && name !== 'web_search') return undefined;
  for (const tool of tools) {
    if (tool.type !== 'agent_toolset_20260401') continue;
    const config = tool.configs.find((own) => own.name === name);
    if (config !== undefined) return config as WebRules;
  }
  return undefined;
}

/** The texts that a conversation has shown, by where they came from. */
export function seenText({ messages, user_texts }: Conversation): SeenText {
  const names = new Map(messages.flatMap(callsOf));
  const results = messages.flatMap(resultsOf).map(({ tool_use_id, content }) => ({
    tool: names.get(tool_use_id) ?? '',
    text: JSON.stringify(content ?? ''),
  }));
  return {
    user_input: user_texts,
    client_tool_results: results.filter(({ tool }) => !isBuiltIn(tool)),
    server_tool_results: results.filter(({ tool }) => isWeb(tool)),
  };
}

function isWeb(tool: string): boolean {
  return tool === 'web_fetch' || tool === 'web_search';
}

function callsOf({ content }: BetaMessageParam): [string, string][] {
  if (!Array.isArray(content)) return [];
  return content.flatMap((block): [string, string][] =>
    block.type === 'tool_use' ? [[block.id, block.name]] : [],
  );
}

function resultsOf({ content }: BetaMessageParam): BetaToolResultBlockParam[] {
  if (!Array.isArray(content)) return [];
  return content.flatMap((block) => (block.type === 'tool_result' ? [block] : []));
}
