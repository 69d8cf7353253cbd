import type { BetaManagedAgentsDeltaType } from '@anthropic-ai/sdk/resources/beta/sessions/sessions';
import type { Clock } from '../core/clock.ts';
import { ROW_SCHEMA, type Row, type Table } from '../core/table.ts';
import type { DeltaFrame } from '../turn/deltas.ts';
import { listenKey, threadKey } from './thread.ts';

/** `THREAD#<id>` / `D#<event_id>#<n>`: what the model has said so far, written by the step. */
interface DeltaRow extends Row {
  readonly frames: readonly DeltaFrame[];
}

/** How long a reader counts as listening without saying so again. */
const LISTEN_MS = 45_000;
const RENEW_MS = 15_000;

/**
 * The previews of one stream: what the model is saying, before its event stands in the log. Best
 * effort by contract, but never out of order: a start at most once, deltas only after their start,
 * nothing after the full event.
 */
export class Previews {
  readonly #table: Table;
  readonly #clock: Clock;
  readonly #thread_id: string;
  readonly #wanted: ReadonlySet<string>;
  readonly #started = new Set<string>();
  readonly #closed = new Set<string>();
  #from = 'D#';
  /** Read before the newest look at the head, and after it. */
  #ripe: DeltaFrame[] = [];
  #fresh: DeltaFrame[] = [];
  #renew_at_ms = 0;

  private constructor(
    table: Table,
    clock: Clock,
    thread_id: string,
    wanted: readonly BetaManagedAgentsDeltaType[],
  ) {
    this.#table = table;
    this.#clock = clock;
    this.#thread_id = thread_id;
    this.#wanted = new Set(wanted);
  }

  /** Begin to listen. The event that is being said already is left out: its start was missed. */
  static async open(
    table: Table,
    clock: Clock,
    thread_id: string,
    wanted: readonly BetaManagedAgentsDeltaType[],
  ): Promise<Previews> {
    const previews = new Previews(table, clock, thread_id, wanted);
    await previews.listen();
    const { rows } = await table.query({ ...previews.#range(), reverse: true, limit: 1 });
    const [newest] = rows;
    if (newest !== undefined)
      previews.#from = `${newest.sk.slice(0, newest.sk.lastIndexOf('#'))}#~`;
    return previews;
  }

  /** Say that somebody listens, when it is time to. Unconditional: every listener says the same. */
  async listen(): Promise<void> {
    const now_ms = this.#clock.now().getTime();
    if (now_ms < this.#renew_at_ms) return;
    this.#renew_at_ms = now_ms + RENEW_MS;
    await this.#table.update({
      update: listenKey(this.#thread_id),
      expression: 'SET #schema = :schema, until_ms = :until, expires_at = :expires',
      names: { '#schema': 'schema' },
      values: {
        ':schema': ROW_SCHEMA,
        ':until': now_ms + LISTEN_MS,
        ':expires': Math.ceil((now_ms + LISTEN_MS) / 1_000) + 60,
      },
    });
  }

  /** Read what was said since; it is held until it is asked for. */
  async read(): Promise<void> {
    for (;;) {
      const { rows, more } = await this.#table.query(this.#range());
      this.#fresh.push(...(rows as DeltaRow[]).flatMap(({ frames }) => frames));
      const last = rows.at(-1);
      if (last === undefined) return;
      // `!` sorts before every other character that a key of ours may go on with.
      this.#from = `${last.sk}!`;
      if (!more) return;
    }
  }

  /** The head was read again: the log's lines from before what is held so far are known. */
  ripen(): void {
    this.#ripe.push(...this.#fresh);
    this.#fresh = [];
  }

  /** What is held of one event, whose full form follows now. */
  before(event_id: string): DeltaFrame[] {
    const frames = this.#take((frame) => idOf(frame) === event_id);
    this.#closed.add(event_id);
    return frames;
  }

  /** Everything that may be said now. */
  rest(): DeltaFrame[] {
    const frames = this.#ripe.filter((frame) => this.#passes(frame));
    this.#ripe = [];
    return frames;
  }

  /**
   * A model request is over: what it began and did not finish has no full event to come. Ids sort by
   * the time when they were made, and the end's is the last of its request.
   */
  close(end_id: string): void {
    const held = [...this.#ripe, ...this.#fresh].map(idOf);
    for (const id of [...this.#started, ...held]) if (id < end_id) this.#closed.add(id);
  }

  #range() {
    return { pk: threadKey(this.#thread_id).pk, from: this.#from, to: 'D#~' };
  }

  #take(which: (frame: DeltaFrame) => boolean): DeltaFrame[] {
    const taken = [...this.#ripe, ...this.#fresh].filter(which);
    this.#ripe = this.#ripe.filter((frame) => !which(frame));
    this.#fresh = this.#fresh.filter((frame) => !which(frame));
    return taken.filter((frame) => this.#passes(frame));
  }

  #passes(frame: DeltaFrame): boolean {
    const id = idOf(frame);
    if (this.#closed.has(id)) return false;
    if (frame.type === 'event_delta') return this.#started.has(id);
    if (this.#started.has(id) || !this.#wanted.has(frame.event.type)) return false;
    this.#started.add(id);
    return true;
  }
}

function idOf(frame: DeltaFrame): string {
  return frame.type === 'event_start' ? frame.event.id : frame.event_id;
}
