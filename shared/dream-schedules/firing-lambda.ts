import { AwsCaller, shortCalls, type AwsPlace } from '../core/aws-caller.ts';
import { invoke } from '../core/invoke-lambda.ts';
import type { Firing } from './firing.ts';

/** How long a request waits for the fire function; reconcile goes on with what is not done by then. */
const ANSWER_MS = 20_000;

/** Not the bound of other calls: that is for each try, and three of them are longer than a request may last. */
const unbounded = { ...shortCalls, requestTimeout: 0, socketTimeout: 0 };

export interface FiringOptions {
  /** @default 20,000 */
  readonly answer_ms?: number;
  /** Where Lambda is. @default - as its environment says */
  readonly place?: AwsPlace;
}

/** The fire function in Lambda: what it does is safe to repeat. */
export class LambdaFiring implements Firing {
  readonly #function_name: string;
  readonly #answer_ms: number;
  readonly #lambda: AwsCaller;

  constructor(function_name: string, { answer_ms = ANSWER_MS, place }: FiringOptions = {}) {
    this.#function_name = function_name;
    this.#answer_ms = answer_ms;
    this.#lambda = new AwsCaller('lambda', place, unbounded);
  }

  async sync(dream_schedule_id: string): Promise<void> {
    await this.#invoke({ task: 'sync', dream_schedule_id }, 'RequestResponse');
  }

  async run(dream_schedule_id: string, run_id: string): Promise<void> {
    await this.#invoke({ task: 'run', dream_schedule_id, run_id }, 'RequestResponse');
  }

  async heal(dream_schedule_id: string): Promise<void> {
    await this.#invoke({ task: 'heal', dream_schedule_id }, 'Event');
  }

  async #invoke(event: object, type: 'RequestResponse' | 'Event'): Promise<void> {
    const { failed, payload } = await invoke(
      this.#lambda,
      { function_name: this.#function_name, event, type },
      AbortSignal.timeout(this.#answer_ms),
    );
    if (failed) throw new Error(`the fire function failed: ${payload}`);
  }
}
