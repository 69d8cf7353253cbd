import type { BetaManagedAgentsDeltaType } from '@anthropic-ai/sdk/resources/beta/sessions/sessions';
import { timestamp } from '../core/clock.ts';
import { Fault } from '../core/fault.ts';
import { limits } from '../core/limits.ts';
import type { Ports } from '../core/ports.ts';
import { sessionKey, type SessionHead } from '../sessions/session.ts';
import { loadEvent, newestLines, walkLog, type PlacedLine } from '../threads/log.ts';
import { Previews } from '../threads/previews.ts';
import { PAUSE_MS, pollInterval, SPEAKING_QUIET_MS, type Tail } from '../threads/tail.ts';
import type { TailHead } from '../threads/tail.ts';
import type { ThreadHead } from '../threads/thread.ts';
import type { Frame, StreamEvent } from './frame.ts';
import { loadInbox } from './inbox.ts';

export interface FollowOptions {
  /** Id of the last event that the reader has: it gets what came after. */
  readonly after_id: string | undefined;
  readonly event_deltas: readonly BetaManagedAgentsDeltaType[];
}

/** Reads that may fail in a row before a stream gives up and its reader connects anew. */
const FAILURES_MAX = 5;

/** Entries of one read while catching up: a few MB of memory for each open stream at most. */
const ENTRIES_PER_READ = 20;

/**
 * Follow a thread's log for one reader. Nothing is missed: it goes by the log's own numbers, which
 * have no gaps, from the number that stood when it was opened. Nothing comes twice.
 */
export class Follower {
  readonly #ports: Ports;
  readonly #tail: Tail;
  readonly #previews: Previews | undefined;
  #head: TailHead;
  /** Number of the last event given. */
  #seq: number;
  /** Number of the last event of the inbox given. */
  #inbox: number;
  #moved_at_ms = performance.now();
  /** Since when it has moved, or said something, without a pause. */
  #busy_since_ms = performance.now();
  #ended = false;

  private constructor(ports: Ports, tail: Tail, opened: Opened) {
    this.#ports = ports;
    this.#tail = tail;
    this.#head = opened.head;
    this.#seq = opened.seq;
    this.#inbox = opened.head.inbox_seq;
    this.#previews = opened.previews;
  }

  get session_id(): string {
    return this.#head.session_id;
  }

  get thread_id(): string {
    return this.#head.thread_id;
  }

  /**
   * Take up a position. From here on nothing is missed, so the reader may be told that the stream
   * is open.
   *
   * @param head As read, strongly, for this reader.
   * @throws Fault `invalid` when `after_id` is not an event of this thread's log
   */
  static async open(
    ports: Ports,
    tail: Tail,
    head: ThreadHead,
    { after_id, event_deltas }: FollowOptions,
  ): Promise<Follower> {
    const { table, clock } = ports;
    const [seq, previews] = await Promise.all([
      after_id === undefined ? head.seq : seqOf(ports, head, after_id),
      event_deltas.length === 0
        ? undefined
        : Previews.open(table, clock, head.thread_id, event_deltas),
    ]);
    return new Follower(ports, tail, { head, seq, previews });
  }

