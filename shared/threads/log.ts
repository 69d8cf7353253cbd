import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../core/backoff.ts';
import type { Blobs } from '../core/blobs.ts';
import type { Clock } from '../core/clock.ts';
import { invariant } from '../core/invariant.ts';
import { limits } from '../core/limits.ts';
import { load, loadText, store, type Stored } from '../core/stored.ts';
import type { Row, Table, Write } from '../core/table.ts';
import type { Hidden, Line, LoggedEvent, SessionEvent } from '../events/event.ts';
import { padded, type ThreadHead } from './thread.ts';

/**
 * One append: `THREAD#<id>` / `E#<seq of its last event>`. Events that are written together stand
 * in one row: half the writes, and a page of history is a few large reads.
 */
interface EntryRow extends Row {
  readonly first_seq: number;
  readonly lines: readonly (KeptLine | StoredLine)[];
}

/**
 * An entry is one text (packing.ts), so what is small stands in it as it is: as a text within the text
 * each of its quotes would be escaped, and what stands outside of it would be there twice.
 */
interface KeptLine {
  readonly value: SessionEvent;
  readonly hidden_value?: Hidden;
}

/**
 * `type` and `processed_at` stand outside, so that a filter need not fetch a large event. So are also the
 * small ones of entries from before they were kept as they are.
 */
export interface StoredLine {
  readonly id: string;
  readonly type: SessionEvent['type'];
  readonly processed_at: string;
  readonly event: Stored<SessionEvent> | { readonly value: SessionEvent };
  readonly hidden?: Stored<Hidden> | { readonly value: Hidden };
}

/** A line with its place in the log, not yet loaded from the bucket. */
export interface PlacedLine extends StoredLine {
  readonly seq: number;
}

export interface Appended {
  /** The head as it will stand: the base of the next append. */
  readonly head: ThreadHead;
  /** The writes of the append, for one transaction with whatever else belongs to it. */
  readonly writes: Write[];
  readonly logged: LoggedEvent[];
  /** The same events as they stand in the log. */
  readonly placed: PlacedLine[];
}

export interface LogStore {
  readonly table: Table;
  readonly blobs: Blobs;
  readonly clock: Clock;
}

/**
 * Prepare an append: the head moves by exactly these events, or nothing is written at all.
 *
 * @param head The head as read; the writes hold its `version` against the row.
 * @param patch What else changes of the head.
 * @returns Writes to be sent in one transaction. An event too large for a row is put into the
 *   bucket here; when the transaction is refused, that object is an orphan of the session.
 */
export async function prepareAppend(
  { blobs, clock }: Omit<LogStore, 'table'>,
  head: ThreadHead,
  lines: readonly Line[],
  patch: Partial<ThreadHead> = {},
): Promise<Appended> {
  invariant(lines.length <= limits.entry_events_max, 'an append is bounded');
  const at = laterOf(clock.now().toISOString(), head.last_at);
  const logged = lines.map(({ event, hidden }, index) => ({
    seq: head.seq + 1 + index,
    // The event's own type is kept: only the time is added to it.
    event: { ...event, processed_at: at } as SessionEvent,
    hidden: hidden ?? {},
  }));
  const inline_bytes_max = inlineMax(logged);
  const stored = await Promise.all(
    logged.map((line) => storeLine(blobs, head.session_id, line, inline_bytes_max)),
  );
  const next: ThreadHead = {
    ...head,
    ...patch,
    version: head.version + 1,
    seq: head.seq + lines.length,
    last_at: lines.length > 0 ? at : head.last_at,
    updated_at: at,
  };
  const entries = rowsOf(head, stored).map((put) => ({
    put,
    condition: 'attribute_not_exists(pk)',
  }));
  const placed = stored.map((line, index) => ({ ...line, seq: head.seq + 1 + index }));
  return { head: next, writes: [putHead(head, next), ...entries], logged, placed };
}

/** Replace the head if it still is the one that was read. */
function putHead(read: ThreadHead, next: ThreadHead): Write {
  return {
    put: next,
    condition: '#version = :read',
    names: { '#version': 'version' },
    values: { ':read': read.version },
  };
}

/**
 * What may stand in the row itself. Each event is small enough for one, but an inbox of them would not
 * go into one transaction: then each has its share of what an append may weigh.
 */
