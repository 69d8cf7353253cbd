import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a task takes of a processor until it waits for something else, and half of that again: a child's turn before its first request. */
const begin_ms = 30;

/**
 * When the tasks of one execution begin: those of a Map one after the other, as fast as the machine's
 * processors bring them to where they wait for a model. On AWS each has a processor of its own. Here 25 that
 * begin at once would each wait for all others at every step that they take together.
 */
export class Pace {
  readonly #gap_ms: number;
  readonly #wait: (ms: number) => Promise<unknown>;
  #free_ms = 0;

  /** @param wait How to wait: a test does not. */
  constructor(processors = availableParallelism(), wait: (ms: number) => Promise<unknown> = sleep) {
    this.#gap_ms = begin_ms / processors;
    this.#wait = wait;
  }

  /** Comes at once to a task before which none began just now. */
  async turn(): Promise<void> {
    const now_ms = performance.now();
    const at_ms = Math.max(now_ms, this.#free_ms);
    this.#free_ms = at_ms + this.#gap_ms;
    if (at_ms > now_ms) await this.#wait(at_ms - now_ms);
  }
}
