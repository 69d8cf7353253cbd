import type { BetaManagedAgentsModelConfig } from '@anthropic-ai/sdk/resources/beta/agents/agents';
import type { Blobs } from '../../core/blobs.ts';
import { Fault } from '../../core/fault.ts';
import { primaryThreadId } from '../../core/id.ts';
import { invariant } from '../../core/invariant.ts';
import { limits } from '../../core/limits.ts';
import type { MemoryPorts } from '../../memory/memory-ports.ts';
import { defaultEffort } from '../../models/catalogue.ts';
import type { Batches } from '../../models/batches.ts';
import type { ModelError } from '../../models/model-error.ts';
import type { Model } from '../../models/model.ts';
import type { PriceOverrides } from '../../models/prices.ts';
import {
  dreamKey,
  dreamObject,
  hasEnded,
  timeoutMs,
  type DreamErrorType,
  type DreamHead,
  type DreamStage,
} from '../dream.ts';
import type { ThinkPorts } from '../thinking.ts';
import { Journal } from './journal.ts';

/** What the tasks of a dream act upon. */
export interface StagePorts extends MemoryPorts {
  readonly model: Model;
  /** @default - the deployment's provider has none */
  readonly batches?: Batches | undefined;
  readonly prices: PriceOverrides;
}

/** What the machine tells a task. */
export interface StageInput {
  readonly task: string;
  readonly dream_id: string;
  readonly run: number;
  /** Of the Map: which of the dream's sessions. */
  readonly session_n?: number | undefined;
  /** What a Catch has caught. */
  readonly error?: unknown;
}

/** The dream goes elsewhere: it is over, or another run has taken its place. */
export class Elsewhere extends Error {
  override readonly name = 'Elsewhere';
  readonly next: 'settle' | 'done';

  constructor(next: Elsewhere['next']) {
    super(`the dream goes on at ${next}`);
    this.next = next;
  }
}

/** The time of the task is up: the next invocation goes on. */
export class TimeUp extends Error {
  override readonly name = 'TimeUp';
}

/** The dream cannot go on; the message is shown to who looks at it. */
export class DreamFailed extends Error {
  override readonly name = 'DreamFailed';
  readonly type: DreamErrorType;

  constructor(type: DreamErrorType, message: string, options?: ErrorOptions) {
    super(message, options);
    this.type = type;
  }
}

/** Results that never change again, of the dreams that this process has worked on last. */
const known = new Map<string, Promise<unknown>>();
/** Two of each: a snapshot weighs as much as its store. */
const KNOWN_MAX = 4;

/** One invocation's work on one dream. */
export class Work {
  readonly ports: StagePorts;
  readonly #input: StageInput;
  readonly #deadline_ms: number;
  readonly #journal: Journal;
  /** Aborted when the time of the task is up. */
  readonly signal: AbortSignal;
  #head: DreamHead;

