import type {
  BetaManagedAgentsAdvisor,
  BetaManagedAgentsAgentReference,
  BetaManagedAgentsMultiagentInlineAgents,
} from '@anthropic-ai/sdk/resources/beta/agents/agents';
import { Fault } from '../core/fault.ts';
import type { MultiagentParams, RosterEntry } from './multiagent-wire.ts';

export type AgentReference = BetaManagedAgentsAgentReference;

interface Disabled {
  readonly type: 'disabled';
}
const disabled: Disabled = { type: 'disabled' };

/**
 * Either configuration over any kind of member: what a caller named, a reference with its version,
 * or the whole agent, as a session has it.
 */
export type Topology<Member> =
  | { readonly type: 'coordinator'; readonly agents: (Member | BetaManagedAgentsAdvisor)[] }
  | {
      readonly type: 'multiagent_20261001';
      readonly subagents: Subagents<Member>;
      /** Workflows are not built: see {@link MultiagentParams}. */
      readonly workflows: Disabled;
      readonly advisor: { type: 'enabled'; model: string } | Disabled;
    };

type Subagents<Member> =
  | {
      readonly type: 'enabled';
      readonly inline_agents: BetaManagedAgentsMultiagentInlineAgents;
      readonly predefined_agents: Member[];
    }
  | Disabled;

/** An agent's `multiagent`, resolved: every member at a version. */
export type Multiagent = Topology<AgentReference>;

/** What an agent's `multiagent` becomes, before its members are looked up. */
export type Draft = Topology<RosterEntry>;

/**
 * Decide what a body makes of the stored `multiagent`. Pure. Omitted keeps, null clears. A
 * `coordinator` and a configuration of another type than the stored one replace it whole; else
 * `multiagent_20261001` is merged level by level: a key that is left out keeps its value, null takes
 * the default, an object of another `type` replaces, and so does a list.
 *
 * Of the two defaults that enable, subagents' is the API's; workflows are disabled here, as the
 * answer says, so that who leaves them out, or sends back what was read, is not refused.
 */
export function draftOf(
  stored: Multiagent | null,
  sent: MultiagentParams | null | undefined,
): Draft | null {
  if (sent === undefined) return stored;
  if (sent === null || sent.type === 'coordinator') return sent;
  const before = stored?.type === 'multiagent_20261001' ? stored : undefined;
  return {
    type: sent.type,
    advisor:
      sent.advisor === undefined ? (before?.advisor ?? disabled) : (sent.advisor ?? disabled),
    subagents: subagentsOf(before?.subagents, sent.subagents),
    workflows: disabled,
  };
}

type SentSubagents = Extract<MultiagentParams, { type: 'multiagent_20261001' }>['subagents'];

function subagentsOf(
  stored: Subagents<AgentReference> | undefined,
  sent: SentSubagents,
): Subagents<RosterEntry> {
  const fresh = {
    type: 'enabled',
    inline_agents: { type: 'enabled' },
    predefined_agents: [] as RosterEntry[],
  } as const;
  if (sent === undefined) return stored ?? fresh;
  if (sent === null) return fresh;
  if (sent.type === 'disabled') return sent;
  const before = stored?.type === 'enabled' ? stored : fresh;
  const { inline_agents, predefined_agents } = sent;
  return {
    type: sent.type,
    inline_agents:
      inline_agents === undefined ? before.inline_agents : (inline_agents ?? fresh.inline_agents),
    predefined_agents:
      predefined_agents === undefined ? before.predefined_agents : (predefined_agents ?? []),
  };
}

/** The members that may be started by name, the advisor not being one of them. */
export function membersOf<Member extends { readonly type: string }>(
  topology: Topology<Member>,
): Member[] {
  if (topology.type === 'multiagent_20261001') {
    return topology.subagents.type === 'enabled' ? topology.subagents.predefined_agents : [];
  }
  return topology.agents.filter((entry): entry is Member => entry.type !== 'advisor');
}

/** The model that the primary thread may consult; undefined without one. */
export function advisorOf(topology: Topology<{ readonly type: string }>): string | undefined {
  if (topology.type === 'multiagent_20261001') {
    return topology.advisor.type === 'enabled' ? topology.advisor.model : undefined;
  }
  return topology.agents.find(isAdvisor)?.model;
}

function isAdvisor(entry: { readonly type: string }): entry is BetaManagedAgentsAdvisor {
  return entry.type === 'advisor';
}

/** The same topology with its members replaced one for one, in the order of {@link membersOf}. */
export function withMembers<Member extends { readonly type: string }, Next>(
  topology: Topology<Member>,
  members: readonly Next[],
): Topology<Next> {
  if (topology.type === 'multiagent_20261001') {
    const { subagents } = topology;
    if (subagents.type === 'disabled') return { ...topology, subagents };
    return { ...topology, subagents: { ...subagents, predefined_agents: [...members] } };
  }
  const next = members[Symbol.iterator]();
  return {
    ...topology,
    agents: topology.agents.map((entry) =>
      isAdvisor(entry) ? entry : (next.next().value as Next),
    ),
  };
}

/** Where a member stands in the body, for messages. */
export function memberField(draft: Draft, index: number): string {
  if (draft.type === 'multiagent_20261001')
    return `multiagent.subagents.predefined_agents.${index}`;
  const places = draft.agents.flatMap((entry, place) => (isAdvisor(entry) ? [] : [place]));
  return `multiagent.agents.${places[index] ?? index}`;
}

/**
 * What must hold of the merged configuration by itself: each agent once, one advisor, and something
 * to start where subagents are enabled.
 *
 * @param own_id The agent's own id: `self` names it.
 * @throws Fault `invalid`
 */
export function checkDraft(draft: Draft, own_id: string): void {
  const ids = membersOf(draft).map((entry) => (entry.type === 'self' ? own_id : entry.id));
  const twice = ids.findIndex((id, index) => ids.indexOf(id) !== index);
  if (twice !== -1) {
    throw new Fault(
      'invalid',
      `${memberField(draft, twice)}: agent '${ids[twice] ?? ''}' stands there already. Send each agent once; it can be started several times.`,
    );
  }
  if (draft.type === 'coordinator') {
    if (draft.agents.filter(isAdvisor).length <= 1) return;
    throw new Fault('invalid', 'multiagent.agents: has two advisors. Send one at most.');
  }
  const { subagents } = draft;
  if (subagents.type === 'disabled' || subagents.predefined_agents.length > 0) return;
  if (subagents.inline_agents.type === 'enabled') return;
  throw new Fault(
    'invalid',
    'multiagent.subagents: inline_agents is disabled and predefined_agents is empty, so nothing could be started. Name an agent, enable inline_agents, or send {"type":"disabled"} for subagents.',
  );
}
