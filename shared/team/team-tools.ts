import * as z from 'zod';
import { limits } from '../core/limits.ts';
import type { ToolDefinition } from '../tools/tools.ts';
import { canStart, type Roster } from './roster.ts';

const message = z
  .string()
  .min(1)
  // A blank text is left out of a request: the thread would begin with nothing.
  .refine((text) => text.trim() !== '', 'must not be blank.')
  .describe(
    'What it is told, complete in itself: the agent sees this and nothing of your conversation.',
  );

/**
 * The tools by which a coordinator works with others. They run on the server, within the transaction
 * that writes the reply down, and no event shows them as tool use.
 */
export const team_tools = {
  list_agents: {
    description:
      'List the agents that you can start, and the threads of those that you have started with their status.',
    input: z.strictObject({}),
  },
  start_agent: {
    description:
      'Start an agent on a thread of its own, with its own context, and give it its task. It shares ' +
      'your file system and works while you go on; the same agent may be started several times. When ' +
      'it ends its turn, its last message reaches you as a message. To wait for it, end your turn: ' +
      `you are woken by each report. At most ${limits.session_children_max} threads.`,
    input: z.strictObject({
      agent: z.string().min(1).describe('Name of the agent, as list_agents gives it.'),
      message,
    }),
  },
  start_inline_agent: {
    description:
      'Make up an agent for one piece of work and start it, as start_agent does. It has your model ' +
      'and your tools, and the system prompt that you give it. It is not saved.',
    input: z.strictObject({
      name: z
        .string()
        .min(1)
        .max(limits.inline_agent_name_chars_max)
        .refine((text) => !text.startsWith('anthropic.'), 'must not begin with "anthropic.".')
        .describe('A short name for it.'),
      system: z
        .string()
        .min(1)
        .max(limits.inline_agent_system_chars_max)
        .describe('Its system prompt: what it is and how it works.'),
      message,
    }),
  },
  send_to_agent: {
    description:
      'Send a message to an agent that you have started. It still knows all that was said on its ' +
      'thread. If it is at work, it reads the message when its present step is done.',
    input: z.strictObject({
      thread_id: z.string().min(1).describe('The thread, as start_agent gave it.'),
      message,
    }),
  },
  consult_advisor: {
    description:
      'Ask an advisor, a model at least as capable as you, before a hard decision or when you are ' +
      'stuck. It sees only your question, so put into it all that it must know.',
    input: z.strictObject({ question: z.string().min(1).describe('The whole question.') }),
  },
} as const;

export type TeamToolName = keyof typeof team_tools;
export type TeamToolInput<Name extends TeamToolName> = z.output<(typeof team_tools)[Name]['input']>;

/** The tools that a primary thread has by its roster, in an order that never changes. */
export function teamToolNames(roster: Roster): TeamToolName[] {
  return (Object.keys(team_tools) as TeamToolName[]).filter((name) => has[name](roster));
}

const has: Readonly<Record<TeamToolName, (roster: Roster) => boolean>> = {
  list_agents: canStart,
  start_agent: ({ agents }) => agents.length > 0,
  start_inline_agent: ({ has_inline }) => has_inline,
  send_to_agent: canStart,
  consult_advisor: ({ advisor_model_id }) => advisor_model_id !== null,
};

export function teamToolDefinitions(roster: Roster): ToolDefinition[] {
  return teamToolNames(roster).map((name) => {
    const { description, input } = team_tools[name];
    const { $schema: _, ...schema } = z.toJSONSchema(input);
    return { name, description, input_schema: schema as ToolDefinition['input_schema'] };
  });
}
