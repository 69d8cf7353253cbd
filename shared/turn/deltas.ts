import type { Clock } from '../core/clock.ts';
import { limits } from '../core/limits.ts';
import type { Table } from '../core/table.ts';
import { padded } from '../threads/thread.ts';

/** A frame that only streams carry, as it goes over the wire. */
export type DeltaFrame =
  | { type: 'event_start'; event: { type: 'agent.message' | 'agent.thinking'; id: string } }
  | {
      type: 'event_delta';
      event_id: string;
      delta: { type: 'content_delta'; index: number; content: { type: 'text'; text: string } };
    };

/** Rows outlive every stream that may still read them, and then go by themselves. */
const KEPT_SECONDS = 300;

/**
 * Relays what the model says, while it says it, to the streams that listen: rows
 * `THREAD#<id>` / `D#<event_id>#<n>` with some frames each. Best effort by contract: the full event
 * follows in the log. Nothing is written when nobody listens.
 */
export class DeltaRelay {
  readonly #table: Table;
  readonly #clock: Clock;
  readonly #thread_id: string;
  #event_id = '';
  #n = 0;
  #waiting: DeltaFrame[] = [];
  /** The event of which some could not be written: a preview is a beginning, so nothing goes behind it. */
  #broken = '';
  #timer: NodeJS.Timeout | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(table: Table, clock: Clock, thread_id: string) {
    this.#table = table;
    this.#clock = clock;
    this.#thread_id = thread_id;
  }

  send(event_id: string, frame: DeltaFrame): void {
    if (event_id !== this.#event_id) {
      this.#flush();
      this.#event_id = event_id;
      this.#n = 0;
    }
    this.#waiting.push(frame);
    // The first frame goes at once: the time to the first word is what people feel.
    if (this.#n === 0) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), limits.delta_flush_ms);
  }

  /** Write what waits; the full event must not overtake it. */
  async end(): Promise<void> {
    this.#flush();
    await this.#last;
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    const frames = this.#waiting;
    this.#waiting = [];
    this.#n += 1;
    const event_id = this.#event_id;
    const sk = `D#${event_id}#${padded(this.#n)}`;
    this.#last = this.#last
      .then(async () => {
        if (event_id !== this.#broken) await this.#write(sk, frames);
      })
      .catch(() => {
        this.#broken = event_id;
      });
  }

  /** Unconditional: ids are new with every attempt, so nobody else writes this row. */
  async #write(sk: string, frames: DeltaFrame[]): Promise<void> {
    await this.#table.update({
      update: { pk: `THREAD#${this.#thread_id}`, sk },
      expression: 'SET frames = :frames, expires_at = :expires',
      values: {
        ':frames': frames,
        ':expires': Math.floor(this.#clock.now().getTime() / 1_000) + KEPT_SECONDS,
      },
    });
  }
}
