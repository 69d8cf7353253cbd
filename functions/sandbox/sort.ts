import type { CommandContext } from 'just-bash';
import {
  CommandFailure,
  commands,
  countOf,
  delivered,
  inputOrTrouble,
  optionsOf,
  said,
  type Execute,
} from './command.ts';

/**
 * `sort` and `uniq` by bytes, as in the locale C.UTF-8 of this shell: the interpreter's sorts as a
 * dictionary does, so that `comm`, `join` and `uniq` behind it saw lines out of order.
 */

interface Key {
  readonly from: readonly [field: number, char: number];
  readonly to: readonly [field: number, char: number] | undefined;
  readonly how: string;
}

const HOWS = 'bdfghiMnrRV';

const sort: Execute = async (args, ctx) => {
  const long = {
    n: 'numeric-sort',
    g: 'general-numeric-sort',
    h: 'human-numeric-sort',
    V: 'version-sort',
    M: 'month-sort',
    r: 'reverse',
    f: 'ignore-case',
    u: 'unique',
    s: 'stable',
    c: 'check',
    z: 'zero-terminated',
    R: 'random-sort',
    b: 'ignore-leading-blanks',
    d: 'dictionary-order',
    i: 'ignore-nonprinting',
    m: 'merge',
    k: 'key',
    t: 'field-separator',
    o: 'output',
    S: 'buffer-size',
    T: 'temporary-directory',
  };
  const keys: string[] = [];
  const rest = withoutKeys(args, keys).filter((arg) => !arg.startsWith('--parallel'));
  const { operands, has, value } = optionsOf(rest, {
    flags: 'nghVMrfuscCzRbdim',
    valued: 'toST',
    long,
  });
  const end = has('z') ? '\0' : '\n';
  const separator = value('t') === String.raw`\0` ? '\0' : value('t');
  if (separator !== undefined && Buffer.byteLength(separator) !== 1) {
    throw new CommandFailure(`multi-character tab '${separator}'`, 2);
  }
  const how = Array.from(HOWS)
    .filter((letter) => has(letter))
    .join('');
  const parsed = keys.map((key) => keyOf(key, how));
  const whole: Key = { from: [1, 1], to: undefined, how };
  const compare = comparing(parsed.length > 0 ? parsed : [whole], separator, {
    is_plain: has('s') || has('u'),
    is_reversed: has('r'),
  });
  const lines = await linesOf(operands, end, ctx);
  if (has('c') || has('C')) return disorder(lines, compare, has('u'), has('c'));
  const sorted = how.includes('R') ? mixed(lines) : lines.toSorted(compare);
  const kept = has('u')
    ? sorted.filter((line, at) => at === 0 || compare(sorted[at - 1] ?? '', line) !== 0)
    : sorted;
  const bytes = Buffer.from(kept.map((line) => line + end).join(''), 'latin1');
  return await delivered(bytes, value('o'), ctx);
};

/** `-k` may stand more than once. */
function withoutKeys(args: readonly string[], keys: string[]): string[] {
  const rest: string[] = [];
  const left = [...args];
  for (let arg = left.shift(); arg !== undefined; arg = left.shift()) {
    if (arg === '--') return [...rest, '--', ...left];
    const named = /^--key=(.*)$/s.exec(arg)?.[1];
    const [, flags = '', key] = /^-([A-RU-Zac-jl-np-su-z]*)k(.*)$/s.exec(arg) ?? [];
    if (named !== undefined) keys.push(named);
    else if (key === undefined)
      rest.push(arg, ...(/^-[a-zA-Z]*[toST]$/.test(arg) ? left.splice(0, 1) : []));
    else {
      keys.push(key || (left.shift() ?? ''));
      if (flags !== '') rest.push(`-${flags}`);
    }
  }
  return rest;
}

function keyOf(text: string, global: string): Key {
  const [, field, char, how = '', to, to_char, to_how = ''] =
    /^(\d+)(?:\.(\d+))?([bdfghiMnrRV]*)(?:,(\d+)(?:\.(\d+))?([bdfghiMnrRV]*))?$/.exec(text) ?? [];
  if (field === undefined || Number(field) === 0)
    throw new CommandFailure(`invalid key '${text}'`, 2);
  const own = how + to_how;
  return {
    from: [Number(field), Number(char ?? 1)],
    to: to === undefined ? undefined : [Number(to), Number(to_char ?? 0)],
    // A key with options of its own takes none from the others.
    how: own === '' ? global : own,
  };
}

