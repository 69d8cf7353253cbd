import type Anthropic from '@anthropic-ai/sdk';
import { difference, scaled, totalDollars } from './cost.ts';
import { used } from './cost-benches.ts';
import type { HostProcess } from './processes.ts';
import { latency, type Result } from './result.ts';
import { newAgent, newEnvironment, newSession } from './sessions.ts';

const ITERATIONS = 20;
/** V8 has compiled the loop of two functions by then. */
const WARM_SESSIONS = 2;
const SESSIONS_MEASURED = 3;
const SESSIONS_AT_ONCE = 25;

/**
 * The loop of an outcome. An iteration: the model is asked and has nothing to do, the grader reads
 * one file and judges, the work goes back.
 */
export async function benchOutcomes(client: Anthropic, host: HostProcess): Promise<Result[]> {
  const [agent, environment] = [await newAgent(client), await newEnvironment(client)];
  const grade = async (iterations: number): Promise<Graded> =>
    await graded(client, await newSession(client, agent, environment), iterations);
  const iterations_ms: number[] = [];
  for (let n = 0; n < WARM_SESSIONS + SESSIONS_MEASURED; n += 1) {
    const { ends_ms } = await grade(ITERATIONS);
    if (n < WARM_SESSIONS) continue;
    iterations_ms.push(...ends_ms.slice(1).map((ms, at) => ms - (ends_ms[at] ?? ms)));
  }
  const [few, many] = [
    await used(host, async () => void (await grade(2))),
    await used(host, async () => void (await grade(2 + ITERATIONS / 2))),
  ];
  const iteration = scaled(difference(many, few), 2 / ITERATIONS);
  return [
    ...latency('outcome_iteration', iterations_ms, { p50_ms: 150 }).slice(0, 2),
    {
      name: 'cost_1000_outcome_iterations_usd',
      value: totalDollars(iteration) * 1_000,
      unit: 'usd',
    },
    {
      name: 'outcome_iteration_state_transitions',
      value: iteration.state_transition,
      unit: 'count',
    },
    ...(await benchMany(async () => await grade(2))),
  ];
}

/** Twenty-five sessions at once, two evaluations each. */
async function benchMany(grade: () => Promise<Graded>): Promise<Result[]> {
  const started = performance.now();
  const ended = await Promise.allSettled(Array.from({ length: SESSIONS_AT_ONCE }, grade));
  const total_ms = performance.now() - started;
  const failed = ended.filter((end) => end.status === 'rejected');
  for (const { reason } of failed) console.error(`outcomes: ${String(reason)}`);
  return [
    { name: 'outcome_load_errors', value: failed.length, unit: 'count', target: { at_most: 0 } },
    { name: 'outcome_load_25_ms', value: total_ms, unit: 'ms' },
  ];
}

interface Graded {
  /** When each evaluation was told on an open stream. */
  readonly ends_ms: readonly number[];
}

/** @throws Error when the outcome ends in any other way than out of iterations */
async function graded(client: Anthropic, id: string, iterations: number): Promise<Graded> {
  const stream = await client.beta.sessions.events.stream(id);
  await client.beta.sessions.events.send(id, {
    events: [
      {
        type: 'user.define_outcome',
        description: 'rounds=1',
        rubric: { type: 'text', content: '- /tmp/round-0.txt is good enough' },
        max_iterations: iterations,
      },
    ],
  });
  const ends_ms: number[] = [];
  let result = '';
  for await (const event of stream) {
    if (event.type === 'session.error') throw new Error(event.error.message);
    if (event.type === 'session.status_idle') break;
    if (event.type !== 'span.outcome_evaluation_end') continue;
    ends_ms.push(performance.now());
    ({ result } = event);
  }
  if (result === 'max_iterations_reached' && ends_ms.length === iterations) return { ends_ms };
  throw new Error(`${ends_ms.length} of ${iterations} evaluations, and then ${result}`);
}
