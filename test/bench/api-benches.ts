import type Anthropic from '@anthropic-ai/sdk';
import { latency, type Result } from './result.ts';
import { median, samples } from './measure.ts';
import { newAgent, newEnvironment, newSession } from './sessions.ts';

const TARGET = { p50_ms: 6 };
const COUNT = 100;
/** Of each, between the first and those that are counted: V8 has compiled by then what they run. */
const WARM_UP = 400;

/**
 * Create, retrieve and list of agents, environments and sessions, one request after the other. The first
 * hundred of each after a start are told by themselves.
 */
export async function benchApi(client: Anthropic): Promise<Result[]> {
  const agent = await newAgent(client);
  const environment = await newEnvironment(client);
  const session = await newSession(client, agent, environment);
  const { agents, environments, sessions } = client.beta;
  const works: [name: string, work: (n: number) => Promise<unknown>][] = [
    ['agents_create', async () => await newAgent(client)],
    ['agents_retrieve', async () => await agents.retrieve(agent)],
    ['agents_list', async () => await agents.list({ limit: 20 })],
    ['environments_create', async () => await newEnvironment(client)],
    ['environments_retrieve', async () => await environments.retrieve(environment)],
    ['environments_list', async () => await environments.list({ limit: 20 })],
    ['sessions_create', async () => await newSession(client, agent, environment)],
    ['sessions_retrieve', async () => await sessions.retrieve(session)],
    ['sessions_list', async () => await sessions.list({ limit: 20 })],
  ];
  const first: Result[] = [];
  for (const [name, work] of works) {
    const value = median(await samples(COUNT, work, 0));
    first.push({ name: `${name}_first_p50_ms`, value, unit: 'ms' });
  }
  for (const [, work] of works) await samples(WARM_UP, work, 0);
  const results: Result[] = [];
  for (const [name, work] of works) {
    results.push(...latency(name, await samples(COUNT, work, 0), TARGET));
  }
  return [...results, ...first];
}
