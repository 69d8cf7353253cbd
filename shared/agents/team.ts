import { Fault } from '../core/fault.ts';
import { parseId } from '../core/id.ts';
import { mayAdvise } from '../models/advisor-pair.ts';
import { team_tools } from '../team/team-tools.ts';
import { ADVISOR_NAME } from '../threads/member.ts';
import type { Agent, AgentModel } from './agent.ts';
import type { AgentUpdate } from './agent-bodies.ts';
import { checkModelAge } from './model.ts';
import {
  advisorOf,
  checkDraft,
  draftOf,
  memberField,
  membersOf,
  withMembers,
  type AgentReference,
  type Draft,
  type Multiagent,
} from './multiagent.ts';
import type { RosterEntry } from './multiagent-wire.ts';

/** An agent's `multiagent` with what was read of its members: what {@link checkTeam} decides by. */
export interface Team {
  /** `self` is the agent at the version that it has now: see {@link atNextVersion}. */
  readonly multiagent: Multiagent | null;
  /** The agents behind the references, without `self`; empty where nothing has to be checked. */
  readonly members: readonly Agent[];
}

type GetAgent = (id: string, version?: number) => Promise<Agent>;

/** What a save knows of the agent: for a new one its id, and version 0 that none of its own names. */
export type Owner = Pick<Agent, 'id' | 'version' | 'multiagent'>;

/**
 * Look up the members that a body names, and pin each to a version. Nothing is read where neither
 * members nor model are sent.
 *
 * @throws Fault `missing` for an unknown agent or version; `invalid` when an agent stands there
 *   twice, is archived, or has a `multiagent` of its own
 */
export async function readTeam(
  get: GetAgent,
  owner: Owner,
  body: Pick<AgentUpdate, 'model' | 'multiagent'>,
): Promise<Team> {
  const is_kept = body.multiagent === undefined;
  if (is_kept && body.model === undefined) return { multiagent: owner.multiagent, members: [] };
  const draft = draftOf(owner.multiagent, body.multiagent);
  if (draft === null) return { multiagent: null, members: [] };
  checkDraft(draft, owner.id);
  const read = await Promise.all(
    membersOf(draft).map(async (entry, index) => {
      if (isSelf(entry, owner)) return undefined;
      return await readMember(get, entry, memberField(draft, index));
    }),
  );
  const members = read.filter((member) => member !== undefined);
  if (!is_kept) for (const [index, member] of read.entries()) checkMember(draft, index, member);
  const references = read.map((member) => referenceTo(member ?? owner));
  return { multiagent: withMembers(draft, references), members };
}

/** Its own id, without a version or with the present one, is the agent itself, as it reads back. */
function isSelf(entry: RosterEntry, { id, version }: Owner): entry is { type: 'self' } {
  if (entry.type === 'self') return true;
  return entry.id === id && (entry.version ?? version) === version;
}

async function readMember(
  get: GetAgent,
  { id, version }: { id: string; version?: number | undefined },
  field: string,
): Promise<Agent> {
  try {
    return await get(parseId('agent', id), version);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new Fault(error.kind, `${field}: ${error.message}`, { cause: error });
  }
}

function checkMember(draft: Draft, index: number, member: Agent | undefined): void {
  if (member === undefined) return;
  const field = memberField(draft, index);
  if (member.archived_at !== null) {
    throw new Fault('invalid', `${field}: agent '${member.id}' is archived. Name another agent.`, {
      details: { error_code: 'agent_archived' },
    });
  }
  if (member.multiagent !== null) {
    throw new Fault(
      'invalid',
      `${field}: agent '${member.id}' has multiagent set, and a member may not start agents itself. Name another agent, or an older version of it without.`,
    );
  }
  if (member.name !== ADVISOR_NAME) return;
  throw new Fault(
    'invalid',
    `${field}: the name ${ADVISOR_NAME} is the advisor's. Rename the agent.`,
  );
}

function referenceTo({ id, version }: Pick<Agent, 'id' | 'version'>): AgentReference {
  return { type: 'agent', id, version };
}

/**
 * What must hold between an agent's model and those of its team.
 * @throws Fault `invalid`: one region for all or for none; an advisor at least as capable
 */
export function checkTeam(model: AgentModel, { multiagent, members }: TeamModels): void {
  if (multiagent === null) return;
  const region = model.inference_geo ?? null;
  const other = members.find((member) => (member.model.inference_geo ?? null) !== region);
  if (other !== undefined) {
    throw new Fault(
      'invalid',
      `multiagent: inference_geo must be the same for all agents or set for none. The agent itself has ${said(region)}, '${other.name}' has ${said(other.model.inference_geo ?? null)}.`,
    );
  }
  const advisor = advisorOf(multiagent);
  if (advisor === undefined) return;
  checkModelAge(advisor, 'multiagent: the advisor');
  if (mayAdvise(advisor, model.id)) return;
  throw new Fault(
    'invalid',
    `multiagent: the advisor '${advisor}' is less capable than the agent's model '${model.id}'. Use a model that is at least as capable.`,
  );
}

/**
 * A custom tool of the same name as one that a coordinator works with could never be called.
 * @throws Fault `invalid`
 */
export function checkTeamTools({
  tools,
  multiagent,
}: Pick<Agent, 'tools'> & { readonly multiagent: object | null }): void {
  if (multiagent === null) return;
  const taken = tools.find(
    (tool) => tool.type === 'custom' && Object.hasOwn(team_tools, tool.name),
  );
  if (taken?.type !== 'custom') return;
  throw new Fault(
    'invalid',
    `tools: '${taken.name}' is a tool that an agent with multiagent has from the platform. Give the custom tool another name.`,
  );
}

interface TeamModels {
  readonly multiagent: Parameters<typeof advisorOf>[0] | null;
  readonly members: readonly { readonly name: string; readonly model: AgentModel }[];
}

function said(region: string | null): string {
  return region === null ? 'none' : `'${region}'`;
}

/** The references to the agent itself, moved to the version that is being made. */
export function atNextVersion(
  multiagent: Multiagent | null,
  { id, version }: Pick<Agent, 'id' | 'version'>,
): Multiagent | null {
  if (multiagent === null) return null;
  const references = membersOf(multiagent).map((reference) =>
    reference.id === id && reference.version === version
      ? { ...reference, version: version + 1 }
      : reference,
  );
  return withMembers(multiagent, references);
}
