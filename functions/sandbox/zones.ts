import packed from 'moment-timezone/data/packed/latest.json' with { type: 'json' };
import { newFile, type FileNode, type Tree } from './tree.ts';

/**
 * The time zones of IANA as files, where Python's zoneinfo looks for them: its own build has none. They
 * are made of moment-timezone's table when they are read, in the form of RFC 9636.
 */

const FOLDER = '/usr/share/zoneinfo';

/** Transitions after it are left out: the table has them for centuries. */
const UNTIL_S = Date.UTC(2100, 0, 1) / 1_000;

/** No daylight saving time is longer. */
const SAVING_S = 300 * 86_400;

/** Put the zones into a tree, if they are not there. */
export function plantZones(tree: Tree): void {
  const folder = tree.folderAt(FOLDER, 0);
  if (folder.children.size > 0) return;
  for (const [name, zone] of zones()) {
    const cut = name.lastIndexOf('/');
    const parent = cut === -1 ? folder : tree.folderAt(`${FOLDER}/${name.slice(0, cut)}`, 0);
    parent.children.set(name.slice(cut + 1), zone);
  }
}

let known: ReadonlyMap<string, FileNode> | undefined;

function zones(): ReadonlyMap<string, FileNode> {
  if (known !== undefined) return known;
  const all = new Map(
    packed.zones.map((zone) => [zone.slice(0, zone.indexOf('|')), zoneFile(zone)]),
  );
  for (const link of packed.links) {
    const [name = '', alias = ''] = link.split('|');
    const zone = all.get(name);
    if (zone !== undefined) all.set(alias, zone);
  }
  known = all;
  return known;
}

/** A file whose bytes are made when they are first read. */
function zoneFile(zone: string): FileNode {
  let bytes: Uint8Array | undefined;
  return Object.defineProperty(newFile(new Uint8Array(), 0, 0o444), 'bytes', {
    enumerable: true,
    get: () => (bytes ??= zoneBytes(zone)),
  });
}

/** A number to the base of 60, with a fraction: digits, then a-z, then A-X. */
function number(text: string): number {
  const valueOf = (digit: string): number => {
    const code = digit.charCodeAt(0);
    return code - (code > 96 ? 87 : code > 64 ? 29 : 48);
  };
  const [whole = '', fraction = ''] = text.replace('-', '').split('.');
  const digits = Array.from(whole).reduce((sum, digit) => sum * 60 + valueOf(digit), 0);
  const parts = Array.from(fraction).reduce(
    (sum, digit, nth) => sum + valueOf(digit) / 60 ** (nth + 1),
    0,
  );
  return text.startsWith('-') ? -digits - parts : digits + parts;
}

interface Span {
  /** Seconds since 1970; the first span has always been. */
  readonly from_s: number;
  readonly offset_s: number;
  readonly abbreviation: string;
}

function spansOf(zone: string): Span[] {
  const [, names = '', offsets = '', indices = '', lengths = ''] = zone.split('|');
  const abbreviations = names.split(' ');
  // The table counts minutes to the west.
  const seconds = offsets.split(' ').map((offset) => Math.round(number(offset) * -60));
  let at_s = 0;
  const starts =
    lengths === ''
      ? []
      : lengths.split(' ').map((length) => (at_s += Math.round(number(length) * 60)));
  return Array.from(indices, (index, nth) => ({
    from_s: nth === 0 ? -Infinity : (starts[nth - 1] ?? 0),
    offset_s: seconds[number(index)] ?? 0,
    abbreviation: abbreviations[number(index)] ?? '',
  })).filter(({ from_s }) => from_s < UNTIL_S);
}

/** The table does not say what is daylight saving time: what is ahead of before and after, for some months. */
function isSaving(
  { offset_s, from_s }: Span,
  before: Span | undefined,
  after: Span | undefined,
): boolean {
  if (before === undefined || after === undefined) return false;
  return (
    offset_s > before.offset_s && offset_s > after.offset_s && after.from_s - from_s < SAVING_S
  );
}

function zoneBytes(zone: string): Uint8Array {
  const spans = spansOf(zone);
  const kinds = spans.map((span, nth) => {
    const saving = isSaving(span, spans[nth - 1], spans[nth + 1]) ? 1 : 0;
    return `${span.offset_s} ${saving} ${span.abbreviation}`;
  });
  const unlike = [...new Set(kinds)];
  const letters = [...new Set(spans.map(({ abbreviation }) => abbreviation))];
  const names = letters.map((name) => `${name}\0`).join('');
  const times = Buffer.alloc((spans.length - 1) * 8);
  spans.slice(1).forEach(({ from_s }, nth) => times.writeBigInt64BE(BigInt(from_s), nth * 8));
  const types = unlike.map((kind) => {
    const [offset = '0', saving = '0', name = ''] = kind.split(' ');
    const type = Buffer.from([0, 0, 0, 0, Number(saving), names.indexOf(`${name}\0`)]);
    type.writeInt32BE(Number(offset));
    return type;
  });
  return Buffer.concat([
    // Who reads the second part skips the first, which must have one type all the same.
    header(0, 1, 1),
    Buffer.alloc(7),
    header(spans.length - 1, types.length, names.length),
    times,
    Buffer.from(kinds.slice(1).map((kind) => unlike.indexOf(kind))),
    ...types,
    Buffer.from(names, 'latin1'),
    Buffer.from('\n\n'),
  ]);
}

function header(times: number, types: number, letters: number): Buffer {
  const bytes = Buffer.alloc(44);
  bytes.write('TZif2');
  [0, 0, 0, times, types, letters].forEach((count, nth) =>
    bytes.writeUInt32BE(count, 20 + nth * 4),
  );
  return bytes;
}
