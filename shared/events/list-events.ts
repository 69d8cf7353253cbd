import * as z from 'zod';
import { limits } from '../core/limits.ts';
import { readPage, type Entry, type Page, type Stretch } from '../core/page.ts';
import { queryInt, queryList, queryTimes } from '../core/parse.ts';
import type { Ports } from '../core/ports.ts';
import type { Table } from '../core/table.ts';
import { eventBytes, loadEvent, walkLog, type PlacedLine } from '../threads/log.ts';
import { padded, type ThreadHead } from '../threads/thread.ts';
import { eventTypes } from './event-types.ts';
import type { SessionEvent } from './event.ts';
import { loadQueued } from './inbox.ts';

export const EventListQuery = z.strictObject({
  limit: queryInt(1, limits.events_page_max).default(limits.events_page_max),
  page: z.string().optional(),
  order: z.enum(['asc', 'desc']).default('asc'),
  types: queryList(z.enum(eventTypes)).optional(),
  ...queryTimes,
});
export type EventListQuery = z.output<typeof EventListQuery>;

/**
 * Positions of the list: the log by number, then what waits in the inbox by its number there and the end
 * that the log had then: what the log has taken since comes next.
 */
const LOG = 'E#';
const QUEUE = 'Q#';

/** Lines of one read when a filter may leave most of them out. */
const SCAN_LINES = 200;

/**
 * The events of a thread, in the order of its log; those that wait have no time yet and come last
 * (first when descending). The bounds of `created_at` are bounds of `processed_at`, as documented,
 * so they leave out what waits.
 *
 * @throws Fault `invalid` for a cursor that does not fit
 */
export async function listEvents(
  ports: Ports,
  head: ThreadHead,
  query: EventListQuery,
): Promise<Page<SessionEvent>> {
  const range = await rangeOf(ports.table, head, query);
  const { order, limit, page } = query;
  const request = { kind: `events/${head.thread_id}`, order, limit, page, ...range };
  const { data, next_page } = await readPage(request, async (stretch) => {
    const parts = [
      async () => await readLog(ports, head, stretch, query),
      async () => await readQueue(ports, head, stretch, query),
    ];
    return await oneAfterTheOther(stretch.reverse ? parts.toReversed() : parts, stretch.limit);
  });
  return { data, next_page };
}

interface Part {
  readonly entries: Entry<SessionEvent>[];
  readonly more: boolean;
}

async function oneAfterTheOther(
  parts: readonly (() => Promise<Part>)[],
  limit: number,
): Promise<Part> {
  const entries: Entry<SessionEvent>[] = [];
  for (const part of parts) {
    const read = await part();
    entries.push(...read.entries);
    if (read.more || entries.length >= limit) return { entries, more: true };
  }
  return { entries, more: false };
}

async function readLog(
  ports: Ports,
  head: ThreadHead,
  { from, to, reverse, limit }: Stretch,
  { types }: EventListQuery,
): Promise<Part> {
  const lines_max = types === undefined ? limit : Math.max(limit, SCAN_LINES);
  // Each number is one line: what lies beyond one more than wanted is not asked for, however much an entry holds.
  const { first, last } = numbersWithin(from, to, head.seq);
  const after = reverse ? Math.max(first - 1, last - lines_max - 1) : first - 1;
  const through = reverse ? last : Math.min(last, after + lines_max + 1);
  if (after >= through) return { entries: [], more: false };
  const range = { after, through, reverse, entries: lines_max };
  const lines: PlacedLine[] = [];
  let bytes = 0;
  let more = false;
  walk: for await (const page of walkLog(ports.table, head.thread_id, range)) {
    for (const line of page) {
      const wanted = wants(types, line.type);
      bytes += wanted ? eventBytes(line) : 0;
      // What does not fit into the answer is not loaded: a thousand events may weigh gigabytes. The
      // first line may be where the list stands already, so only a second one is a step ahead.
      more = lines.length === lines_max || (bytes > limits.page_bytes_max && lines.length > 1);
      if (more) break walk;
      lines.push(line);
    }
  }
  const entries = lines.map(async (line): Promise<Entry<SessionEvent>> => {
    const wanted = wants(types, line.type);
    return {
      position: LOG + padded(line.seq),
      item: wanted ? await loadEvent(ports.blobs, line) : undefined,
    };
  });
  return { entries: await Promise.all(entries), more };
}

