import { setTimeout as sleep } from 'node:timers/promises';
import type Anthropic from '@anthropic-ai/sdk';
import { median } from './measure.ts';
import type { HostProcess } from './processes.ts';
import { latency, type Result } from './result.ts';
import { newAgent, newEnvironment, OpenSession, type Turn } from './sessions.ts';

/** events.send, and send → `agent.message` on an open stream: ten sessions of ten turns. */
export async function benchTurns(client: Anthropic): Promise<Result[]> {
  const [agent, environment] = [await newAgent(client), await newEnvironment(client)];
  const turns: Turn[] = [];
  for (let n = 0; n < 10; n += 1) {
    const session = await OpenSession.open(client, agent, environment);
    // V8 has compiled the loop of five functions by then; before, it measures the compiler.
    if (n === 0) for (let warm = 0; warm < WARM_TURNS; warm += 1) await session.turn('hello');
    for (let turn = 0; turn < 10; turn += 1) turns.push(await session.turn('hello'));
    session.close();
  }
  return [
    ...latency(
      'events_send',
      turns.map(({ send_ms }) => send_ms),
    ),
    ...latency(
      'send_to_message',
      turns.map(({ message_ms }) => message_ms),
      { p50_ms: 40, p95_ms: 100 },
    ),
    ...latency(
      'send_to_idle',
      turns.map(({ idle_ms }) => idle_ms),
    ),
  ];
}

/** Turns before the first that is counted. */
const WARM_TURNS = 60;

const ROUNDS = 20;
/** Of each turn that warms up. */
const WARM_ROUNDS = 70;

/** Twenty tool rounds in one turn: model request, `write`, and again. */
export async function benchRounds(client: Anthropic): Promise<Result[]> {
  const [agent, environment] = [await newAgent(client), await newEnvironment(client)];
  const rounds_ms: number[] = [];
  for (let n = 0; n < 8; n += 1) {
    const session = await OpenSession.open(client, agent, environment);
    // Three long ones warm up; and a spare sandbox is loaded a second after the last was taken.
    const rounds = n < 3 ? WARM_ROUNDS : ROUNDS;
    const { idle_ms } = await session.turn(`rounds=${rounds}`);
    if (n >= 3) rounds_ms.push(idle_ms / rounds);
    await sleep(2_000);
    session.close();
  }
  return [{ name: 'tool_round_ms', value: median(rounds_ms), unit: 'ms', target: { at_most: 25 } }];
}

const SESSIONS = 50;
const TURNS = 5;

/**
 * Fifty sessions at once, five turns each, and what the host weighs meanwhile. The first pass is told
 * by itself: in it V8 compiles what only a crowd runs, and each session makes its first transcript.
 */
export async function benchLoad(client: Anthropic, host: HostProcess): Promise<Result[]> {
  const [agent, environment] = [await newAgent(client), await newEnvironment(client)];
  const sessions = await Promise.all(
    Array.from(
      { length: SESSIONS },
      async () => await OpenSession.open(client, agent, environment),
    ),
  );
  let peak_mb = host.memoryMb();
  const scale = setInterval(() => (peak_mb = Math.max(peak_mb, host.memoryMb())), 100);
  const first = await crowd(sessions);
  const second = await crowd(sessions);
  clearInterval(scale);
  for (const session of sessions) session.close();
  const failed = first.failed + second.failed;
  return [
    { name: 'load_errors', value: failed, unit: 'count', target: { at_most: 0 } },
    { name: 'load_first_turns_per_s', value: first.turns_per_s, unit: 'per_s' },
    {
      name: 'load_turns_per_s',
      value: second.turns_per_s,
      unit: 'per_s',
      target: { at_least: 60 },
    },
    ...latency('load_turn', second.idle_ms).slice(0, 2),
    { name: 'host_memory_peak_mb', value: peak_mb, unit: 'MB', target: { at_most: 1_500 } },
  ];
}

/** One pass: every session takes its turns, all at once. */
async function crowd(
  sessions: readonly OpenSession[],
): Promise<{ failed: number; turns_per_s: number; idle_ms: number[] }> {
  const idle_ms: number[] = [];
  const started = performance.now();
  const ended = await Promise.allSettled(
    sessions.map(async (session) => {
      for (let n = 0; n < TURNS; n += 1) idle_ms.push((await session.turn('hello')).idle_ms);
    }),
  );
  const total_s = (performance.now() - started) / 1_000;
  const failed = ended.filter((end) => end.status === 'rejected');
  for (const { reason } of failed) console.error(`load: ${String(reason)}`);
  return { failed: failed.length, turns_per_s: idle_ms.length / total_s, idle_ms };
}
