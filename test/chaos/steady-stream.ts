import { setTimeout as sleep } from 'node:timers/promises';
import type Anthropic from '@anthropic-ai/sdk';
import type { BetaManagedAgentsStreamSessionEvents } from '@anthropic-ai/sdk/resources/beta/sessions/events';

export type Frame = BetaManagedAgentsStreamSessionEvents;

const previews = { event_deltas: ['agent.message' as const, 'agent.thinking' as const] };

/** Reads a session's stream, and comes back with `Last-Event-ID` whenever it breaks or ends. */
export class SteadyStream {
  /** Every event that has been taken up, in order: what waits is shown before that, too. */
  readonly ids: string[] = [];
  /** All that came, previews too, each opening apart. */
  readonly openings: Frame[][] = [];
  readonly #ask: () => Anthropic;
  readonly #session_id: string;
  #controller: AbortController | undefined;
  #is_open = true;
  #openings = 0;
  #ended: Promise<void> = Promise.resolve();

  private constructor(ask: () => Anthropic, session_id: string) {
    this.#ask = ask;
    this.#session_id = session_id;
  }

  /**
   * What it should have given of a log. A stream that broke before its first event could not say where it
   * was, and began anew at what came next: what was before that is not its.
   */
  expected(listed: readonly string[]): readonly string[] {
    const first = this.#openings > 1 ? listed.indexOf(this.ids[0] ?? '') : 0;
    return listed.slice(Math.max(0, first));
  }

  /** Opened before anything has happened in the session: so it will have seen all. */
  static async open(ask: () => Anthropic, session_id: string): Promise<SteadyStream> {
    const stream = new SteadyStream(ask, session_id);
    let opened: () => void = () => undefined;
    const first = new Promise<void>((resolve) => (opened = resolve));
    stream.#ended = stream.#run(opened);
    await first;
    return stream;
  }

  /** Until it has seen this event, or some seconds have passed. */
  async until(id: string | undefined, patience_ms: number): Promise<void> {
    const until = performance.now() + patience_ms;
    while (id !== undefined && !this.ids.includes(id) && performance.now() < until) await sleep(50);
  }

  async close(): Promise<void> {
    this.#is_open = false;
    this.#controller?.abort();
    await this.#ended;
  }

  async #run(opened: () => void): Promise<void> {
    while (this.#is_open) {
      const last = this.ids.at(-1);
      const headers = last === undefined ? {} : { 'last-event-id': last };
      try {
        const { events } = this.#ask().beta.sessions;
        const stream = await events.stream(this.#session_id, previews, { headers });
        const frames: Frame[] = [];
        this.openings.push(frames);
        this.#controller = stream.controller;
        if (last === undefined) this.#openings += 1;
        opened();
        if (!this.#is_open) stream.controller.abort();
        for await (const event of stream) {
          frames.push(event);
          if ('processed_at' in event && event.processed_at !== null) this.ids.push(event.id);
        }
      } catch {
        // It is opened again, from where it was.
      }
      if (this.#is_open) await sleep(100);
    }
  }
}