function inlineMax(lines: readonly LoggedEvent[]): number {
  const values = lines.flatMap(({ event, hidden }) => [event, hidden]);
  const weights = values.map((value) => Buffer.byteLength(JSON.stringify(value)));
  const small = weights.filter((bytes) => bytes <= limits.inline_bytes_max);
  const bytes = small.reduce((sum, one) => sum + one, 0);
  if (bytes <= limits.append_bytes_max) return limits.inline_bytes_max;
  return Math.floor(limits.append_bytes_max / values.length);
}

async function storeLine(
  blobs: Blobs,
  session_id: string,
  { event, hidden }: LoggedEvent,
  inline_bytes_max: number,
): Promise<StoredLine> {
  const key = `sessions/${session_id}/events/${event.id}`;
  const stored = await store(blobs, `${key}.json`, event, inline_bytes_max);
  return {
    id: event.id,
    type: event.type,
    // The append has just set it; only the type still allows it to be open.
    processed_at: event.processed_at ?? '',
    event: small(event, stored),
    ...(Object.keys(hidden).length === 0
      ? {}
      : {
          hidden: small(hidden, await store(blobs, `${key}.hidden.json`, hidden, inline_bytes_max)),
        }),
  };
}

function small<T>(value: T, stored: Stored<T>): Stored<T> | { readonly value: T } {
  return 'json' in stored ? { value } : stored;
}

/** A line as its entry has it. */
function kept(line: StoredLine): KeptLine | StoredLine {
  const { event, hidden } = line;
  if (!('value' in event) || (hidden !== undefined && !('value' in hidden))) return line;
  return { value: event.value, ...(hidden === undefined ? {} : { hidden_value: hidden.value }) };
}

function unkept(line: KeptLine | StoredLine): StoredLine {
  if (!('value' in line)) return line;
  const { value, hidden_value } = line;
  const { id, type, processed_at } = value;
  const hidden = hidden_value === undefined ? {} : { hidden: { value: hidden_value } };
  return { id, type, processed_at: processed_at ?? '', event: { value }, ...hidden };
}

/** One row, or several when the lines together are too large for one. */
function rowsOf(head: ThreadHead, lines: readonly StoredLine[]): EntryRow[] {
  const rows: { lines: (KeptLine | StoredLine)[]; bytes: number }[] = [];
  for (const line of lines.map(kept)) {
    const bytes = Buffer.byteLength(JSON.stringify(line));
    const last = rows.at(-1);
    if (last !== undefined && last.bytes + bytes <= limits.row_bytes_max) {
      last.lines.push(line);
      last.bytes += bytes;
    } else {
      rows.push({ lines: [line], bytes });
    }
  }
  let seq = head.seq;
  return rows.map((row) => {
    const first_seq = seq + 1;
    seq += row.lines.length;
    return { pk: head.pk, sk: `E#${padded(seq)}`, first_seq, lines: row.lines };
  });
}

function laterOf(a: string, b: string): string {
  return a > b ? a : b;
}

const wholeLog = { after: 0, through: 999_999_999_999, reverse: false };

export interface LogRange {
  /** Events after this number. @default 0 */
  readonly after?: number;
  /** Events up to this number. @default - the newest */
  readonly through?: number;
  readonly reverse?: boolean;
  /** Entries of one read. @default - as many as 1 MB holds */
  readonly entries?: number;
}

/**
 * Walk a thread's log in order, page by page of the table, without loading large events.
 * Forwards it ends before a gap: while an append becomes visible, its later entry may be seen first. Where
 * `through` says that more is there, it waits for that a while.
 * @yields the lines of one page (about 1 MB at most), so that a caller can stop early.
 */
export async function* walkLog(
  table: Table,
  thread_id: string,
  range: LogRange = {},
): AsyncGenerator<PlacedLine[]> {
  const { reverse, through } = range;
  if (reverse === true || through === undefined) return yield* walkSeen(table, thread_id, range);
  let after = range.after ?? 0;
  for (let attempt = 1; ; attempt++) {
    for await (const lines of walkSeen(table, thread_id, { ...range, after })) {
      after = lines.at(-1)?.seq ?? after;
      yield lines;
    }
    if (after >= through || attempt === limits.unseen_attempts_max) return;
    await sleep(backoffMs(attempt));
  }
}

