import type { Random } from '../hostile/random.ts';
import type { PatientClient } from './patient-client.ts';

/** What sessions of a run are made from. */
export interface Scene {
  readonly environment_id: string;
  readonly agents: Readonly<Record<AgentName, string>>;
  /** Stores that several sessions share, each with files of its own. */
  readonly store_ids: readonly string[];
}

/** The eager one has all that an agent can have: a team, made-up agents and an advisor. */
export type AgentName = 'solo' | 'lead' | 'eager';

export const STORE_MOUNT = '/mnt/memory/shared-notes';
const STORES = 3;

export const tools = [
  {
    type: 'agent_toolset_20260401' as const,
    configs: [{ name: 'write' as const, permission_policy: { type: 'always_ask' as const } }],
  },
  {
    type: 'custom' as const,
    name: 'lookup',
    description: 'Looks something up.',
    input_schema: { type: 'object' as const, properties: { what: { type: 'string' } } },
  },
];

export async function setScene(patient: PatientClient): Promise<Scene> {
  const agent = async (name: string, more = {}): Promise<string> =>
    await patient.do(async (client, once) => {
      const params = { name, model: 'claude-sonnet-5-5', tools, ...more };
      return (await client.beta.agents.create(params, once)).id;
    });
  const environment = await patient.do(async (client, once) =>
    client.beta.environments.create({ name: 'chaos', config: { type: 'cloud' } }, once),
  );
  const worker = await agent('Worker');
  const multiagent = { type: 'coordinator' as const, agents: [worker] };
  const everything = {
    type: 'multiagent_20261001' as const,
    advisor: { type: 'enabled' as const, model: 'claude-opus-5-5' },
    subagents: { type: 'enabled' as const, predefined_agents: [worker] },
  };
  const store_ids: string[] = [];
  for (let n = 0; n < STORES; n++) {
    const store = await patient.do(async (client, once) =>
      client.beta.memoryStores.create({ name: 'Shared notes' }, once),
    );
    store_ids.push(store.id);
  }
  return {
    environment_id: environment.id,
    agents: {
      solo: await agent('Solo'),
      lead: await agent('Lead', { multiagent }),
      eager: await agent('Eager', { multiagent: everything }),
    },
    store_ids,
  };
}

/** What happens in a session, one after the other; each ends at a rest. */
export type Act = 'work' | 'questions' | 'outcome' | 'interrupt' | 'two messages' | 'team';

export interface Story {
  readonly n: number;
  readonly agent: AgentName;
  /** None where the client is erratic. */
  readonly acts: readonly Act[];
  readonly store_id: string | undefined;
  /** In cents; a running hour costs 8, so clock jumps use it up. */
  readonly budget: string | undefined;
  /** Whether its stream is read from the beginning to the end. */
  readonly is_streamed: boolean;
}

const kinds: readonly Act[] = ['team', 'questions', 'outcome', 'interrupt', 'work', 'two messages'];

/** What the n-th session of a run will be: several acts, or one, so that a few sessions have each. */
export function storyOf(scene: Scene, n: number, random: Random, is_brief: boolean): Story {
  const is_team = random.chance(0.35);
  const [, ...common] = kinds;
  const several = Array.from({ length: 1 + random.int(3) }, (): Act => random.of(common));
  const drawn: Act[] = is_team ? ['team', ...several.slice(0, 1)] : several;
  const acts = is_brief ? kinds.slice(n % kinds.length).slice(0, 1) : drawn;
  return {
    n,
    agent: acts.includes('team') ? 'lead' : 'solo',
    acts,
    store_id: random.chance(0.5) ? random.of(scene.store_ids) : undefined,
    budget: random.chance(0.15) ? '1' : undefined,
    is_streamed: random.chance(0.3),
  };
}

/** A session whose client does whatever it likes. */
export function erraticStoryOf(scene: Scene, n: number, random: Random): Story {
  return {
    n,
    agent: 'eager',
    acts: [],
    store_id: random.chance(0.3) ? random.of(scene.store_ids) : undefined,
    budget: random.chance(0.3) ? String(2 + random.int(30)) : undefined,
    is_streamed: random.chance(0.7),
  };
}
