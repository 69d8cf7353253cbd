import type { BetaToolUseBlock } from '@anthropic-ai/sdk/resources/beta/messages/messages';
import { createHash } from 'node:crypto';
import type { Blobs } from '../core/blobs.ts';
import { Fault } from '../core/fault.ts';
import { parseBody } from '../core/parse.ts';
import { store, type Stored } from '../core/stored.ts';
import { mayAdvise } from '../models/advisor-pair.ts';
import { sessionPrefix, type SessionAgent } from '../sessions/session.ts';
import type { ThreadAgent } from '../threads/member.ts';
import { rosterOf, type Roster } from './roster.ts';
import { team_tools, teamToolNames, type TeamToolInput, type TeamToolName } from './team-tools.ts';

/** A coordinator's call, checked and with all that it needs of the bucket. */
export type TeamCall = { readonly tool_use_id: string } & (
  | { readonly type: 'list' }
  | {
      readonly type: 'start';
      readonly agent_name: string;
      readonly agent: Stored<ThreadAgent>;
      readonly message: string;
    }
  | { readonly type: 'send'; readonly thread_id: string; readonly message: string }
  | { readonly type: 'consult'; readonly agent: Stored<ThreadAgent>; readonly question: string }
  | { readonly type: 'wrong'; readonly text: string }
);

/** The name of a block as one of the agent's team tools. @returns undefined for every other tool */
export function teamToolOf(agent: SessionAgent, name: string): TeamToolName | undefined {
  return teamToolNames(rosterOf(agent)).find((own) => own === name);
}

/** Check what the model has called, and put what is too large for a row into the bucket. */
export async function prepareCall(
  blobs: Blobs,
  session_id: string,
  agent: SessionAgent,
  { id: tool_use_id, name, input }: BetaToolUseBlock,
): Promise<TeamCall> {
  const tool = name as TeamToolName;
  const checked = checkedInput(tool, input);
  if (typeof checked === 'string') {
    return { tool_use_id, type: 'wrong', text: `${name}: ${checked}` };
  }
  const keep = async (one: ThreadAgent) => await storeAgent(blobs, session_id, one);
  const roster = rosterOf(agent);
  switch (tool) {
    case 'list_agents':
      return { tool_use_id, type: 'list' };
    case 'send_to_agent':
      return { tool_use_id, type: 'send', ...(checked as TeamToolInput<'send_to_agent'>) };
    case 'consult_advisor': {
      const model = roster.advisor_model_id ?? '';
      if (!mayAdvise(model, agent.model.id)) {
        return { tool_use_id, type: 'wrong', text: weakAdvisor(model, agent.model.id) };
      }
      const stored = await keep({ type: 'advisor', model });
      const { question } = checked as TeamToolInput<'consult_advisor'>;
      return { tool_use_id, type: 'consult', agent: stored, question };
    }
    case 'start_inline_agent': {
      const { name: agent_name, system, message } = checked as TeamToolInput<'start_inline_agent'>;
      const stored = await keep(inlineAgent(agent, agent_name, system));
      return { tool_use_id, type: 'start', agent_name, agent: stored, message };
    }
    case 'start_agent': {
      const { agent: handle, message } = checked as TeamToolInput<'start_agent'>;
      const found = roster.agents.find((one) => one.handle === handle || one.agent.id === handle);
      if (found === undefined) {
        return { tool_use_id, type: 'wrong', text: unknownAgent(handle, roster) };
      }
      const stored = await keep(found.agent);
      return { tool_use_id, type: 'start', agent_name: found.agent.name, agent: stored, message };
    }
  }
}

/** Checked when the agent was saved, too; but a session's model may be another by now. */
function weakAdvisor(advisor: string, own: string): string {
  return `consult_advisor: '${advisor}' is less capable than your model '${own}', so it is not asked. Go on without it.`;
}

function unknownAgent(handle: string, { agents }: Roster): string {
  const known = agents.map((one) => `'${one.handle}'`).join(', ');
  return `start_agent: agent: there is no '${handle.slice(0, 80)}'. Use one of ${known}.`;
}

/** It has its coordinator's model, tools, servers and skills, and a prompt of its own. */
function inlineAgent(coordinator: SessionAgent, name: string, system: string): ThreadAgent {
  const { model, tools, mcp_servers, skills, execution_identity } = coordinator;
  return {
    type: 'inline',
    name,
    description: null,
    system,
    model,
    tools,
    mcp_servers,
    skills,
    execution_identity,
  };
}

/** Named by its content: the same agent is one object, however often it is started. */
async function storeAgent(blobs: Blobs, session_id: string, agent: ThreadAgent) {
  const hash = createHash('sha256').update(JSON.stringify(agent)).digest('hex');
  return await store(blobs, `${sessionPrefix(session_id)}agent/${hash}.json`, agent);
}

/** @returns the input, or a sentence that names the field that is wrong. */
function checkedInput(name: TeamToolName, input: unknown): object | string {
  try {
    return parseBody(team_tools[name].input, input ?? null);
  } catch (error) {
    if (error instanceof Fault) return error.message;
    throw error;
  }
}
