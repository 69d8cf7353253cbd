import { limits } from '#shared/core/limits.ts';
import {
  bytesOf,
  CommandFailure,
  commands,
  countOf,
  delivered,
  inputOf,
  optionsOf,
  said,
  type Execute,
} from './command.ts';

/** `xxd` and `hexdump`: what a file's bytes are, and back. */

const ascii = (bytes: Buffer): string =>
  Array.from(bytes, (byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.')).join(
    '',
  );

const hex = (value: number, width: number): string => value.toString(16).padStart(width, '0');

interface Look {
  readonly columns: number;
  readonly group: number;
  readonly from: number;
  readonly show: (byte: number) => string;
}

function xxdLines(bytes: Buffer, look: Look): string {
  const { columns, group, show } = look;
  const width = show(0).length;
  const gaps = group === 0 ? 0 : Math.ceil(columns / group) - 1;
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += columns) {
    const line = bytes.subarray(at, at + columns);
    const shown = Array.from(line, (byte, nth) => {
      return `${group > 0 && nth > 0 && nth % group === 0 ? ' ' : ''}${show(byte)}`;
    }).join('');
    lines.push(
      `${hex(look.from + at, 8)}: ${shown.padEnd(columns * width + gaps)}  ${ascii(line)}\n`,
    );
  }
  return lines.join('');
}

/** `-r`: the bytes that a dump shows, each line at its offset. */
function undump(text: string, is_plain: boolean): Buffer {
  if (is_plain) return Buffer.from(text.replace(/[^\da-f]/gi, ''), 'hex');
  const lines = text.split('\n').flatMap((line) => {
    const [, offset = '', shown = ''] = /^\s*([\da-f]+):\s?(.*)$/i.exec(line) ?? [];
    if (offset === '') return [];
    const digits = (shown.split('  ')[0] ?? '').replace(/\s/g, '');
    return [{ at: Number.parseInt(offset, 16), bytes: Buffer.from(digits, 'hex') }];
  });
  const end = lines.reduce((most, { at, bytes }) => Math.max(most, at + bytes.length), 0);
  if (end > limits.file_bytes_max) {
    throw new CommandFailure(`a file has at most ${limits.file_bytes_max} bytes`);
  }
  const whole = Buffer.alloc(end);
  for (const { at, bytes } of lines) bytes.copy(whole, at);
  return whole;
}

/** `-i`: an array of C, named by the file. */
function include(bytes: Buffer, file: string | undefined): string {
  const shown = Array.from(bytes, (byte) => `0x${hex(byte, 2)}`);
  const lines: string[] = [];
  for (let at = 0; at < shown.length; at += 12)
    lines.push(`  ${shown.slice(at, at + 12).join(', ')}`);
  const body = lines.join(',\n');
  if (file === undefined || file === '-') return `${body}\n`;
  const name = file.replace(/[^a-z0-9]/gi, '_');
  return `unsigned char ${name}[] = {\n${body}\n};\nunsigned int ${name}_len = ${bytes.length};\n`;
}

const long_xxd =
  /^-(ps|postscript|plain|revert|bits|include|cols|groupsize|len|seek|upper|uppercase)$/;

const xxd: Execute = async (args, ctx) => {
  const plain = args.map((arg) => (long_xxd.test(arg) ? `-${arg.charAt(1)}` : arg));
  const { operands, has, value } = optionsOf(plain, { flags: 'prbiu', valued: 'cgls' });
  const [file, into] = operands;
  const input = await inputOf(ctx, file);
  const written = async (bytes: Buffer) => await delivered(bytes, into, ctx);
  if (has('r')) return await written(undump(input.toString('latin1'), has('p')));
  const numberOr = (letter: string, plain: number): number => {
    const text = value(letter);
    return text === undefined ? plain : countOf(text, `-${letter}`);
  };
  const from = numberOr('s', 0);
  const length = numberOr('l', Infinity);
  const bytes = input.subarray(from, from + length);
  if (has('i')) return await written(Buffer.from(include(bytes, file)));
  const raised = (text: string): string => (has('u') ? text.toUpperCase() : text);
  if (has('p')) {
    const columns = numberOr('c', 30) || bytes.length;
    const lines: string[] = [];
    for (let at = 0; at < bytes.length; at += columns) {
      lines.push(`${raised(bytes.subarray(at, at + columns).toString('hex'))}\n`);
    }
    return await written(Buffer.from(lines.join('')));
  }
  const is_bits = has('b');
  const columns = numberOr('c', is_bits ? 6 : 16);
  if (columns === 0) throw new CommandFailure("invalid -c '0'");
  const show = (byte: number): string =>
    is_bits ? byte.toString(2).padStart(8, '0') : raised(hex(byte, 2));
  const look = { columns, group: numberOr('g', is_bits ? 1 : 2), from, show };
  return await written(Buffer.from(xxdLines(bytes, look)));
};

/** As `hexdump -C` has it: a line that repeats the one before is a star. */
function canonical(bytes: Buffer, from: number, is_whole: boolean): string {
  const lines: string[] = [];
  let before: Buffer | undefined;
  for (let at = 0; at < bytes.length; at += 16) {
    const line = bytes.subarray(at, at + 16);
    if (!is_whole && before?.equals(line) === true) {
      if (lines.at(-1) !== '*') lines.push('*');
      continue;
    }
    before = line;
    const pairs = Array.from(line, (byte) => hex(byte, 2));
    const halves = [pairs.slice(0, 8), pairs.slice(8)].map((half) => half.join(' ').padEnd(23));
    lines.push(`${hex(from + at, 8)}  ${halves.join('  ')}  |${ascii(line)}|`);
  }
  return [...lines, ...(bytes.length === 0 ? [] : [hex(from + bytes.length, 8)])]
    .map((line) => `${line}\n`)
    .join('');
}

const hexdump: Execute = async (args, ctx) => {
  const { operands, has, value } = optionsOf(args, { flags: 'Cv', valued: 'ns' });
  if (!has('C')) throw new CommandFailure('only -C is known here: use it, xxd or od');
  const inputs = operands.length === 0 ? ['-'] : operands;
  const whole = Buffer.concat(await Promise.all(inputs.map((name) => inputOf(ctx, name))));
  const from = bytesOf(value('s') ?? '0', '-s');
  const bytes = bytesOf(value('n') ?? String(whole.length), '-n');
  return said(canonical(whole.subarray(from, from + bytes), from, has('v')));
};

export const dumps = commands({
  xxd,
  hexdump,
  hd: async (args, ctx) => await hexdump(['-C', ...args], ctx),
});
