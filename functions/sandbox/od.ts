import type { CommandContext, ExecResult } from 'just-bash';

/** How numbers of a type and a size are shown, and in how many columns. */
type Show = (bytes: Buffer) => string;

interface Format {
  readonly size_bytes: number;
  readonly show: Show;
}

interface Asked {
  radix: string;
  formats: Format[];
  skip_bytes: number;
  count_bytes: number;
  width_bytes: number;
  is_whole: boolean;
  readonly files: string[];
}

const widths: Readonly<Record<string, readonly number[]>> = {
  d: [4, 6, 11, 20],
  u: [3, 5, 10, 20],
  o: [3, 6, 11, 22],
  x: [2, 4, 8, 16],
};

/** As `od -c` has them. */
const names = new Map(
  ['\\0', '\\a', '\\b', '\\t', '\\n', '\\v', '\\f', '\\r'].map((name, at) => [
    at === 0 ? 0 : at + 6,
    name,
  ]),
);

function charOf([byte = 0]: Buffer): string {
  const known = names.get(byte);
  if (known !== undefined) return known.padStart(3);
  const is_printed = byte >= 32 && byte < 127;
  return (is_printed ? String.fromCharCode(byte) : byte.toString(8).padStart(3, '0')).padStart(3);
}

function number(type: string, size_bytes: number): Show {
  const width = widths[type]?.[Math.log2(size_bytes)] ?? 3;
  const radix = type === 'x' ? 16 : type === 'o' ? 8 : 10;
  return (bytes) => {
    const whole = Buffer.alloc(8);
    bytes.copy(whole);
    const bits = whole.readBigUInt64LE();
    const value = type === 'd' ? BigInt.asIntN(size_bytes * 8, bits) : bits;
    return value.toString(radix).padStart(width, radix === 10 ? ' ' : '0');
  };
}

const sizes: Readonly<Record<string, number>> = { C: 1, S: 2, I: 4, L: 8 };

/** `x1`, `u4`, `d2`, `c`; undefined for what is not known, floating point among it. */
function formatOf(text: string): Format | undefined {
  if (/^[ac]$/.test(text)) return { size_bytes: 1, show: charOf };
  const [, type = '', size = '4'] = /^([duox])([1248CSIL]?)$/.exec(text) ?? [];
  const size_bytes = sizes[size] ?? Number(size || 4);
  return type === '' ? undefined : { size_bytes, show: number(type, size_bytes) };
}

const short: Readonly<Record<string, string>> = { b: 'o1', c: 'c', d: 'u2', o: 'o2', x: 'x2' };

/** @throws Error in a sentence for what is not known */
function parse(args: readonly string[]): Asked {
  const asked: Asked = {
    radix: 'o',
    formats: [],
    skip_bytes: 0,
    count_bytes: Infinity,
    width_bytes: 16,
    is_whole: false,
    files: [],
  };
  const left = [...args];
  for (let arg = left.shift(); arg !== undefined; arg = left.shift()) {
    if (!/^-./.test(arg) || arg.startsWith('--')) asked.files.push(arg);
    else readOption(asked, arg.slice(1), left);
  }
  if (asked.formats.length === 0) asked.formats.push({ size_bytes: 2, show: number('o', 2) });
  return asked;
}

/** One word of options: `-An`, `-vtx1`, `-N 4`. */
function readOption(asked: Asked, word: string, left: string[]): void {
  const letter = word.charAt(0);
  const rest = word.slice(1);
  if ('AtNjw'.includes(letter)) {
    if (rest !== '') return setOption(asked, letter, rest);
    // The width is said with its letter or not at all.
    return setOption(asked, letter, letter === 'w' ? '32' : (left.shift() ?? ''));
  }
  if (letter === 'v') asked.is_whole = true;
  else if (Object.hasOwn(short, letter)) addFormats(asked, short[letter] ?? '');
  else throw new Error(`invalid option -- '${letter}'`);
  if (rest !== '') readOption(asked, rest, left);
}

function setOption(asked: Asked, letter: string, value: string): void {
  if (letter === 't') return addFormats(asked, value);
  if (letter === 'A') {
    asked.radix = value;
    return;
  }
  const bytes = Number(value);
  // A line of nothing would never come to the end.
  if (!/^\d+$/.test(value) || (letter === 'w' && bytes === 0)) {
    throw new Error(`invalid -${letter} argument '${value}'`);
  }
  if (letter === 'N') asked.count_bytes = bytes;
  else if (letter === 'j') asked.skip_bytes = bytes;
  else asked.width_bytes = bytes;
}

function addFormats(asked: Asked, types: string): void {
  for (const type of types.match(/[a-z][0-9A-Z]?/g) ?? [types]) {
    const format = formatOf(type);
    if (format === undefined) throw new Error(`invalid type string '${types}'`);
    asked.formats.push(format);
  }
}

function offset({ radix }: Asked, at: number): string {
  if (radix === 'n') return '';
  if (radix === 'x') return at.toString(16).padStart(6, '0');
  return at.toString(radix === 'd' ? 10 : 8).padStart(7, '0');
}

function dump(asked: Asked, bytes: Buffer): string {
  const lines: string[] = [];
  let before: Buffer | undefined;
  for (let at = 0; at < bytes.length; at += asked.width_bytes) {
    const line = bytes.subarray(at, at + asked.width_bytes);
    const is_same = !asked.is_whole && before?.equals(line) === true;
    if (!is_same) lines.push(...linesOf(asked, line, asked.skip_bytes + at));
    else if (lines.at(-1) !== '*') lines.push('*');
    before = line;
  }
  if (asked.radix !== 'n') lines.push(offset(asked, asked.skip_bytes + bytes.length));
  return lines.map((line) => `${line}\n`).join('');
}

function linesOf(asked: Asked, line: Buffer, at: number): string[] {
  return asked.formats.map(({ size_bytes, show }, nth) => {
    const shown: string[] = [];
    for (let from = 0; from < line.length; from += size_bytes) {
      shown.push(` ${show(line.subarray(from, from + size_bytes))}`);
    }
    const place = offset(asked, at);
    return `${nth === 0 ? place : ' '.repeat(place.length)}${shown.join('')}`;
  });
}

/** `od`: the interpreter's takes no `-tx1` and no `-N`, and shows octal numbers of everything instead. */
export async function od(args: string[], { fs, cwd, stdin }: CommandContext): Promise<ExecResult> {
  try {
    const asked = parse(args);
    const parts = await Promise.all(
      asked.files.map(async (file) =>
        file === '-'
          ? Buffer.from(stdin as unknown as string, 'latin1')
          : await fs.readFileBuffer(fs.resolvePath(cwd, file)).catch(() => {
              throw new Error(`${file}: No such file or directory`);
            }),
      ),
    );
    const input = parts.length > 0 ? parts : [Buffer.from(stdin as unknown as string, 'latin1')];
    const { skip_bytes, count_bytes } = asked;
    const bytes = Buffer.concat(input).subarray(skip_bytes, skip_bytes + count_bytes);
    return { stdout: dump(asked, bytes), stderr: '', exitCode: 0 };
  } catch (error) {
    return { stdout: '', stderr: `od: ${(error as Error).message}\n`, exitCode: 1 };
  }
}
