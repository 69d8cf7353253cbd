import { setTimeout as delay } from 'node:timers/promises';
import type Anthropic from '@anthropic-ai/sdk';
import type { Counters } from '../../infra/local/counting.ts';
import { added, difference, quantitiesOf, scaled, totalDollars, type Quantities } from './cost.ts';
import { prices } from './prices.ts';
import type { HostProcess } from './processes.ts';
import type { Result } from './result.ts';
import { newAgent, newEnvironment, newSession, OpenSession } from './sessions.ts';

const TURNS = 20;
/** Long enough for a turn with no model latency to be over. */
const TURN_MS = 400;
const STREAM_S = 10;

/**
 * What a turn uses of AWS, and what 1,000 turns and an hour of a session cost without tokens. A
 * session-hour is one in which the model works all the time: the step function waits for it, one
 * client holds the stream open, and a turn ends each minute.
 */
export async function benchCost(client: Anthropic, host: HostProcess): Promise<Result[]> {
  const [agent, environment] = [await newAgent(client), await newEnvironment(client)];
  const calls_before = callsOf(await host.counters());
  const used_by_turns = await used(host, async () => await turns(client, agent, environment));
  const turn_calls = (callsOf(await host.counters()) - calls_before) / TURNS;
  const turn = scaled(used_by_turns, 1 / TURNS);
  const hour = 3_600 / STREAM_S;
  const stream = await used(host, async () => {
    const session = await OpenSession.open(client, agent, environment);
    await delay(STREAM_S * 1_000);
    session.close();
    // The invocation is billed when it has seen that its client went away.
    await delay(1_000);
  });
  const gigabytes = memoryOf(await host.counters(), 'step');
  const waiting = gigabytes * prices.lambda_gigabyte_second;
  const session_hour = added(scaled(turn, 60), scaled(stream, hour));
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
    usd('cost_1000_seconds_of_model_usd', waiting * 1_000),
    usd('cost_stream_hour_usd', totalDollars(stream) * hour),
    usd('cost_session_hour_usd', totalDollars(session_hour) + waiting * 3_600),
  ];
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