  private constructor(ports: StagePorts, input: StageInput, head: DreamHead, time_ms: number) {
    this.ports = ports;
    this.#input = input;
    this.#head = head;
    const left_ms = Math.max(0, time_ms - limits.step_time_reserve_ms);
    this.#deadline_ms = performance.now() + left_ms;
    this.signal = AbortSignal.timeout(left_ms);
    this.#journal = new Journal(ports, head, {
      task: `${input.task}#${input.session_n ?? ''}`,
      is_batched: this.batches !== undefined,
    });
  }

  /**
   * @param time_ms What the function may take, from now.
   * @throws Elsewhere, DreamFailed: see {@link look}
   */
  static async open(ports: StagePorts, input: StageInput, time_ms: number): Promise<Work> {
    const head = (await ports.table.get(dreamKey(input.dream_id))) as DreamHead | undefined;
    invariant(head !== undefined, 'a dream that runs has its row');
    const work = new Work(ports, input, head, time_ms);
    work.#check();
    return work;
  }

  get head(): DreamHead {
    return this.#head;
  }

  /** Where the dream's requests go; undefined where they are made at once. */
  get batches(): Batches | undefined {
    return this.#head.processing === 'batch' ? this.ports.batches : undefined;
  }

  get model(): BetaManagedAgentsModelConfig {
    const { id, speed } = this.#head.model;
    return { id, speed, effort: { type: defaultEffort(id) } };
  }

  /** Model requests that this invocation has brought home. */
  get answers_count(): number {
    return this.#journal.answers_count;
  }

  /** What a stage thinks with: its requests are remembered and counted, once each. */
  get think(): ThinkPorts {
    const { boundary, pipeline_session_id } = this.#head;
    return {
      model: this.#journal,
      prices: this.ports.prices,
      config: this.model,
      thread_id: primaryThreadId(pipeline_session_id),
      boundary,
    };
  }

  /**
   * Look at the dream again, between two pieces of work.
   *
   * @throws Elsewhere when it is over or another run's; TimeUp; DreamFailed when it took too long
   */
  async look(): Promise<void> {
    const head = (await this.ports.table.get(dreamKey(this.#head.dream_id))) as DreamHead;
    this.#head = head;
    this.#check();
    if (performance.now() >= this.#deadline_ms) throw new TimeUp();
  }

  #check(): void {
    if (this.#head.run !== this.#input.run) throw new Elsewhere('done');
    if (hasEnded(this.#head)) throw new Elsewhere('settle');
    const age_ms = this.ports.clock.now().getTime() - Date.parse(this.#head.created_at);
    const timeout_ms = timeoutMs(this.#head);
    if (age_ms <= timeout_ms) return;
    const hours = timeout_ms / 3_600_000;
    throw new DreamFailed('timeout', `The dream had not ended after ${hours} hours.`);
  }

  /** Say where the dream is, or look elsewhere when it is over. */
  async enter(stage: DreamStage): Promise<void> {
    if (this.#head.stage === stage) return;
    await this.change('stage = :stage', { ':stage': stage });
  }

  /**
   * Change the head of a dream that is pending or running.
   *
   * @throws ConditionFailed when it has ended, or another run has begun
   */
  async change(sets: string, values: Readonly<Record<string, unknown>>): Promise<void> {
    const { dream_id, run } = this.#head;
    this.#head = (await this.ports.table.update({
      update: dreamKey(dream_id),
      expression: `SET ${sets}, #version = #version + :one`,
      condition: 'run = :run AND #status IN (:pending, :running)',
      names: { '#version': 'version', '#status': 'status' },
      values: { ':one': 1, ':run': run, ':pending': 'pending', ':running': 'running', ...values },
    })) as DreamHead;
  }

  /** As {@link once}, of what every part of the Map reads: one process reads it once. */
  async onceForAll<Result>(name: string, make: () => Promise<Result>): Promise<Result> {
    const key = dreamObject(this.#head.dream_id, name);
    const made = known.get(key) ?? this.once(name, make);
    known.set(key, made);
    for (const oldest of [...known.keys()].slice(0, -KNOWN_MAX)) known.delete(oldest);
    try {
      return (await made) as Result;
    } catch (error) {
      known.delete(key);
      throw error;
    }
  }

  /**
   * A result of the dream, made once: whoever comes second takes what stands there. Dies before the
   * write: it is made again, from requests that are remembered.
   */
  async once<Result>(name: string, make: () => Promise<Result>): Promise<Result> {
    const { blobs } = this.ports;
    const { dream_id } = this.#head;
    const kept = await readKept<Result>(blobs, dream_id, name);
    if (kept !== undefined) return kept;
    const key = keptName(dream_id, name);
    const made = await make();
    const tag = await blobs.replace(key, JSON.stringify(made), 'application/json');
    return tag === undefined ? parsed<Result>(await blobs.get(key)) : made;
  }
}

function keptName(dream_id: string, name: string): string {
  return dreamObject(dream_id, `${name}.json`);
}

/** A result that was made once; undefined until then. */
export async function readKept<Result>(
  blobs: Blobs,
  dream_id: string,
  name: string,
): Promise<Result | undefined> {
  const kept = await blobs.getTagged(keptName(dream_id, name));
  return kept === undefined ? undefined : parsed<Result>(kept.body);
}

function parsed<Result>(body: Uint8Array): Result {
  return JSON.parse(Buffer.from(body).toString('utf8')) as Result;
}

/** What the machine makes of a failure of the model: it waits and repeats, or the dream fails. */
export function ofModel(error: ModelError): Error {
  if (error.retryable) return new Fault('overloaded', error.message, { cause: error });
  return new DreamFailed('internal_error', error.message, { cause: error });
}
