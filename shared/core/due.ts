import { indexed } from './indexed.ts';
import { invariant } from './invariant.ts';
import { limits } from './limits.ts';
import type { Ports } from './ports.ts';
import type { Row } from './table.ts';

/** What chores act upon. */
export type ChorePorts = Pick<Ports, 'table' | 'blobs' | 'clock'>;

/**
 * Remove everything that a deleted owner has left, its head last; safe to repeat and to run twice at
 * once. @returns whether it came to the end before the time was up
 */
export type Sweep = (ports: ChorePorts, id: string, is_time_up: () => boolean) => Promise<boolean>;

/**
 * Do what has fallen due for a row: under the condition that it still is what was read. It must
 * leave the place in the index, or it is found again every minute.
 *
 * @returns whether there was something to do
 */
export type Expire = (ports: ChorePorts, row: Row) => Promise<boolean>;

/**
 * The chores of all nouns, by the beginning of their rows' partition up to its `#` (`SESSION#`).
 * A deleted head stands in the index `running` under `DELETED` by `<iso time>#…`, a row with a time
 * under `EXPIRES` by the time at which it falls due.
 */
export interface Chores {
  readonly deleted: Readonly<Record<string, Sweep>>;
  readonly expired: Readonly<Record<string, Expire>>;
}

/** What was done to a row, for the log; with an error, what was tried. */
export interface Done {
  readonly what: 'swept' | 'expired';
  readonly row: Row;
  readonly error?: unknown;
}

export interface DueOptions {
  /** Heads that were deleted more recently are left alone: who deleted them is sweeping. */
  readonly min_age_ms: number;
  readonly is_time_up: () => boolean;
  readonly done: (done: Done) => void;
}

export interface DueCounts {
  readonly swept: number;
  readonly expired: number;
  /** Rows that fail, and have been due for long: what was deleted is still there. */
  readonly stuck: number;
  /** False when the time was up before the end: the next run goes on. */
  readonly complete: boolean;
}

/** Sweep what is deleted and remove what has expired. One row that fails does not keep the others. */
export async function doChores(
  ports: ChorePorts,
  chores: Chores,
  options: DueOptions,
): Promise<DueCounts> {
  const now_ms = ports.clock.now().getTime();
  const late = new Date(now_ms - limits.stuck_ms).toISOString();
  const swept = await walk(options, {
    late,
    what: 'swept',
    rows: indexed(ports.table, 'DELETED', now_ms - options.min_age_ms),
    act: (row) => choreOf(chores.deleted, row)(ports, idOf(row), options.is_time_up),
  });
  const expired = await walk(options, {
    late,
    what: 'expired',
    rows: indexed(ports.table, 'EXPIRES', now_ms),
    act: (row) => choreOf(chores.expired, row)(ports, row),
  });
  const complete = swept.complete && expired.complete;
  const stuck = swept.stuck + expired.stuck;
  return { swept: swept.count, expired: expired.count, stuck, complete };
}

interface Chore {
  /** What was due before this and fails is counted. */
  readonly late: string;
  readonly what: Done['what'];
  readonly rows: AsyncIterable<Row[]>;
  readonly act: (row: Row) => Promise<boolean>;
}

async function walk(
  { is_time_up, done }: DueOptions,
  { what, rows, act, late }: Chore,
): Promise<{ readonly count: number; readonly stuck: number; readonly complete: boolean }> {
  let count = 0;
  let stuck = 0;
  const one = async (row: Row): Promise<void> => {
    try {
      if (!(await act(row))) return;
      count += 1;
      done({ what, row });
    } catch (error) {
      if (String(row['gsi2sk']) < late) stuck += 1;
      done({ what, row, error });
    }
  };
  for await (const together of rows) {
    if (is_time_up()) return { count, stuck, complete: false };
    await Promise.all(together.map(one));
  }
  return { count, stuck, complete: true };
}

/** @throws Error for a noun that has not registered: its rows would never go. */
function choreOf<Chore>(chores: Readonly<Record<string, Chore>>, { pk }: Row): Chore {
  const chore = chores[pk.slice(0, pk.indexOf('#') + 1)];
  invariant(chore !== undefined, `somebody knows what to do with ${pk}`);
  return chore;
}

function idOf({ pk }: Row): string {
  return pk.slice(pk.indexOf('#') + 1);
}
