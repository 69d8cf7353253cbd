import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Anthropic from '@anthropic-ai/sdk';
import pLimit from 'p-limit';
import { Random } from '../hostile/random.ts';
import { ChaosHost } from './chaos-host.ts';
import { ChaosSession } from './chaos-session.ts';
import { nextDisaster, strike, wordsOf } from './disasters.ts';
import { dreamFaults } from './dream.ts';
import { startChaosModel, type ModelFaults } from './model.ts';
import { ErraticSession } from './erratic-session.ts';
import { faultsOf } from './oracle.ts';
import { PatientClient } from './patient-client.ts';
import { recordOf } from './record.ts';
import { erraticStoryOf, setScene, storyOf, type Scene, type Story } from './scene.ts';
import { SteadyStream } from './steady-stream.ts';
import { storeFaults } from './store.ts';

export interface ChaosOptions {
  readonly sessions: number;
  readonly seed: number;
  /** Sessions at the same time. @default 8 */
  readonly at_once?: number;
  /** Share of calls to AWS that fail. @default 0.05 */
  readonly share?: number;
  /** Disasters beside failing calls: kills, clock jumps, outages. @default true */
  readonly disasters?: boolean;
  /** One act a session, each kind in turn. @default false */
  readonly brief?: boolean;
  /** Share of sessions whose client is erratic. @default 0 */
  readonly erratic?: number;
  readonly progress?: (sentence: string) => void;
  /** Ends the run early: sessions that have begun are judged. */
  readonly signal?: AbortSignal;
  /** Keeps the data of the host for whoever looks into a failure. @default false */
  readonly keep?: boolean;
}

export interface Fallen {
  readonly session_id: string;
  readonly story: Story | undefined;
  readonly faults: readonly string[];
}

export interface ChaosResult {
  readonly seed: number;
  readonly sessions: number;
  readonly dreams: number;
  readonly events: number;
  readonly fallen: readonly Fallen[];
  /** What was done to the host, and how often. */
  readonly disasters: Readonly<Record<string, number>>;
  /** Faults of AWS, of the model, and what the client had to ask again. */
  readonly aws_faults: Readonly<Record<string, number>>;
  readonly model_faults: Readonly<Record<string, number>>;
  readonly repeats: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly data_dir: string;
}

/** Machine waits pass ten times as fast as they would. */
const TICK_MS = 100;
const TICK_BY_MS = 1_000;
/**
 * Nothing has moved for so long. A turn that dies again and again is started anew after an hour of the
 * host's clock, which is six minutes here, less what the clock jumps.
 */
const STUCK_MS = 420_000;
/** Where nothing dies and nobody is refused. */
const CALM_STUCK_MS = 60_000;
/** How often an erratic client has something to do. */
const MOMENTS = 20;
/** One session in so many is followed by a dream of it. */
const DREAM_EVERY = 12;

