import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type Anthropic from '@anthropic-ai/sdk';
import { newAgent, newEnvironment, newSession } from '../bench/sessions.ts';
import { percentile } from '../bench/measure.ts';
import type { HostProcess } from '../bench/processes.ts';
import type { Result } from '../bench/result.ts';
import { message, type Event } from '../rig.ts';
import { SteadyStream } from '../chaos/steady-stream.ts';
import { Timings } from './timings.ts';

export interface CrowdOptions {
  /** Sessions at the same time. */
  readonly sessions: number;
  readonly turns: number;
  /** Calls of one reply. */
  readonly tools: number;
  /** Streams that are open on each of eight sessions. */
  readonly streams: number;
  /** Crowds follow each other until so much time has passed; one at least. */
  readonly minutes: number;
  readonly progress: (sentence: string) => void;
  readonly signal?: AbortSignal | undefined;
}

const STREAMED = 8;
const LOOK_MS = 400;
const TURN_MS_MAX = 600_000;
const SCALE_MS = 1_000;
/** A crowd of 2,000 turns takes a quarter of an hour here. */
const TOLD_TURNS = 50;

/**
 * So many sessions at once take their turns, while streams are read: what did not come to rest, what
 * a stream gave otherwise than the list, how long operations took, and what the host weighed.
 */
export async function crowd(
  client: Anthropic,
  host: HostProcess,
  options: CrowdOptions,
): Promise<Result[]> {
  const timings = new Timings();
  const [agent, environment] = [await newAgent(client), await newEnvironment(client)];
  let ended = 0;
  const turnEnded = (): void => {
    ended += 1;
    if (ended % TOLD_TURNS === 0) options.progress(`${ended} turns ended`);
  };
  const parts = { client, options, timings, agent, environment, turnEnded };
  const scale = new Scale(host);
  const until = performance.now() + options.minutes * 60_000;
  const started = performance.now();
  const faults: string[] = [];
  let turns = 0;
  let events = 0;
  do {
    const wave = await crowdOnce(parts);
    faults.push(...wave.faults);
    turns += wave.turns;
    events += wave.events;
    const { sessions, progress } = options;
    progress(`${turns} turns of ${sessions} sessions at once, ${faults.length} faults`);
  } while (performance.now() < until && options.signal?.aborted !== true);
  const total_s = (performance.now() - started) / 1_000;
  for (const fault of faults.slice(0, 20)) options.progress(`FAULT ${fault}`);
  return [
    { name: 'load_faults', value: faults.length, unit: 'count', target: { at_most: 0 } },
    { name: 'load_events', value: events, unit: 'count' },
    { name: 'load_turns_per_s', value: turns / total_s, unit: 'per_s' },
    ...timings.results('load'),
    ...scale.stop(),
  ];
}

interface Parts {
  readonly client: Anthropic;
  readonly options: CrowdOptions;
  readonly timings: Timings;
  readonly agent: string;
  readonly environment: string;
  readonly turnEnded: () => void;
}

interface Wave {
  readonly faults: string[];
  readonly turns: number;
  readonly events: number;
}

async function crowdOnce(parts: Parts): Promise<Wave> {
  const { client, options, timings, agent, environment } = parts;
  const ids = await Promise.all(
    Array.from({ length: options.sessions }, async () =>
      timings.of('sessions_create', async () => newSession(client, agent, environment)),
    ),
  );
  const readers = ids.slice(0, STREAMED).flatMap((id) =>
    Array.from({ length: options.streams }, async () => ({
      id,
      stream: await SteadyStream.open(() => client, id),
    })),
  );
  const streams = await Promise.all(readers);
  const played = await Promise.all(ids.map(async (id) => await sessionOrFault(parts, id)));
  const logs = new Map(played.map(({ id, log }) => [id, log]));
  const told = await Promise.all(
    streams.map(async ({ id, stream }) => {
      const listed = (logs.get(id) ?? []).map((event) => event.id);
      await stream.until(listed.at(-1), 20_000);
      await stream.close();
      const gave = `${id}: a stream gave ${stream.ids.length} of ${listed.length} events`;
      return stream.ids.join(' ') === listed.join(' ') ? [] : [gave];
    }),
  );
  return {
    faults: [...played.flatMap(({ faults }) => faults), ...told.flat()],
    turns: played.reduce((sum, one) => sum + one.turns, 0),
    events: played.reduce((sum, { log }) => sum + log.length, 0),
  };
}

