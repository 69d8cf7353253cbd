import { setImmediate } from 'node:timers/promises';

/** The largest delay that a timer of Node takes; a longer one would fire at once. */
const timer_ms_max = 2_147_483_647;

interface Timer {
  readonly due_ms: number;
  readonly fire: () => void | Promise<void>;
  handle: NodeJS.Timeout;
}

/**
 * The one clock of a host: machine waits, retries, schedules, TTL and presigned URLs follow it.
 * It runs with the real one, shifted by `skew`; {@link advance} moves the shift. The shift lies in
 * shared memory, so that the `Date` of every function's worker is the host's as well.
 */
export class HostClock {
  readonly skew = new Float64Array(new SharedArrayBuffer(8));
  readonly #timers = new Set<Timer>();

  constructor(start?: Date) {
    if (start !== undefined) this.skew[0] = start.getTime() - Date.now();
  }

  now(): Date {
    return new Date(this.now_ms());
  }

  now_ms(): number {
    return Date.now() + (this.skew[0] ?? 0);
  }

  /** Call `fire` once `ms` have passed on this clock. The answer cancels it. */
  after(ms: number, fire: () => void | Promise<void>): () => void {
    const timer: Timer = {
      due_ms: this.now_ms() + ms,
      fire,
      handle: setTimeout(() => undefined, 0),
    };
    this.#arm(timer);
    this.#timers.add(timer);
    return () => this.#drop(timer);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        cancel();
        reject(new Error('the wait was aborted'));
      };
      const cancel = this.after(ms, () => {
        signal?.removeEventListener('abort', stop);
        resolve();
      });
      if (signal?.aborted === true) stop();
      else signal?.addEventListener('abort', stop, { once: true });
    });
  }

  /** Jump forward. What falls due on the way fires at its own time, in order, one after the other. */
  async advance(ms: number): Promise<void> {
    const target_ms = this.now_ms() + ms;
    for (;;) {
      const next = this.#next(target_ms);
      if (next === undefined) break;
      this.#jumpTo(next.due_ms);
      this.#drop(next);
      // oxlint-disable-next-line no-await-in-loop -- each must see the world that the last one left
      await next.fire();
      // oxlint-disable-next-line no-await-in-loop -- what was woken sets its next timer before we look
      await setImmediate();
    }
    this.#jumpTo(target_ms);
  }

  stop(): void {
    for (const timer of this.#timers) this.#drop(timer);
  }

  #next(target_ms: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.due_ms > target_ms) continue;
      if (first === undefined || timer.due_ms < first.due_ms) first = timer;
    }
    return first;
  }

  /** Never backwards: the real clock may have passed the mark meanwhile. */
  #jumpTo(ms: number): void {
    // Whole milliseconds, as `Date.now()` has them: a jittered wait is a fraction, and who makes an id
    // of the time refuses those, at every call from then on.
    const gap_ms = Math.ceil(ms - this.now_ms());
    if (gap_ms > 0) this.skew[0] = (this.skew[0] ?? 0) + gap_ms;
  }

  #arm(timer: Timer): void {
    clearTimeout(timer.handle);
    const wait_ms = Math.min(Math.max(timer.due_ms - this.now_ms(), 0), timer_ms_max);
    timer.handle = setTimeout(() => {
      if (timer.due_ms > this.now_ms()) return this.#arm(timer);
      this.#drop(timer);
      void timer.fire();
    }, wait_ms);
    timer.handle.unref();
  }

  #drop(timer: Timer): void {
    clearTimeout(timer.handle);
    this.#timers.delete(timer);
  }
}
