import type Anthropic from '@anthropic-ai/sdk';
import { totalDollars } from './cost.ts';
import { used } from './cost-benches.ts';
import { median } from './measure.ts';
import type { HostProcess } from './processes.ts';
import type { Result } from './result.ts';
import { newEnvironment, OpenSession } from './sessions.ts';

const THREADS = 25;
const ITEMS = 100;
/** Of 25 threads: they differ by a tenth. */
const RUNS = 5;
/** An item: three requests of a second each. */
const ITEM_MS = 3_000;

/**
 * A coordinator with 25 threads whose model takes a second for a request, three for an item: one item
 * each, and four each, the next with every report. The coordinator's own model answers at once, so the
 * ideal is what the items of one thread take.
 */
export async function benchThreads(client: Anthropic, host: HostProcess): Promise<Result[]> {
  const environment = await newEnvironment(client);
  const lead = await newLead(client);
  const run = async (items: number): Promise<number> => {
    const session = await OpenSession.open(client, lead, environment);
    try {
      const { idle_ms } = await session.turn(`threads=${THREADS} items=${items}`);
      return idle_ms;
    } finally {
      session.close();
    }
  };
  // Functions and their loops are warm then.
  await run(THREADS);
  const times_ms: number[] = [];
  const cost = await used(host, async () => void times_ms.push(await run(THREADS)));
  for (let n = 1; n < RUNS; n += 1) times_ms.push(await run(THREADS));
  const many_ms = await run(ITEMS);
  const ideal_many_ms = (ITEM_MS * ITEMS) / THREADS;
  return [
    {
      name: 'threads_25_ms',
      value: median(times_ms),
      unit: 'ms',
      target: { at_most: ITEM_MS * 1.15 },
    },
    {
      name: 'threads_100_items_ms',
      value: many_ms,
      unit: 'ms',
      target: { at_most: ideal_many_ms * 1.2 },
    },
    { name: 'cost_threads_25_usd', value: totalDollars(cost), unit: 'usd' },
    { name: 'threads_25_state_transitions', value: cost.state_transition, unit: 'count' },
    { name: 'threads_25_write_units', value: cost.dynamodb_write_unit, unit: 'count' },
  ];
}

async function newLead(client: Anthropic): Promise<string> {
  const common = {
    model: 'claude-sonnet-5-5',
    system: 'You are measured.',
    tools: [{ type: 'agent_toolset_20260401' as const }],
  };
  const member = await client.beta.agents.create({ name: 'Member', ...common });
  const multiagent = { type: 'coordinator' as const, agents: [member.id] };
  return (await client.beta.agents.create({ name: 'Lead', ...common, multiagent })).id;
}