/** Play sessions while everything fails around them, and judge each by its log. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const data_dir = await mkdtemp(join(tmpdir(), 'reverie-chaos-'));
  try {
    return await new Chaos(options, data_dir).run();
  } finally {
    if (options.keep !== true) await rm(data_dir, { recursive: true, force: true });
  }
}

class Chaos {
  readonly #options: ChaosOptions;
  readonly #data_dir: string;
  readonly #random: Random;
  readonly #model_faults: ModelFaults;
  readonly #fallen: Fallen[] = [];
  readonly #disasters: Record<string, number> = {};
  #host: ChaosHost | undefined;
  #client: Anthropic | undefined;
  readonly #patient = new PatientClient(() => this.#ask());
  #is_over = false;
  #events = 0;
  #done = 0;
  #dreams = 0;

  constructor(options: ChaosOptions, data_dir: string) {
    this.#options = options;
    this.#data_dir = data_dir;
    this.#random = new Random(options.seed);
    this.#model_faults = {
      random: new Random(options.seed + 1),
      share: options.share === 0 ? 0 : 0.1,
      long_stalls: options.sessions > 50,
      calm: false,
      counts: {},
    };
  }

  async run(): Promise<ChaosResult> {
    const { seed, share = 0.05 } = this.#options;
    const started = performance.now();
    const model = await startChaosModel(this.#model_faults);
    try {
      const { url: model_url } = model;
      const parts = { data_dir: this.#data_dir, model_url, seed, share };
      this.#host = await ChaosHost.start(parts);
      try {
        await this.#play();
      } finally {
        await this.#host.stop();
      }
      const refused = [...new Set(model.violations)];
      if (refused.length > 0) this.#fell('', undefined, refused.slice(0, 20));
      const repeated = Object.entries(this.#patient.repeats);
      if (this.#isCalm() && repeated.length > 0)
        this.#fell('', undefined, [
          `without a fault it had to be asked again: ${String(repeated)}`,
        ]);
    } finally {
      await model.close();
    }
    return {
      seed,
      sessions: this.#done,
      dreams: this.#dreams,
      events: this.#events,
      fallen: this.#fallen,
      disasters: this.#disasters,
      aws_faults: this.#host.faults,
      model_faults: this.#model_faults.counts,
      repeats: this.#patient.repeats,
      seconds: Math.round((performance.now() - started) / 1_000),
      data_dir: this.#data_dir,
    };
  }

  async #play(): Promise<void> {
    const { sessions, at_once = 8, signal } = this.#options;
    const loops = [this.#tick(), this.#strike()];
    try {
      const scene = await setScene(this.#patient);
      const atOnce = pLimit(at_once);
      const seeds = Array.from({ length: sessions }, () => this.#random.int(2 ** 31));
      await Promise.all(
        seeds.map(async (seed, n) =>
          atOnce(async () => {
            if (signal?.aborted !== true) await this.#session(scene, n, new Random(seed));
          }),
        ),
      );
      for (const store_id of scene.store_ids) {
        const faults = await storeFaults(this.#patient, store_id);
        if (faults.length > 0) this.#fell(store_id, undefined, faults);
      }
    } finally {
      this.#is_over = true;
      await Promise.allSettled(loops);
    }
  }

  #begin(scene: Scene, n: number, random: Random): ChaosSession | ErraticSession {
    const { brief = false, erratic = 0 } = this.#options;
    const stuck_ms = this.#isCalm() ? CALM_STUCK_MS : STUCK_MS;
    const parts = { patient: this.#patient, scene, stuck_ms };
    return random.chance(erratic)
      ? new ErraticSession({ ...parts, moments: MOMENTS }, erraticStoryOf(scene, n, random), random)
      : new ChaosSession(parts, storyOf(scene, n, random, brief), random);
  }

  async #session(scene: Scene, n: number, random: Random): Promise<void> {
    const session = this.#begin(scene, n, random);
    const { story } = session;
    let stream: SteadyStream | undefined;
    try {
      await session.open();
      if (story.is_streamed) stream = await SteadyStream.open(() => this.#ask(), session.id);
      await session.play();
      let record = await recordOf(this.#patient, session, undefined);
      if (stream !== undefined) {
        await stream.until(record.log.at(-1)?.id, 90_000);
        const expected = stream.expected(record.log.map(({ id }) => id));
        const { ids: given, openings } = stream;
        record = { ...record, streamed: { given, expected, openings } };
      }
      this.#events += record.log.length + record.children.reduce((sum, c) => sum + c.log.length, 0);
      const faults = faultsOf(record);
      if (faults.length > 0) this.#fell(session.id, story, faults);
      // There is a lesson in every message of an orderly client, and in nothing else.
      const teaches =
        story.acts.length > 0 && session.sent.some(({ type }) => type === 'user.message');
      if (teaches && n % DREAM_EVERY === DREAM_EVERY - 1) await this.#dream(session.id, story);
    } catch (error) {
      this.#fell(session.id, story, [String(error)]);
    } finally {
      await stream?.close();
    }
    this.#done += 1;
    if (this.#done % 10 === 0) {
      const { sessions, progress } = this.#options;
      progress?.(`${this.#done} of ${sessions} sessions, ${this.#fallen.length} fell`);
    }
  }

  async #dream(session_id: string, story: Story): Promise<void> {
    this.#dreams += 1;
    const faults = await dreamFaults(this.#patient, session_id);
    if (faults.length > 0) this.#fell(session_id, story, faults);
  }

  /** Whether nothing is done to the host: whoever must ask again then has met a fault of ours. */
  #isCalm(): boolean {
    return this.#options.share === 0 && this.#options.disasters === false;
  }

  #fell(session_id: string, story: Story | undefined, faults: readonly string[]): void {
    this.#fallen.push({ session_id, story, faults });
    this.#options.progress?.(`FELL ${session_id}: ${faults.join('; ').slice(0, 1_500)}`);
  }

  #ask(): Anthropic {
    const host = this.#host;
    if (host === undefined) throw new Error('there is no host');
    this.#client ??= new Anthropic({
      baseURL: host.up.base_url,
      apiKey: host.api_key,
      maxRetries: 0,
      timeout: 40_000,
    });
    return this.#client;
  }

  async #tick(): Promise<void> {
    while (!this.#is_over) {
      await sleep(TICK_MS);
      await this.#host?.order({ type: 'advance', ms: TICK_BY_MS });
    }
  }

  async #strike(): Promise<void> {
    const random = new Random(this.#options.seed + 2);
    while (!this.#is_over && this.#options.disasters !== false) {
      const disaster = nextDisaster(random);
      await sleep(disaster.after_ms);
      const host = this.#host;
      if (host === undefined || this.#is_over) return;
      const words = wordsOf(disaster);
      this.#disasters[disaster.what] = (this.#disasters[disaster.what] ?? 0) + 1;
      if (process.env['CHAOS_VERBOSE'] === '1') this.#options.progress?.(words);
      await strike(host, disaster);
    }
  }
}
