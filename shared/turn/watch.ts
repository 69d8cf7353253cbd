import { limits } from '../core/limits.ts';
import { interrupted, isChild } from '../threads/team.ts';
import type { Writer } from './writer.ts';

/**
 * Looks at the thread while something slow runs, and stops it when a client interrupts, when
 * the lease is lost, or when the function's own time runs out.
 */
export class Watch {
  readonly #controller = new AbortController();
  readonly #writer: Writer;
  #timer: NodeJS.Timeout | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #failure: unknown;

  /** @param time_ms What may be spent at most. */
  constructor(writer: Writer, time_ms: number) {
    this.#writer = writer;
    this.#deadline = setTimeout(() => this.#controller.abort(), Math.max(0, time_ms));
    this.#next();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** End watching. @throws LeaseLost when that is why it stopped */
  end(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#deadline);
    this.#timer = undefined;
    this.#deadline = undefined;
    if (this.#failure !== undefined) throw this.#failure;
  }

  #next(): void {
    const is_child = isChild(this.#writer.head);
    const wait_ms = is_child ? limits.child_interrupt_poll_ms : limits.interrupt_poll_ms;
    this.#timer = setTimeout(() => void this.#look(), wait_ms);
  }

  async #look(): Promise<void> {
    try {
      if (interrupted(await this.#writer.refresh())) this.#controller.abort();
    } catch (error) {
      this.#failure = error;
      this.#controller.abort();
    }
    if (this.#timer !== undefined && !this.#controller.signal.aborted) this.#next();
  }
}
