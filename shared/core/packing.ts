import { invariant } from './invariant.ts';
import type { Key, Row } from './table.ts';

/**
 * Rows that every turn writes anew, and the one that every session begins with, keep most of what they hold in
 * one text. An engine takes a map apart and puts it together again at every step of a write: measured on the
 * local one, a put of 31 attributes takes six times as long as one of two; and the text is parsed by the
 * runtime, not by the SDK. What DynamoDB bills is about the same. What an expression names cannot be in there.
 */
interface Layout {
  /** Beginnings of the keys. */
  readonly pk: string;
  readonly sk: string;
  /** The attributes that conditions and updates name. */
  readonly plain: ReadonlySet<string>;
}

/** The text's attribute. */
export const PACKED = 'packed';

/** Keys of the table and its indexes, the layout's number, and what DynamoDB itself reads. */
const always = names('pk sk gsi1pk gsi1sk gsi2pk gsi2sk schema expires_at');

const layouts: readonly Layout[] = [
  {
    pk: 'THREAD#',
    sk: 'HEAD',
    plain: names(
      'version status run execution lease_fence lease_holder lease_until_ms restarts_count restarted_at',
    ),
  },
  { pk: 'THREAD#', sk: 'E#', plain: new Set() },
  { pk: 'THREAD#', sk: 'I#', plain: new Set() },
  { pk: 'SESSION#', sk: 'CONFIG', plain: names('version title metadata agent resources_revision') },
];

function names(list: string): ReadonlySet<string> {
  return new Set(list.split(' '));
}

function layoutOf({ pk, sk }: Key): Layout | undefined {
  return layouts.find((layout) => pk.startsWith(layout.pk) && sk.startsWith(layout.sk));
}

/** A row as it is written: as it is, or what must stand by itself and the text of all else. */
export function packed(row: Row): Readonly<Record<string, unknown>> {
  const layout = layoutOf(row);
  if (layout === undefined) return row;
  const plain: Record<string, unknown> = {};
  const rest: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(row)) {
    if (always.has(name) || layout.plain.has(name)) plain[name] = value;
    else rest[name] = value;
  }
  return { ...plain, [PACKED]: JSON.stringify(rest) };
}

/** A row as it was before it was packed. What stands by itself is newer than the text. */
export function unpacked(values: Readonly<Record<string, unknown>>): Row {
  const { [PACKED]: text, ...plain } = values;
  if (typeof text !== 'string') return values as Row;
  return { ...(JSON.parse(text) as object), ...plain } as unknown as Row;
}

/** What an expression says besides attributes. */
const words = names(
  'SET REMOVE ADD DELETE AND OR NOT IN BETWEEN attribute_exists attribute_not_exists if_not_exists list_append size contains begins_with',
);

/** @throws Error (an invariant) for an expression that names what is in a row's text. */
export function checkNamed(
  key: Key,
  expression: string,
  aliases: Readonly<Record<string, string>> = {},
): void {
  const layout = layoutOf(key);
  if (layout === undefined) return;
  for (const [word] of expression.matchAll(/[:#]?\w+/g)) {
    if (word.startsWith(':') || words.has(word)) continue;
    const name = aliases[word] ?? word;
    invariant(always.has(name) || layout.plain.has(name), `${name} stands by itself in its row`);
  }
}
