import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fault } from '#shared/core/fault.ts';
import { limits } from '#shared/core/limits.ts';
import {
  decodeCursor,
  encodeCursor,
  forwardOnly,
  readPage,
  type BidirectionalPage,
  type PageRequest,
  type Source,
} from '#shared/core/page.ts';

/** Cursors are opaque and whole; pages of any size, in both directions, add up to the list. */

const cursors = fc.record({
  kind: fc.string({ minLength: 1 }),
  order: fc.constantFrom('asc' as const, 'desc' as const),
  direction: fc.constantFrom('next' as const, 'prev' as const),
  position: fc.string({ minLength: 1 }),
});

test('a cursor comes back as it was made', () => {
  fc.assert(
    fc.property(cursors, (cursor) => {
      expect(decodeCursor(encodeCursor(cursor))).toEqual(cursor);
    }),
  );
});

test('a cursor with any one character changed is refused', () => {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_= ~'.split('');
  fc.assert(
    fc.property(cursors, fc.nat(), fc.constantFrom(...letters), (cursor, at, letter) => {
      const text = encodeCursor(cursor);
      const place = at % text.length;
      const edited = text.slice(0, place) + letter + text.slice(place + 1);
      fc.pre(edited !== text);
      expect(() => decodeCursor(edited)).toThrow(Fault);
    }),
  );
});

test.each(['', 'x', 'null', '{}', encodeCursor({} as never), 'a'.repeat(10_000)])(
  'what is not a cursor is refused: %s',
  (text) => {
    expect(() => decodeCursor(text)).toThrow(/page: is not a cursor/);
  },
);

/** A list of positions, of which some are filtered out, read as an index would be. */
function sourceOf(positions: readonly string[], hidden: ReadonlySet<string>): Source<string> {
  return async ({ from, to, reverse, limit }) => {
    const within = positions.filter((position) => position >= from && position <= to).toSorted();
    const ordered = reverse ? within.toReversed() : within;
    const entries = ordered
      .slice(0, limit)
      .map((position) => ({ position, item: hidden.has(position) ? undefined : position }));
    return { entries, more: ordered.length > limit };
  };
}

const request: PageRequest = { kind: 'things', order: 'desc', limit: 2, from: '', to: '~' };

async function walk(
  source: Source<string>,
  base: PageRequest,
  link: 'next_page' | 'prev_page',
  start?: string,
): Promise<BidirectionalPage<string>[]> {
  const pages: BidirectionalPage<string>[] = [];
  for (let page = start; ;) {
    const got = await readPage({ ...base, page }, source);
    pages.push(got);
    expect(pages.length).toBeLessThan(200);
    const next = got[link];
    if (next === null) return pages;
    page = next;
  }
}

const lists = fc.record({
  positions: fc.uniqueArray(fc.stringMatching(/^[a-z]{1,4}$/), { maxLength: 40 }),
  hide: fc.nat({ max: 4 }),
  limit: fc.integer({ min: 1, max: 7 }),
  order: fc.constantFrom('asc' as const, 'desc' as const),
});

test('the pages of a list are the list, once and in order, there and back', async () => {
  await fc.assert(
    fc.asyncProperty(lists, async ({ positions, hide, limit, order }) => {
      const hidden = new Set(positions.filter((_, index) => hide > 0 && index % hide === 0));
      const source = sourceOf(positions, hidden);
      const sorted = positions.filter((position) => !hidden.has(position)).toSorted();
      const expected = order === 'asc' ? sorted : sorted.toReversed();
      const base = { ...request, limit, order };

      const forth = await walk(source, base, 'next_page');
      expect(forth.flatMap(({ data }) => data)).toEqual(expected);
      expect(forth.slice(0, -1).every(({ data }) => data.length === limit)).toBe(true);
      expect(forth[0]?.prev_page).toBeNull();

      const last = forth.at(-1);
      if (last?.prev_page == null) return;
      const back = await walk(source, base, 'prev_page', last.prev_page);
      expect([...back.toReversed().flatMap(({ data }) => data), ...last.data]).toEqual(expected);
      expect(back.every((page) => page.next_page !== null)).toBe(true);
    }),
  );
});

test.each<[string, Partial<PageRequest>, RegExp]>([
  ['another list', { kind: 'others' }, /not a cursor of this list/],
  ['another order', { order: 'asc' }, /made with order 'desc'/],
  ['a lower bound that leaves it out', { from: 'z' }, /the filters leave out/],
  ['an upper bound that leaves it out', { to: 'a' }, /the filters leave out/],
])('a cursor is refused with %s', async (_, change, message) => {
  const source = sourceOf(['b', 'c', 'd', 'e'], new Set());
  const { next_page } = await readPage(request, source);
  const again = { ...request, ...change, page: next_page ?? undefined };
  await expect(readPage(again, source)).rejects.toThrow(message);
});

test('a page ends before it grows too large, and the next one goes on', async () => {
  const large = 'x'.repeat(limits.page_bytes_max / 2);
  const source: Source<string> = async (stretch) => {
    const { entries, more } = await sourceOf(['a', 'b', 'c'], new Set())(stretch);
    return { more, entries: entries.map((entry) => ({ ...entry, item: entry.position + large })) };
  };
  const pages = await walk(source, { ...request, limit: 10 }, 'next_page');
  expect(pages.map(({ data }) => data.map((item) => item[0]))).toEqual([['c'], ['b'], ['a']]);
});

test('a page stops looking when filters leave out almost everything, and can be continued', async () => {
  const positions = Array.from({ length: limits.page_scan_max + 500 }, (_, index) =>
    String(index).padStart(5, '0'),
  );
  const source = sourceOf(positions, new Set(positions.slice(1)));
  const first = await readPage({ ...request, limit: 50 }, source);
  expect(first.data).toEqual([]);
  expect(first.next_page).not.toBeNull();
  const pages = await walk(source, { ...request, limit: 50 }, 'next_page');
  expect(pages.flatMap(({ data }) => data)).toEqual(['00000']);
});

test('a list without a way back shows no prev_page', async () => {
  const page = await readPage(request, sourceOf(['a'], new Set()));
  expect(forwardOnly(page)).toEqual({ data: ['a'], next_page: null });
});
