import { setTimeout as delay } from 'node:timers/promises';
import type Anthropic from '@anthropic-ai/sdk';
import pLimit from 'p-limit';
import { DREAM_LATENCY_MS } from '../model/dream-latency.ts';
import { totalDollars } from './cost.ts';
import { used } from './cost-benches.ts';
import type { HostProcess } from './processes.ts';
import type { Result } from './result.ts';
import { newAgent, newEnvironment, newSession } from './sessions.ts';

const SESSIONS = 100;
/** Of a dream before the one that is counted. */
const WARM_SESSIONS = 25;
/** Fifty messages a request, as many as it takes: with what a turn writes, some 520 events. */
const SENDS = 9;
const MESSAGES = 50;
/** Sessions that the machine reads side by side. */
const PARALLEL = 25;
/** Operations, verdict, questions, and both stores' answers at the same time. */
const REQUESTS_AFTER = 4;
/** Node beside the heap of what it runs: 34 seen for an empty script of 24.21 on x64, and Lambda's runtime in it. */
const NODE_MB = 50;

/**
 * A dream of 100 sessions of 500 events, with a model that takes a second for each request. Its
 * critical path is what it would take if nothing but the model took any time.
 */
export async function benchDreams(client: Anthropic, host: HostProcess): Promise<Result[]> {
  const { id: store } = await client.beta.memoryStores.create({ name: 'bench' });
  const content = 'ports: the staging port is 8080.\n';
  await client.beta.memoryStores.memories.create(store, { path: '/notes/ports.md', content });
  const [agent, environment] = [await newAgent(client), await newEnvironment(client)];
  const atOnce = pLimit(6);
  let done = 0;
  const sessions = await Promise.all(
    Array.from({ length: SESSIONS }, (_, n) =>
      atOnce(async () => {
        const id = await longSession(client, await newSession(client, agent, environment), n);
        if ((done += 1) % 20 === 0) console.error(`  ${done} of ${SESSIONS} sessions`);
        return id;
      }),
    ),
  );
  // The compiler has seen the stages by then: in an account, too, most nights find warm functions.
  await dream(client, host, store, sessions.slice(0, WARM_SESSIONS));
  let dreamt: Dreamt | undefined;
  const cost = await used(host, async () => {
    dreamt = await dream(client, host, store, sessions);
  });
  if (dreamt === undefined) throw new Error('nothing was dreamt');
  const { total_ms, pieces, memory_mb, function_mb, events } = dreamt;
  const waves = Math.ceil(SESSIONS / PARALLEL);
  const critical_ms = (waves * (pieces / SESSIONS) + REQUESTS_AFTER) * DREAM_LATENCY_MS;
  return [
    { name: 'dream_100_sessions_ms', value: total_ms, unit: 'ms' },
    { name: 'dream_100_sessions_critical_ms', value: critical_ms, unit: 'ms' },
    {
      name: 'dream_100_sessions_over_critical',
      value: total_ms / critical_ms,
      unit: 'count',
      target: { at_most: 1.3 },
    },
    { name: 'dream_100_sessions_pieces', value: pieces, unit: 'count' },
    { name: 'dream_session_events', value: events, unit: 'count' },
    { name: 'dream_host_memory_peak_mb', value: memory_mb, unit: 'MB' },
    {
      name: 'dream_function_memory_peak_mb',
      value: function_mb + NODE_MB,
      unit: 'MB',
      target: { at_most: 512 },
    },
    { name: 'cost_dream_100_sessions_usd', value: totalDollars(cost), unit: 'usd' },
    {
      name: 'dream_100_sessions_state_transitions',
      value: cost.state_transition,
      unit: 'count',
    },
  ];
}

async function longSession(client: Anthropic, id: string, n: number): Promise<string> {
  for (let sent = 0; sent < SENDS; sent += 1) {
    const texts = Array.from(
      { length: MESSAGES },
      (_, k) => `${n}.${sent}.${k} ${'word '.repeat(20)}`,
    );
    if (n === 0 && sent === 0) texts[0] = 'LESSON about ports: the staging port is 8443.';
    const events = texts.map((text) => ({
      type: 'user.message' as const,
      content: [{ type: 'text' as const, text }],
    }));
    await client.beta.sessions.events.send(id, { events });
    while ((await client.beta.sessions.retrieve(id)).status !== 'idle') await delay(50);
  }
  return id;
}

interface Dreamt {
  readonly total_ms: number;
  /** Requests of reflection: one for each piece. */
  readonly pieces: number;
  /** Of the host with everything in it. */
  readonly memory_mb: number;
  /** Of the function with most, in which all that are called at once share a thread. */
  readonly function_mb: number;
  /** Of one of the sessions. */
  readonly events: number;
}

async function dream(
  client: Anthropic,
  host: HostProcess,
  memory_store_id: string,
  session_ids: string[],
): Promise<Dreamt> {
  const started = performance.now();
  const { id } = await client.beta.dreams.create({
    inputs: [
      { type: 'memory_store', memory_store_id },
      { type: 'sessions', session_ids },
    ],
    model: 'claude-sonnet-5-5',
  });
  let memory_mb = 0;
  let function_mb = 0;
  for (;;) {
    const { status, error, session_id } = await client.beta.dreams.retrieve(id);
    memory_mb = Math.max(memory_mb, host.memoryMb());
    function_mb = Math.max(function_mb, await host.functionMemoryMb());
    if (status === 'completed') {
      const total_ms = performance.now() - started;
      const pieces = (await count(client, session_id ?? '', 'span.model_request_end')) - 5;
      const events = await count(client, session_ids[0] ?? '');
      return { total_ms, pieces, memory_mb, function_mb, events };
    }
    if (status === 'failed' || status === 'canceled') throw new Error(JSON.stringify(error));
    await delay(100);
  }
}

async function count(client: Anthropic, session_id: string, type?: string): Promise<number> {
  let n = 0;
  const events = client.beta.sessions.events.list(session_id, { limit: 1_000 });
  for await (const event of events) n += Number(type === undefined || event.type === type);
  return n;
}