interface Played {
  readonly id: string;
  readonly log: Event[];
  readonly turns: number;
  readonly faults: string[];
}

/** What one session is refused for good does not end the others. */
async function sessionOrFault(parts: Parts, id: string): Promise<Played> {
  try {
    return await session(parts, id);
  } catch (error) {
    return { id, log: [], turns: 0, faults: [`${id}: ${String(error)}`] };
  }
}

/** One session to its last turn. */
async function session(
  { client, options, timings, turnEnded }: Parts,
  id: string,
): Promise<Played> {
  let log: Event[] = [];
  for (let turn = 0; turn < options.turns; turn++) {
    const started = performance.now();
    const text = `tools=${options.tools} name=turn${turn}`;
    // A send whose answer came too late is repeated, and must be one.
    const headers = { 'Idempotency-Key': randomUUID() };
    await timings.of('events_send', async () =>
      client.beta.sessions.events.send(id, { events: [message(text)] }, { headers }),
    );
    await atRest({ client, timings }, id, started + TURN_MS_MAX);
    timings.add('turn', performance.now() - started);
    turnEnded();
    log = await listed({ client, timings }, id);
    const faults = logFaults(log, turn + 1, options.tools);
    if (faults.length > 0)
      return { id, log, turns: turn, faults: faults.map((one) => `${id}: ${one}`) };
  }
  return { id, log, turns: options.turns, faults: [] };
}

/** Looked at, and not streamed: the streams are what is measured beside it. */
async function atRest(
  { client, timings }: Pick<Parts, 'client' | 'timings'>,
  id: string,
  until: number,
): Promise<void> {
  while (performance.now() < until) {
    await sleep(LOOK_MS);
    const { status } = await timings.of('sessions_retrieve', async () =>
      client.beta.sessions.retrieve(id),
    );
    if (status === 'idle') return;
  }
}

async function listed(
  { client, timings }: Pick<Parts, 'client' | 'timings'>,
  id: string,
): Promise<Event[]> {
  const events: Event[] = [];
  let page = await timings.of('events_list', async () =>
    client.beta.sessions.events.list(id, { limit: 1_000 }),
  );
  for (;;) {
    events.push(...(page.data as Event[]));
    if (!page.hasNextPage()) return events;
    page = await page.getNextPage();
  }
}

/** After so many turns there are so many of everything, each once. */
function logFaults(log: readonly Event[], turns: number, tools: number): string[] {
  const count = (type: Event['type']): number => log.filter((event) => event.type === type).length;
  const expected: Partial<Record<Event['type'], number>> = {
    'user.message': turns,
    'session.status_running': turns,
    'session.status_idle': turns,
    'agent.tool_use': turns * tools,
    'agent.tool_result': turns * tools,
    'agent.message': turns,
  };
  const wrong = Object.entries(expected).filter(([type, n]) => count(type as Event['type']) !== n);
  const doubled = log.length - new Set(log.map(({ id }) => id)).size;
  return [
    ...wrong.map(([type, n]) => `${count(type as Event['type'])} ${type}, and not ${n}`),
    ...(doubled > 0 ? [`${doubled} ids stand twice`] : []),
  ];
}

/** What the host weighs, all the time. */
class Scale {
  readonly #mb: number[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(host: HostProcess) {
    this.#timer = setInterval(() => this.#mb.push(host.memoryMb()), SCALE_MS);
  }

  stop(): Result[] {
    clearInterval(this.#timer);
    const quarter = Math.floor(this.#mb.length / 4);
    const median = (from: number): number =>
      percentile(this.#mb.slice(from * quarter, (from + 1) * quarter), 0.5);
    return [
      { name: 'host_memory_peak_mb', value: Math.max(...this.#mb), unit: 'MB' },
      { name: 'host_memory_second_quarter_mb', value: median(1), unit: 'MB' },
      { name: 'host_memory_last_quarter_mb', value: median(3), unit: 'MB' },
    ];
  }
}
