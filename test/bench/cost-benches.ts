import { setTimeout as delay } from 'node:timers/promises';
import type Anthropic from '@anthropic-ai/sdk';
import type { Counters } from '../../infra/local/counting.ts';
import { difference, quantitiesOf, scaled, totalDollars, type Quantities } from './cost.ts';
import { prices } from './prices.ts';
import type { HostProcess } from './processes.ts';
import type { Result } from './result.ts';
import { newAgent, newEnvironment, newSession, OpenSession } from './sessions.ts';

const TURNS = 20;
/** Long enough for a turn with no model latency to be over. */
const TURN_MS = 400;

/**
 * What a turn uses of AWS, and what 1,000 turns and an hour of a session cost without tokens. A
 * session-hour is one in which the model works all the time: one turn of a minute is measured, with
 * the step function that listens to the model. What a client costs that watches all of it, by a stream
 * with deltas, is told apart.
 */
export async function benchCost(client: Anthropic, host: HostProcess): Promise<Result[]> {
  const [agent, environment] = [await newAgent(client), await newEnvironment(client)];
  const calls_before = callsOf(await host.counters());
  const used_by_turns = await used(host, async () => await turns(client, agent, environment));
  const turn_calls = (callsOf(await host.counters()) - calls_before) / TURNS;
  const turn = scaled(used_by_turns, 1 / TURNS);
  const session = await OpenSession.open(client, agent, environment);
  const before = await host.counters();
  const { idle_ms } = await session.turn('minute');
  session.close();
  // The invocation is billed when it has seen that its client went away.
  await delay(1_000);
  const after = await host.counters();
  const hourly = (of: (counters: Counters) => Counters): number =>
    totalDollars(difference(quantitiesOf(of(after)), quantitiesOf(of(before)))) *
    (3_600_000 / idle_ms);
  const stream_usd = hourly(ofStream);
  const gigabytes = memoryOf(after, 'step');
  return [
    count('turn_aws_calls', turn_calls),
    count('turn_state_transitions', turn.state_transition),
    count('turn_read_units', turn.dynamodb_read_unit),
    count('turn_write_units', turn.dynamodb_write_unit),
    count('turn_s3_requests', turn.s3_read_request + turn.s3_write_request),
    count('turn_lambda_requests', turn.lambda_request),
    {
      name: 'turn_lambda_ms',
      value: (turn.lambda_gigabyte_second / gigabytes) * 1_000,
      unit: 'ms',
    },
    usd('cost_1000_turns_usd', totalDollars(turn) * 1_000),
    usd('cost_1000_seconds_of_model_usd', gigabytes * prices.lambda_gigabyte_second * 1_000),
    usd('cost_stream_hour_usd', stream_usd),
    {
      ...usd('cost_session_hour_usd', hourly(withoutReconcile) - stream_usd),
      target: { at_most: 0.02 },
    },
  ];
}

/** What the stream alone used. */
function ofStream({ functions: { stream }, executions_started }: Counters): Counters {
  const functions: Counters['functions'] = stream === undefined ? {} : { stream };
  return { functions, executions_started, state_transitions: 0, api_requests: 0 };
}

const count = (name: string, value: number): Result => ({ name, value, unit: 'count' });
const usd = (name: string, value: number): Result => ({ name, value, unit: 'usd' });

/** Turns without a stream, and without a request that would be counted with them. */
async function turns(client: Anthropic, agent: string, environment: string): Promise<void> {
  const id = await newSession(client, agent, environment);
  for (let n = 0; n < TURNS; n += 1) {
    await client.beta.sessions.events.send(id, {
      events: [{ type: 'user.message', content: [{ type: 'text', text: 'hello' }] }],
    });
    await delay(TURN_MS);
  }
  const { status } = await client.beta.sessions.retrieve(id);
  if (status !== 'idle') throw new Error(`cost: after ${TURNS} turns the session is ${status}`);
}

/** What the work used. The reconcile function runs anyway, and is left out. */
export async function used(host: HostProcess, work: () => Promise<void>): Promise<Quantities> {
  const before = quantitiesOf(withoutReconcile(await host.counters()));
  await work();
  return difference(quantitiesOf(withoutReconcile(await host.counters())), before);
}

function withoutReconcile({ functions, ...counters }: Counters): Counters {
  const { reconcile: _, ...others } = functions;
  return { ...counters, functions: others };
}

/** Calls that functions made to AWS, of all services. */
function callsOf(counters: Counters): number {
  const functions = Object.values(withoutReconcile(counters).functions);
  const counts = functions.flatMap(({ calls }) => Object.values(calls));
  return counts.reduce((sum, n) => sum + n, 0);
}

/** Gigabytes of a function, from what it was billed. */
function memoryOf({ functions }: Counters, name: string): number {
  const usage = functions[name];
  if (usage === undefined || usage.milliseconds === 0) throw new Error(`cost: ${name} never ran`);
  return usage.gigabyte_seconds / (usage.milliseconds / 1_000);
}
