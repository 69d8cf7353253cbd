import { createHash } from 'node:crypto';
import * as z from 'zod';
import { Fault } from './fault.ts';
import { limits } from './limits.ts';

export type Order = 'asc' | 'desc';

/** Where a page begins: the position of the last item before it, seen in its direction. */
interface Cursor {
  /** Which list, e.g. `agents`: a cursor of another list is refused. */
  readonly kind: string;
  readonly order: Order;
  readonly direction: 'next' | 'prev';
  readonly position: string;
}

const Cursor: z.ZodType<Cursor> = z.strictObject({
  kind: z.string(),
  order: z.enum(['asc', 'desc']),
  direction: z.enum(['next', 'prev']),
  position: z.string().min(1),
});

const CHECK_CHARS = 8;

/** Opaque to clients. The check part makes any edit, also of a single letter, a malformed cursor. */
export function encodeCursor(cursor: Cursor): string {
  const json = JSON.stringify(cursor);
  return Buffer.from(checkOf(json) + json).toString('base64url');
}

/** @throws Fault `invalid` for whatever {@link encodeCursor} did not make. */
export function decodeCursor(text: string): Cursor {
  const bytes = Buffer.from(text, 'base64url');
  const plain = bytes.toString('utf8');
  const json = plain.slice(CHECK_CHARS);
  // Node's decoder skips what is not base64url: only a text that encodes back to itself is whole.
  const whole =
    bytes.toString('base64url') === text && plain.slice(0, CHECK_CHARS) === checkOf(json);
  if (!whole) throw malformed();
  const cursor = Cursor.safeParse(JSON.parse(json));
  if (!cursor.success) throw malformed();
  return cursor.data;
}

function checkOf(json: string): string {
  return createHash('sha256').update(json).digest('hex').slice(0, CHECK_CHARS);
}

function malformed(): Fault {
  return new Fault('invalid', 'page: is not a cursor of this list. Use next_page as it was given.');
}

/** What a caller asks of a list. */
export interface PageRequest {
  readonly kind: string;
  readonly order: Order;
  readonly limit: number;
  /** The cursor as it was sent. */
  readonly page?: string | undefined;
  /** Positions that the filters allow, inclusive. */
  readonly from: string;
  readonly to: string;
}

/** One candidate of a list. */
export interface Entry<Item> {
  readonly position: string;
  /** Undefined when a filter leaves it out. */
  readonly item: Item | undefined;
}

/** A stretch of candidates between two positions, inclusive, in the order that `reverse` says. */
export interface Stretch {
  readonly from: string;
  readonly to: string;
  readonly reverse: boolean;
  readonly limit: number;
}

export type Source<Item> = (
  stretch: Stretch,
) => Promise<{ readonly entries: readonly Entry<Item>[]; readonly more: boolean }>;

export interface Page<Item> {
  readonly data: Item[];
  readonly next_page: string | null;
}

export interface BidirectionalPage<Item> extends Page<Item> {
  readonly prev_page: string | null;
}

/**
 * Read one page. It may be shorter than `limit` and still have a next one: when the answer would
 * grow too large, or when the filters leave out almost everything.
 *
 * @throws Fault `invalid` for a cursor that is malformed, of another list or order, or outside
 *   `from` and `to`.
 */
export async function readPage<Item>(
  request: PageRequest,
  source: Source<Item>,
): Promise<BidirectionalPage<Item>> {
  const cursor = request.page === undefined ? undefined : cursorOf(request, request.page);
  // Bounds that leave out everything: the cursor has been checked all the same.
  if (request.from > request.to) return { data: [], next_page: null, prev_page: null };
  const backwards = cursor?.direction === 'prev';
  const walk = await walkFrom(request, cursor, source);
  const found = backwards ? walk.found.toReversed() : walk.found;
  const has = {
    next: backwards || walk.more,
    prev: backwards ? walk.more : cursor !== undefined,
  };
  const link = (direction: Cursor['direction'], edge: Entry<Item> | undefined): string | null => {
    const position = edge?.position ?? walk.reached;
    if (!has[direction] || position === undefined) return null;
    return encodeCursor({ kind: request.kind, order: request.order, direction, position });
  };
  return {
    data: found.flatMap(({ item }) => (item === undefined ? [] : [item])),
    next_page: link('next', found.at(-1)),
    prev_page: link('prev', found[0]),
  };
}

/** The page without the way back: only `GET /v1/sessions` has one. */
export function forwardOnly<Item>({ data, next_page }: BidirectionalPage<Item>): Page<Item> {
  return { data, next_page };
}

function cursorOf(request: PageRequest, text: string): Cursor {
  const cursor = decodeCursor(text);
  if (cursor.kind !== request.kind) throw malformed();
  if (cursor.order !== request.order) {
    throw new Fault(
      'invalid',
      `page: this cursor was made with order '${cursor.order}'. Keep the order, or start again without page.`,
    );
  }
  if (cursor.position < request.from || cursor.position > request.to) {
    throw new Fault(
      'invalid',
      'page: the filters leave out where this cursor stands. Keep them, or start again without page.',
    );
  }
  return cursor;
}

interface Walk<Item> {
  readonly found: Entry<Item>[];
  /** Where the walk stopped; only of use when nothing was found. */
  readonly reached: string | undefined;
  readonly more: boolean;
}

/** Collect up to a page of items, from the cursor on, in the cursor's direction. */
async function walkFrom<Item>(
  request: PageRequest,
  cursor: Cursor | undefined,
  source: Source<Item>,
): Promise<Walk<Item>> {
  const reverse = (request.order === 'desc') !== (cursor?.direction === 'prev');
  const found: Entry<Item>[] = [];
  const room = roomFor(request.limit);
  let reached = cursor?.position;
  for (let scanned = 0; scanned < limits.page_scan_max;) {
    const { entries, more } = await source({
      ...rest(request, reverse, reached),
      reverse,
      // One for the entry where we stand, which is skipped, and one to see whether there is more.
      limit: request.limit - found.length + 2,
    });
    for (const entry of entries.filter(({ position }) => position !== reached)) {
      if (entry.item !== undefined) {
        if (!room(entry.item)) return { found, reached, more: true };
        found.push(entry);
      }
      reached = entry.position;
    }
    if (!more) return { found, reached, more: false };
    scanned += entries.length;
  }
  return { found, reached, more: true };
}

/** What is left of the list from where the walk stands, this position included. */
function rest(request: PageRequest, reverse: boolean, reached: string | undefined) {
  return reverse
    ? { from: request.from, to: reached ?? request.to }
    : { from: reached ?? request.from, to: request.to };
}

/** Tells of each item whether the page still takes it; it always takes the first. */
function roomFor(limit: number): (item: unknown) => boolean {
  let count = 0;
  let bytes = 0;
  return (item) => {
    count++;
    bytes += Buffer.byteLength(JSON.stringify(item));
    return count === 1 || (count <= limit && bytes <= limits.page_bytes_max);
  };
}
