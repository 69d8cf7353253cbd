import type { BetaManagedAgentsSessionThreadAgent } from '@anthropic-ai/sdk/resources/beta/agents/agents';
import type { SessionAgent } from '../sessions/session.ts';

/** What a session's agent may start and ask, in one form for both kinds of configuration. */
export interface Roster {
  readonly agents: readonly RosterAgent[];
  /** Whether it may make up agents of its own. */
  readonly has_inline: boolean;
  /** Model of the advisor; null without one. */
  readonly advisor_model_id: string | null;
}

export interface RosterAgent {
  /** What the model calls it by: its name, with its id where two have the same. */
  readonly handle: string;
  readonly agent: BetaManagedAgentsSessionThreadAgent;
}

const nobody: Roster = { agents: [], has_inline: false, advisor_model_id: null };

/** Pure. A session whose agent works alone has nobody. */
export function rosterOf({ multiagent }: Pick<SessionAgent, 'multiagent'>): Roster {
  if (multiagent === null) return nobody;
  if (multiagent.type === 'coordinator') {
    const agents = multiagent.agents.flatMap((entry) => (entry.type === 'agent' ? [entry] : []));
    const advisor = multiagent.agents.find((entry) => entry.type === 'advisor');
    return { agents: named(agents), has_inline: false, advisor_model_id: advisor?.model ?? null };
  }
  const { subagents, advisor } = multiagent;
  const can_start = subagents.type === 'enabled';
  return {
    agents: can_start ? named(subagents.predefined_agents) : [],
    has_inline: can_start && subagents.inline_agents.type === 'enabled',
    advisor_model_id: advisor.type === 'enabled' ? advisor.model : null,
  };
}

export function canStart({ agents, has_inline }: Roster): boolean {
  return has_inline || agents.length > 0;
}

function named(agents: readonly BetaManagedAgentsSessionThreadAgent[]): RosterAgent[] {
  const count = new Map<string, number>();
  for (const { name } of agents) count.set(name, (count.get(name) ?? 0) + 1);
  return agents.map((agent) => {
    const { name, id, version } = agent;
    const is_alone = count.get(name) === 1;
    return { handle: is_alone ? name : `${name} (${id}, version ${version})`, agent };
  });
}