type Compare = (a: string, b: string) => number;

function comparing(
  keys: readonly Key[],
  separator: string | undefined,
  { is_plain, is_reversed }: { is_plain: boolean; is_reversed: boolean },
): Compare {
  const parts = keys.map((key) => ({
    key,
    order: orderOf(key.how),
    of: remembered(partOf(key, separator)),
  }));
  return (a, b) => {
    for (const { key, order, of } of parts) {
      const found = order(of(a), of(b));
      if (found !== 0) return key.how.includes('r') ? -found : found;
    }
    if (is_plain) return 0;
    const last = a < b ? -1 : a > b ? 1 : 0;
    return is_reversed ? -last : last;
  };
}

/** A line is compared many times, and taken apart once. */
function remembered(of: (line: string) => string): (line: string) => string {
  const known = new Map<string, string>();
  return (line) => {
    const before = known.get(line);
    if (before !== undefined) return before;
    const part = of(line);
    known.set(line, part);
    return part;
  };
}

/** A field without a separator holds the blanks before it. */
function partOf({ from, to, how }: Key, separator: string | undefined): (line: string) => string {
  if (from[0] === 1 && from[1] === 1 && to === undefined)
    return (line) => (how.includes('b') ? line.trimStart() : line);
  return (line) => {
    const starts = [0];
    if (separator !== undefined) {
      for (let at = line.indexOf(separator); at !== -1; at = line.indexOf(separator, at + 1))
        starts.push(at + 1);
    } else
      for (const { index } of line.matchAll(/(?<=[^ \t])[ \t]+(?=[^ \t])/g)) starts.push(index);
    const gap = separator === undefined ? 0 : 1;
    const endOf = (field: number): number =>
      starts[field] === undefined ? line.length : (starts[field] ?? 0) - gap;
    const start = starts[from[0] - 1];
    if (start === undefined) return '';
    const blanks = how.includes('b') ? (/^[ \t]*/.exec(line.slice(start))?.[0].length ?? 0) : 0;
    const until =
      to === undefined
        ? line.length
        : to[1] === 0
          ? endOf(to[0])
          : (starts[to[0] - 1] ?? line.length) + to[1];
    return line.slice(start + blanks + from[1] - 1, Math.max(until, start));
  };
}

function orderOf(how: string): Compare {
  if (/[nghVM]/.test(how)) {
    const value = how.includes('n')
      ? number
      : how.includes('g')
        ? general
        : how.includes('h')
          ? human
          : how.includes('M')
            ? month
            : undefined;
    if (value === undefined) return version;
    return (a, b) => {
      const [x, y] = [value(a), value(b)];
      return x < y ? -1 : x > y ? 1 : 0;
    };
  }
  const fold = (text: string): string => {
    const plain = how.includes('d')
      ? text.replace(/[^\w \t]|_/g, '')
      : how.includes('i')
        ? text.replace(/[^ -~]/g, '')
        : text;
    return how.includes('f') ? plain.replace(/[a-z]+/g, (found) => found.toUpperCase()) : plain;
  };
  return (a, b) => {
    const [x, y] = [fold(a), fold(b)];
    return x < y ? -1 : x > y ? 1 : 0;
  };
}

function number(text: string): number {
  return Number(/^[ \t]*(-?\d*\.?\d*)/.exec(text)?.[1]?.replace(/^(-?)\.?$/, '0') ?? 0);
}

function general(text: string): number {
  const found = Number.parseFloat(text);
  return Number.isNaN(found) ? -Infinity : found;
}

function human(text: string): number {
  const unit = /^[ \t]*-?\d*\.?\d*([KkMGTPEZY])/.exec(text)?.[1] ?? '';
  return number(text) * 1024 ** (unit === '' ? 0 : 'KMGTPEZY'.indexOf(unit.toUpperCase()) + 1);
}