async function readQueue(
  ports: Ports,
  head: ThreadHead,
  { from, to, reverse, limit }: Stretch,
  { types }: EventListQuery,
): Promise<Part> {
  // Where the list stands is left out, whatever end the log had then.
  const waiting = head.queue.filter(({ n }) => {
    const place = QUEUE + padded(n);
    return place >= from && `${place}#~` < to;
  });
  const ordered = (reverse ? waiting.toReversed() : waiting).slice(0, limit);
  const wanted = ordered.filter(({ type }) => wants(types, type));
  const events = await loadQueued(ports, head.thread_id, wanted);
  const byId = new Map(events.map((event) => [event.id, event]));
  return {
    entries: ordered.map(({ n, id }) => ({
      position: `${QUEUE}${padded(n)}#${padded(head.seq)}`,
      item: byId.get(id),
    })),
    more: waiting.length > limit,
  };
}

function wants(types: readonly string[] | undefined, type: string): boolean {
  return types === undefined || types.includes(type);
}

/** The numbers of the log between two positions. @param end The last one that it has */
function numbersWithin(from: string, to: string, end: number): { first: number; last: number } {
  return {
    first: from.startsWith(LOG) ? numberIn(from, 1) : numberIn(from, 2, end) + 1,
    last: to.startsWith(LOG) ? Math.min(end, numberIn(to, 1)) : end,
  };
}

/** A number in a position. @param other Where it has none there, as cursors of an older release */
function numberIn(position: string, place: number, other = 0): number {
  return Number(position.split('#')[place] ?? other);
}

/** The positions that the bounds of time allow, found without reading what lies before them. */
async function rangeOf(
  table: Table,
  head: ThreadHead,
  query: EventListQuery,
): Promise<{ from: string; to: string }> {
  const { 'created_at[gt]': gt, 'created_at[gte]': gte } = query;
  const { 'created_at[lt]': lt, 'created_at[lte]': lte } = query;
  if ([gt, gte, lt, lte].every((bound) => bound === undefined)) {
    return { from: LOG + padded(1), to: `${QUEUE}~` };
  }
  const firsts = [
    gt === undefined ? 1 : await firstSeq(table, head, (at) => at > gt),
    gte === undefined ? 1 : await firstSeq(table, head, (at) => at >= gte),
  ];
  const ends = [
    lt === undefined ? head.seq + 1 : await firstSeq(table, head, (at) => at >= lt),
    lte === undefined ? head.seq + 1 : await firstSeq(table, head, (at) => at > lte),
  ];
  return { from: LOG + padded(Math.max(...firsts)), to: LOG + padded(Math.min(...ends) - 1) };
}

/**
 * The first event whose time passes, by halving: times rise with the numbers of the log.
 * @returns one past the newest event when there is none
 */
async function firstSeq(
  table: Table,
  head: ThreadHead,
  passes: (processed_at: string) => boolean,
): Promise<number> {
  let [low, high] = [1, head.seq + 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const at = await timeOf(table, head.thread_id, middle);
    if (passes(at)) high = middle;
    else low = middle + 1;
  }
  return low;
}

async function timeOf(table: Table, thread_id: string, seq: number): Promise<string> {
  const range = { after: seq - 1, through: seq, entries: 1 };
  for await (const [line] of walkLog(table, thread_id, range)) {
    if (line !== undefined) return line.processed_at;
  }
  return '';
}