  /**
   * The frames, in batches as they become known; a batch is empty when there is nothing new, so
   * that the caller can see to its own time. Ends after the thread's last event, and where nothing
   * has come for long and nothing is under way: its reader may have left unseen.
   */
  async *frames(signal: AbortSignal): AsyncGenerator<Frame[]> {
    for (let failures = 0; !signal.aborted;) {
      try {
        yield* this.#catchUp();
        if (this.#ended || this.#isOverdue()) return;
        await this.#look(signal);
        failures = 0;
      } catch (error) {
        // The rows of a deleted session go while we read them.
        if (await this.#isGone()) return yield [this.#deleted()];
        failures += 1;
        if (failures === FAILURES_MAX) throw error;
      }
      yield [];
    }
  }

  /** Wait for the next look at the head. */
  async #look(signal: AbortSignal): Promise<void> {
    const now_ms = performance.now();
    // What the model says meanwhile does not move the head.
    const is_listening = this.#previews !== undefined && this.#head.open_span !== null;
    const still_ms = now_ms - this.#moved_at_ms;
    const quiet_ms = is_listening ? Math.min(still_ms, SPEAKING_QUIET_MS) : still_ms;
    if (quiet_ms >= PAUSE_MS) this.#busy_since_ms = now_ms;
    const running = this.#head.status === 'running';
    const wait_ms = pollInterval({ running, quiet_ms, busy_ms: now_ms - this.#busy_since_ms });
    const head = await this.#tail.head(this.#head.thread_id, wait_ms, signal);
    if (signal.aborted) return;
    if (head === undefined) {
      if (await this.#isGone()) throw new Error('the thread is gone');
      return;
    }
    await this.#previews?.listen();
    this.#previews?.ripen();
    // A read that is a moment old must not take us back.
    if (head.version <= this.#head.version) return;
    this.#head = head;
    this.#moved_at_ms = performance.now();
  }

  async *#catchUp(): AsyncGenerator<Frame[]> {
    yield* this.#news();
    if (this.#ended) return;
    const rest = (this.#previews?.rest() ?? []).map(preview);
    if (rest.length > 0) yield rest;
    // Held until the head has been read again: the log's own lines from before come first.
    if (this.#head.open_span !== null) await this.#previews?.read();
    if (this.#head.status === 'terminated' && this.#seq >= this.#head.seq) this.#ended = true;
  }

  /** What was accepted and what was logged since, read at the same time and given in this order. */
  async *#news(): AsyncGenerator<Frame[]> {
    const moved = this.#head.seq > this.#seq;
    const log = moved ? this.#logged() : undefined;
    const [accepted, first] = await Promise.all([
      this.#accepted(),
      log?.next(),
      moved ? this.#previews?.read() : undefined,
    ]);
    // Only now that no read has failed: what counts as given is given.
    this.#inbox += accepted.length;
    if (accepted.length > 0) yield accepted;
    if (log === undefined || first === undefined || first.done === true) return;
    yield this.#given(first.value);
    for await (const events of log) {
      if (this.#ended) return;
      yield this.#given(events);
    }
  }

  /** Events that a client has sent and that wait: shown once here, and again when they are taken. */
  async #accepted(): Promise<Frame[]> {
    if (this.#head.inbox_seq <= this.#inbox) return [];
    const { thread_id, inbox_seq } = this.#head;
    const rows = await loadInbox(this.#ports, thread_id, {
      after: this.#inbox,
      through: inbox_seq,
    });
    return rows.map((event) => ({ event: event as StreamEvent, resumable: false }));
  }

  async *#logged(): AsyncGenerator<StreamEvent[]> {
    const { table } = this.#ports;
    const { thread_id, seq: through } = this.#head;
    const range = { after: this.#seq, through };
    const newest = await newestLines(table, thread_id, range);
    if (newest !== undefined) return yield await this.#loaded(newest);
    for await (const lines of walkLog(table, thread_id, { ...range, entries: ENTRIES_PER_READ })) {
      yield await this.#loaded(lines);
    }
  }

  async #loaded(lines: readonly PlacedLine[]): Promise<StreamEvent[]> {
    const events = lines.map(async (line) => await loadEvent(this.#ports.blobs, line));
    return (await Promise.all(events)) as StreamEvent[];
  }

  /** Events of the log as frames, each behind its previews; from here on they count as given. */
  #given(events: readonly StreamEvent[]): Frame[] {
    const frames: Frame[] = [];
    for (const event of events) {
      frames.push(...this.#previewsBefore(event).map(preview), { event, resumable: true });
      this.#seq += 1;
      this.#ended = event.type === 'session.deleted' || event.type === 'session.status_terminated';
      if (this.#ended) break;
    }
    return frames;
  }

  #previewsBefore(event: StreamEvent) {
    if (this.#previews === undefined) return [];
    if (event.type === 'span.model_request_end') this.#previews.close(event.id);
    return isPreviewed(event) ? this.#previews.before(event.id) : [];
  }

  #isOverdue(): boolean {
    const quiet_ms = performance.now() - this.#moved_at_ms;
    return quiet_ms >= limits.stream_rest_ms && rests(this.#head);
  }

  async #isGone(): Promise<boolean> {
    const row = await this.#ports.table.get(sessionKey(this.#head.session_id));
    return row === undefined || (row as SessionHead).deleted_at !== null;
  }

  /** The log's own event of the deletion may be swept before it is read. */
  #deleted(): Frame {
    const event: StreamEvent = {
      id: this.#ports.newId('event'),
      type: 'session.deleted',
      processed_at: timestamp(this.#ports.clock),
    };
    return { event, resumable: false };
  }
}

interface Opened {
  readonly head: TailHead;
  readonly seq: number;
  readonly previews: Previews | undefined;
}

/** Nobody works, and nobody waits for a client that may be at work on its answer. */
function rests({ status, stop_reason, team }: TailHead): boolean {
  return [{ status, stop_reason }, ...(team?.members ?? [])].every(
    (one) => one.status === 'idle' && one.stop_reason?.type !== 'requires_action',
  );
}

function isPreviewed(event: { type: string }): event is { type: 'agent.message'; id: string } {
  return event.type === 'agent.message' || event.type === 'agent.thinking';
}

function preview(event: StreamEvent): Frame {
  return { event, resumable: false };
}

/** The number of an event, found from the newest backwards: a reader that comes back is not far behind. */
async function seqOf({ table }: Ports, head: TailHead, event_id: string): Promise<number> {
  const range = { through: head.seq, reverse: true };
  for await (const lines of walkLog(table, head.thread_id, range)) {
    const line = lines.find(({ id }: PlacedLine) => id === event_id);
    if (line !== undefined) return line.seq;
  }
  throw new Fault(
    'invalid',
    `Last-Event-ID: '${event_id.slice(0, 80)}' is not an event of this stream. Connect without it, and list the events.`,
  );
}