async function* walkSeen(
  table: Table,
  thread_id: string,
  range: LogRange,
): AsyncGenerator<PlacedLine[]> {
  const { after, through, entries, reverse } = { ...wholeLog, ...range };
  const reads = { reverse, ...(entries === undefined ? {} : { limit: entries }) };
  const pk = `THREAD#${thread_id}`;
  const bounds = { from: `E#${padded(after + 1)}`, to: await endOf(table, pk, range) };
  for (let next = after + 1; next <= through && bounds.from <= bounds.to;) {
    const page = await table.query({ pk, ...bounds, ...reads });
    const rows = page.rows as EntryRow[];
    const lines = rows.flatMap((row) => placed(row, reverse));
    const within = lines.filter(({ seq }) => seq > after && seq <= through);
    const whole = reverse ? within : beforeGap(within, next);
    if (whole.length > 0) yield whole;
    const last = rows.at(-1);
    if (!page.more || last === undefined || whole.length < within.length) return;
    // Both are borders of an entry, where its sort key is the number of its last event.
    if (reverse) bounds.to = `E#${padded(last.first_seq - 1)}`;
    else bounds.from = `E#${padded((next += whole.length))}`;
  }
}

/** So many events, or fewer, are most often one append. */
const NEAR_EVENTS = 12;

/**
 * The events after a number, where the newest append alone holds them: an entry's key is its last event.
 * A read by key costs what a query costs, and the local host has its answer without asking its engine.
 * @returns undefined where they stand in several entries, or are so many that they most likely do
 */
export async function newestLines(
  table: Table,
  thread_id: string,
  { after, through }: { readonly after: number; readonly through: number },
): Promise<PlacedLine[] | undefined> {
  if (through - after > NEAR_EVENTS) return undefined;
  const row = await table.get({ pk: `THREAD#${thread_id}`, sk: `E#${padded(through)}` });
  if (row === undefined) return undefined;
  const lines = placed(row as EntryRow).filter(({ seq }) => seq > after);
  return lines[0]?.seq === after + 1 ? lines : undefined;
}

function beforeGap(lines: readonly PlacedLine[], next: number): PlacedLine[] {
  return lines.filter(({ seq }, index) => seq === next + index);
}

/** An entry sorts by its last event, so the one that holds `through` may sort after it. */
async function endOf(table: Table, pk: string, { through, reverse }: LogRange): Promise<string> {
  if (through === undefined) return 'E#~';
  if (reverse !== true) return `E#${padded(through + limits.entry_events_max)}`;
  const { rows } = await table.query({ pk, from: `E#${padded(through)}`, to: 'E#~', limit: 1 });
  return rows[0]?.sk ?? 'E#~';
}

function placed(row: EntryRow, reverse = false): PlacedLine[] {
  const lines = row.lines.map((line, index) => ({ ...unkept(line), seq: row.first_seq + index }));
  return reverse ? lines.toReversed() : lines;
}

/** A line's event, loaded from the bucket when it is large. */
export async function loadEvent(blobs: Blobs, { event }: StoredLine): Promise<SessionEvent> {
  return 'value' in event ? event.value : await load(blobs, event);
}

/** The same as the JSON text that it is kept as. */
export async function eventText(blobs: Blobs, { event }: StoredLine): Promise<string> {
  return 'value' in event ? JSON.stringify(event.value) : await loadText(blobs, event);
}

/** What a line's event weighs as JSON. */
export function eventBytes({ event }: StoredLine): number {
  if ('blob' in event) return event.bytes;
  return Buffer.byteLength('json' in event ? event.json : JSON.stringify(event.value));
}

/** A line whole, with what stays behind the wire. */
export async function loadLine(blobs: Blobs, line: PlacedLine): Promise<LoggedEvent> {
  const [event, hidden] = await Promise.all([loadEvent(blobs, line), loadHidden(blobs, line)]);
  return { seq: line.seq, event, hidden };
}

async function loadHidden(blobs: Blobs, { hidden }: StoredLine): Promise<Hidden> {
  if (hidden === undefined) return {};
  return 'value' in hidden ? hidden.value : await load(blobs, hidden);
}
