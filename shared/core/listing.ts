import { prefixes, type Noun } from './id.ts';
import { readPage, type BidirectionalPage, type Order } from './page.ts';
import type { Key, Row, Table } from './table.ts';

/** The attributes that put a row into the list of its workspace, by time of creation. */
export function listKeys(
  workspace_id: string,
  noun: Noun,
  thing: { readonly id: string; readonly created_at: string },
): { readonly gsi1pk: string; readonly gsi1sk: string } {
  return { gsi1pk: partition(workspace_id, noun), gsi1sk: `${thing.created_at}#${thing.id}` };
}

function partition(workspace_id: string, noun: Noun): string {
  return `WS#${workspace_id}#${noun}`;
}

export interface TimeList extends TimeBounds {
  readonly workspace_id: string;
  readonly noun: Noun;
  /** The key of the row that holds the thing with this id. */
  readonly key: (id: string) => Key;
  readonly limit: number;
  readonly page?: string | undefined;
  /** @default - newest first */
  readonly order?: Order | undefined;
}

/** Bounds of `created_at`; `gt` and `lt` leave out that very millisecond. */
export interface TimeBounds {
  readonly gte?: string | undefined;
  readonly gt?: string | undefined;
  readonly lte?: string | undefined;
  readonly lt?: string | undefined;
}

/** Above every id in ASCII, so `<time>#~` is behind everything of that millisecond. */
const END = '#~';

/**
 * List the things of a workspace by their time of creation, over the index `list`. The index lags
 * a little behind its table; the rows themselves are read as they are now.
 *
 * @param itemOf The thing of a row; undefined when a filter leaves it out.
 * @throws Fault `invalid` for a cursor that does not fit: see {@link readPage}.
 */
export async function listByTime<Item>(
  table: Table,
  list: TimeList,
  itemOf: (row: Row) => Promise<Item | undefined>,
): Promise<BidirectionalPage<Item>> {
  const { noun, order = 'desc', limit, page } = list;
  const { from, to } = positionsWithin(list);
  return await readPage({ kind: prefixes[noun], order, limit, page, from, to }, async (stretch) => {
    const pk = partition(list.workspace_id, noun);
    const { rows, more } = await table.query({ ...stretch, pk, index: 'list' });
    const found = await table.getMany(rows.map((row) => list.key(idOf(row))));
    const items = new Map<string, Item | undefined>();
    await Promise.all(found.map(async (row) => items.set(row.pk, await itemOf(row))));
    const entries = rows.map((row) => ({
      position: positionOf(row),
      item: items.get(list.key(idOf(row)).pk),
    }));
    return { entries, more };
  });
}

/** The positions of what was created within the bounds: `from` is above `to` when nothing can be. */
export function positionsWithin({ gte, gt, lte, lt }: TimeBounds): { from: string; to: string } {
  const from = latest([gte ?? '!', gt === undefined ? '!' : gt + END]);
  const to = earliest([lte === undefined ? '~' : lte + END, lt ?? '~']);
  return { from, to };
}

function positionOf(row: Row): string {
  return String(row['gsi1sk']);
}

function idOf(row: Row): string {
  const position = positionOf(row);
  return position.slice(position.indexOf('#') + 1);
}

function latest(times: string[]): string {
  return times.reduce((a, b) => (a > b ? a : b));
}

function earliest(times: string[]): string {
  return times.reduce((a, b) => (a < b ? a : b));
}