function month(text: string): number {
  return 'JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC'.indexOf(
    text.trimStart().slice(0, 3).toUpperCase().padEnd(3),
  );
}

/** Numbers within texts by their value. */
function version(a: string, b: string): number {
  const parts = (text: string): string[] => text.match(/\d+|\D+/g) ?? [];
  const [x, y] = [parts(a), parts(b)];
  for (let at = 0; at < Math.max(x.length, y.length); at++) {
    const [left = '', right = ''] = [x[at], y[at]];
    const is_number = /^\d/.test(left) && /^\d/.test(right);
    const order = is_number
      ? Number(left) - Number(right)
      : left < right
        ? -1
        : left > right
          ? 1
          : 0;
    if (order !== 0) return order;
  }
  return 0;
}

function mixed(lines: readonly string[]): string[] {
  const places = new Map(lines.map((line) => [line, Math.random()]));
  return lines.toSorted((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0));
}

function disorder(
  lines: readonly string[],
  compare: Compare,
  is_unique: boolean,
  is_told: boolean,
) {
  const at = lines.findIndex((line, nth) => {
    const order = nth === 0 ? -1 : compare(lines[nth - 1] ?? '', line);
    return order > 0 || (is_unique && order === 0 && nth > 0);
  });
  if (at === -1) return said('');
  const stderr = is_told
    ? `sort: -:${at + 1}: disorder: ${Buffer.from(lines[at] ?? '', 'latin1').toString()}\n`
    : '';
  return { stdout: '', stderr, exitCode: 1 };
}

/** Lines as bytes, a character each: so they compare as bytes, whatever they hold. */
async function linesOf(
  names: readonly string[],
  end: string,
  ctx: CommandContext,
): Promise<string[]> {
  const inputs = names.length === 0 ? ['-'] : names;
  const all: string[] = [];
  for (const name of inputs) {
    const lines = (await inputOrTrouble(ctx, name, 'cannot read: ')).toString('latin1').split(end);
    if (lines.at(-1) === '') lines.pop();
    for (const line of lines) all.push(line);
  }
  return all;
}

const uniq: Execute = async (args, ctx) => {
  const long = {
    c: 'count',
    d: 'repeated',
    u: 'unique',
    i: 'ignore-case',
    f: 'skip-fields',
    s: 'skip-chars',
    w: 'check-chars',
    z: 'zero-terminated',
  };
  const { operands, has, value } = optionsOf(args, { flags: 'cduizD', valued: 'fsw', long });
  const [from, into] = operands;
  const end = has('z') ? '\0' : '\n';
  const fields = countOf(value('f') ?? '0', '-f');
  const chars = countOf(value('s') ?? '0', '-s');
  const width = has('w') ? countOf(value('w'), '-w') : undefined;
  const keyOfLine = (line: string): string => {
    const rest = line.replace(
      new RegExp(`^(?:[ \\t]*[^ \\t]+){0,${fields}}`),
      fields === 0 ? '$&' : '',
    );
    const key = Buffer.from(fields === 0 ? line : rest, 'latin1')
      .toString()
      .slice(chars);
    const cut = width === undefined ? key : key.slice(0, width);
    return has('i') ? cut.toLowerCase() : cut;
  };
  const groups: { readonly key: string; readonly lines: string[] }[] = [];
  for (const line of await linesOf(from === undefined ? [] : [from], end, ctx)) {
    const key = keyOfLine(line);
    const last = groups.at(-1);
    if (last?.key === key) last.lines.push(line);
    else groups.push({ key, lines: [line] });
  }
  const wanted = groups.filter(({ lines }) =>
    has('u') ? lines.length === 1 : !(has('d') || has('D')) || lines.length > 1,
  );
  const shown = wanted.flatMap(({ lines }) => {
    if (has('D')) return lines;
    return [`${has('c') ? `${String(lines.length).padStart(7)} ` : ''}${lines[0] ?? ''}`];
  });
  const bytes = Buffer.from(shown.map((line) => line + end).join(''), 'latin1');
  return await delivered(bytes, into, ctx);
};

export const sorters = commands({ sort, uniq });
