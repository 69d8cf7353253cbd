import { rosterOf } from '../team/roster.ts';
import { teamToolDefinitions } from '../team/team-tools.ts';
import { toolDefinitions, type ToolDefinition } from '../tools/tools.ts';
import type { Turn } from './turn.ts';

/** Every tool that the model of a thread is told of. */
export function offeredTools({ agent, ports }: Turn): ToolDefinition[] {
  return [
    ...toolDefinitions(agent.tools, { has_search: ports.search }),
    ...teamToolDefinitions(rosterOf(agent)),
  ];
}
