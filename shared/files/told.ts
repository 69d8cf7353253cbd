import { limits } from '../core/limits.ts';
import type { Row } from '../core/table.ts';
import type { StoredEntry } from './entry.ts';
import type { Changed, Totals } from './manifest.ts';

/**
 * One of the last transactions on a session's files, as the head row tells of it: in the name of an
 * attribute, whose value is the head's version before it. So whoever writes need not know the others that
 * are told of, or that write at the same time: an attribute is set and old ones are removed, in any order.
 */
export interface Told {
  readonly attribute: string;
  readonly before: number;
  readonly at_ms: number;
  /** Paths, each with the tag of what it held then. */
  readonly changed: readonly (readonly [path: string, tag: string])[];
}

const PREFIX = '~';
/** Milliseconds as digits of base 36 have so many until 2059. */
const TIME_CHARS = 8;
/** Stands between two paths: none holds it, see normalPath. */
const BETWEEN = '//';

/** What a head row tells, oldest first. */
export function toldBy(head: Row): Told[] {
  return Object.entries(head)
    .flatMap(([attribute, before]) =>
      attribute.startsWith(PREFIX) && typeof before === 'number' ? [toldOf(attribute, before)] : [],
    )
    .toSorted((a, b) => a.before - b.before);
}

function toldOf(attribute: string, before: number): Told {
  const time_end = PREFIX.length + TIME_CHARS;
  const parts = attribute.slice(time_end).split(BETWEEN);
  return {
    attribute,
    before,
    at_ms: Number.parseInt(attribute.slice(PREFIX.length, time_end), 36),
    // A tag holds no slash, and each path begins with one.
    changed: parts.map((part) => {
      const at = part.indexOf('/');
      return [part.slice(at), part.slice(0, at)];
    }),
  };
}

/**
 * The paths that were changed between two versions, each with the tag of what it holds since.
 * @returns undefined where not all transactions between are told of
 */
export function changedBetween(
  told: readonly Told[],
  after: number,
  through: number,
): ReadonlyMap<string, string> | undefined {
  const between = told.filter(({ before }) => before >= after && before < through);
  if (between.length !== through - after) return undefined;
  return new Map(between.flatMap(({ changed }) => changed));
}

/** Tells what a path holds from what it held before: the end of its version, which is random. */
export function tagOf(entry: StoredEntry | undefined): string {
  return entry?.version.slice(-8) ?? '';
}

/** A part of the head's update. */
export interface TellingUpdate {
  /** A further term of `SET`, or none. */
  readonly set: string;
  readonly remove: string;
  readonly names: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, unknown>>;
}

/** Nothing is told: whoever reads lists all files, until so many others were told of. */
export const telling_nothing: TellingUpdate = { set: '', remove: '', names: {}, values: {} };

/**
 * Tell of a transaction, and no more of the oldest ones when it is too much.
 * @param seen As the writer has read the head, perhaps some transactions ago.
 */
export function telling(
  seen: { readonly told: readonly Told[] } & Pick<Totals, 'files_count'>,
  changed: readonly Changed[],
  at: string,
): TellingUpdate {
  const time = Date.parse(at).toString(36).padStart(TIME_CHARS, '0');
  const parts = changed.map(({ path, next }) => `${tagOf(next)}${path}`);
  const attribute = `${PREFIX}${time}${parts.join(BETWEEN)}`;
  let room = maxOf(seen.files_count) - Buffer.byteLength(attribute);
  // A version that stays does not tell whether its row is seen as it was written.
  const has_tags = changed.every(({ base, next }) => base?.version !== next?.version);
  if (room < 0 || !has_tags) return telling_nothing;
  const gone: string[] = [];
  for (const one of seen.told.toReversed()) {
    room -= Buffer.byteLength(one.attribute);
    if (room < 0) gone.push(one.attribute);
  }
  const names = gone.map((name, n): [string, string] => [`#gone${n}`, name]);
  return {
    set: ', #told = if_not_exists(#version, :zero)',
    remove: gone.length === 0 ? '' : `REMOVE ${names.map(([alias]) => alias).join(', ')} `,
    names: { '#told': attribute, ...Object.fromEntries(names) },
    values: { ':zero': 0 },
  };
}

/**
 * A head within a kilobyte costs nothing more to write. Where there are many files a reader that need not
 * list them saves more than some write units.
 */
function maxOf(files_count: number): number {
  return files_count <= limits.told_few_files_max
    ? limits.told_bytes_max
    : limits.told_many_bytes_max;
}
