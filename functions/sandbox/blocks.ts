import type { CommandContext } from 'just-bash';
import { randomInt } from 'node:crypto';
import { limits } from '#shared/core/limits.ts';
import {
  bytesOf,
  CommandFailure,
  commands,
  countOf,
  delivered,
  inputOf,
  inputOrTrouble,
  optionsOf,
  said,
  saidBytes,
  type Execute,
} from './command.ts';
import { endlessBytes } from './devices.ts';

/** `dd`, `truncate`, `cmp` and `shuf`: files by bytes and by lines. */

const dd_names = new Set('if of bs ibs obs count skip seek conv status iflag oflag'.split(' '));
const conversions = new Set('notrunc ucase lcase sync noerror fsync fdatasync'.split(' '));

interface Copying {
  readonly asked: ReadonlyMap<string, string>;
  readonly conv: readonly string[];
  readonly block: number;
  readonly out_block: number;
}

/** @throws CommandFailure for what is not known */
function copyingOf(args: readonly string[]): Copying {
  const asked = new Map(
    args.map((arg) => [arg.slice(0, arg.indexOf('=')), arg.slice(arg.indexOf('=') + 1)]),
  );
  for (const name of asked.keys()) {
    if (!dd_names.has(name)) throw new CommandFailure(`unrecognized operand '${name}'`);
  }
  const conv = asked.get('conv')?.split(',') ?? [];
  const odd = conv.find((one) => !conversions.has(one));
  if (odd !== undefined) throw new CommandFailure(`conv=${odd} is not known here`);
  const both = asked.get('bs') ?? '512';
  const block = bytesOf(asked.get('ibs') ?? both, 'block size');
  const out_block = bytesOf(asked.get('obs') ?? both, 'block size');
  if (block === 0 || out_block === 0) throw new CommandFailure('a block size must not be zero');
  return { asked, conv, block, out_block };
}

/** A count of blocks, or of bytes where a flag says so. */
function sizeOf({ asked }: Copying, name: string, unit: number): number {
  const flags = asked.get(name === 'seek' ? 'oflag' : 'iflag') ?? '';
  return bytesOf(asked.get(name) ?? '0', name) * (flags.includes(`${name}_bytes`) ? 1 : unit);
}

const dd: Execute = async (args, ctx) => {
  const copying = copyingOf(args);
  const { asked, conv, block, out_block } = copying;
  const skip = sizeOf(copying, 'skip', block);
  const limit = asked.has('count') ? sizeOf(copying, 'count', block) : Infinity;
  const source = await sourceOf(asked.get('if'), skip + limit, ctx);
  const bytes = converted(source.subarray(skip, skip + limit), conv, block);
  const stderr = asked.get('status') === 'none' ? '' : summary(bytes.length, block, out_block);
  const target = asked.get('of');
  if (target === undefined) return { ...saidBytes(bytes), stderr };
  await placed(bytes, ctx.fs.resolvePath(ctx.cwd, target), copying, ctx);
  return { ...said(''), stderr };
};

/** Before there is room made for it: `seek=1G` is how a file with a hole is begun. */
function checkSize(name: string, size: number): void {
  if (size <= limits.file_bytes_max) return;
  throw new CommandFailure(`${name}: a file has at most ${limits.file_bytes_max} bytes`);
}

/** Write behind what is skipped of a file; `notrunc` keeps what comes after. */
async function placed(bytes: Buffer, path: string, copying: Copying, { fs }: CommandContext) {
  const seek = sizeOf(copying, 'seek', copying.out_block);
  checkSize(path, seek + bytes.length);
  const is_there = path !== '/dev/null' && (await fs.exists(path));
  const before = is_there ? Buffer.from(await fs.readFileBuffer(path)) : Buffer.alloc(0);
  const kept = Buffer.alloc(seek);
  before.copy(kept);
  const is_kept = copying.conv.includes('notrunc');
  const rest = is_kept ? before.subarray(seek + bytes.length) : Buffer.alloc(0);
  await fs.writeFile(path, Buffer.concat([kept, bytes, rest]));
}

async function sourceOf(
  name: string | undefined,
  need: number,
  ctx: CommandContext,
): Promise<Buffer> {
  const endless = name === undefined ? undefined : endlessBytes(ctx.fs.resolvePath(ctx.cwd, name));
  if (endless === undefined) return await inputOf(ctx, name);
  if (need > limits.device_head_bytes_max) {
    throw new CommandFailure(
      `${name}: at most ${limits.device_head_bytes_max} bytes: give bs and count`,
    );
  }
  return endless(need);
}

function converted(bytes: Buffer, conv: readonly string[], block: number): Buffer {
  const text = bytes.toString('latin1');
  const changed = conv.includes('ucase')
    ? Buffer.from(
        text.replace(/[a-z]/g, (one) => one.toUpperCase()),
        'latin1',
      )
    : conv.includes('lcase')
      ? Buffer.from(
          text.replace(/[A-Z]/g, (one) => one.toLowerCase()),
          'latin1',
        )
      : bytes;
  if (!conv.includes('sync') || changed.length % block === 0) return changed;
  return Buffer.concat([changed, Buffer.alloc(block - (changed.length % block))]);
}

function summary(size: number, block: number, out_block: number): string {
  const records = (unit: number): string =>
    `${Math.floor(size / unit)}+${size % unit === 0 ? 0 : 1}`;
  return `${records(block)} records in\n${records(out_block)} records out\n${size} bytes copied\n`;
}

const truncate: Execute = async (args, { fs, cwd }) => {
  // A size may begin with a dash: it is no option.
  const joined = args.flatMap((arg, at) =>
    args[at - 1] === '-s' ? [] : [arg === '-s' ? `--size=${args[at + 1] ?? ''}` : arg],
  );
  const known = { flags: 'c', valued: 'sr', long: { s: 'size', c: 'no-create', r: 'reference' } };
  const { operands, has, value } = optionsOf(joined, known);
  const reference = value('r');
  const given = value('s') ?? '';
  if (operands.length === 0) throw new CommandFailure('missing file operand');
  for (const name of operands) {
    const path = fs.resolvePath(cwd, name);
    const is_there = await fs.exists(path);
    if (!is_there && has('c')) continue;
    const before = is_there ? Buffer.from(await fs.readFileBuffer(path)) : Buffer.alloc(0);
    const [sign, digits] = /^[-+<>]/.test(given) ? [given.charAt(0), given.slice(1)] : ['', given];
    const size =
      reference === undefined
        ? bytesOf(digits, 'size')
        : (await fs.stat(fs.resolvePath(cwd, reference))).size;
    const after = sizeAfter(before.length, sign, size);
    checkSize(name, after);
    const whole = Buffer.alloc(after);
    before.copy(whole);
    await fs.writeFile(path, whole);
  }
  return said('');
};

function sizeAfter(before: number, sign: string, size: number): number {
  if (sign === '+') return before + size;
  if (sign === '-') return Math.max(0, before - size);
  if (sign === '<') return Math.min(before, size);
  return sign === '>' ? Math.max(before, size) : size;
}

const cmp: Execute = async (args, ctx) => {
  const plain = args.map((arg) => (arg === '--quiet' ? '-s' : arg));
  const long = { s: 'silent', l: 'verbose', n: 'bytes' };
  const { operands, has, value } = optionsOf(plain, { flags: 'slb', valued: 'n', long });
  const [first = '-', second = '-'] = operands;
  const limit = has('n') ? bytesOf(value('n') ?? '', 'bytes') : Infinity;
  const inputs = [first, second].map(async (name) =>
    (await inputOrTrouble(ctx, name)).subarray(0, limit),
  );
  const [a, b] = (await Promise.all(inputs)) as [Buffer, Buffer];
  if (a.equals(b)) return said('');
  const shorter = Math.min(a.length, b.length);
  const unlike = differencesOf(a, b, has('l') ? Infinity : 1);
  const [at = shorter] = unlike;
  const line = a.subarray(0, at).toString('latin1').split('\n').length;
  const end = endOf(a.length < b.length ? first : second, shorter, line - 1);
  if (has('s')) return { stdout: '', stderr: '', exitCode: 1 };
  const stdout = has('l')
    ? unlike.map((one) => `${one + 1} ${octal(a[one])} ${octal(b[one])}\n`).join('')
    : unlike.map((one) => `${first} ${second} differ: byte ${one + 1}, line ${line}\n`).join('');
  return { stdout, stderr: unlike.length === 0 ? end : '', exitCode: 1 };
};

/** What is said of a file that is the beginning of the other. */
function endOf(name: string, size: number, line: number): string {
  const where = size === 0 ? 'which is empty' : `after byte ${size}, line ${line}`;
  return `cmp: EOF on ${name} ${where}\n`;
}

const octal = (byte = 0): string => byte.toString(8).padStart(3);

function differencesOf(a: Buffer, b: Buffer, most: number): number[] {
  const unlike: number[] = [];
  for (let at = 0; at < Math.min(a.length, b.length) && unlike.length < most; at++) {
    if (a[at] !== b[at]) unlike.push(at);
  }
  return unlike;
}

const shuf: Execute = async (args, ctx) => {
  const known = {
    flags: 'erz',
    valued: 'nio',
    long: {
      e: 'echo',
      r: 'repeat',
      z: 'zero-terminated',
      n: 'head-count',
      i: 'input-range',
      o: 'output',
    },
  };
  const { operands, has, value } = optionsOf(args, known);
  const end = has('z') ? '\0' : '\n';
  const asked = { operands, range: value('i'), is_echo: has('e'), end };
  const from = await shuffled(asked, ctx);
  const count = value('n') === undefined ? undefined : countOf(value('n'), 'line count');
  const lines = has('r') ? repeated(from, count) : drawn(from, count ?? from.length);
  const stdout = lines.map((line) => `${line}${end}`).join('');
  return await delivered(Buffer.from(stdout, 'latin1'), value('o'), ctx);
};

interface Shuffling {
  readonly operands: readonly string[];
  readonly range: string | undefined;
  readonly is_echo: boolean;
  readonly end: string;
}

/** What is shuffled; lines as bytes, whatever they hold. */
async function shuffled(
  { operands, range, is_echo, end }: Shuffling,
  ctx: CommandContext,
): Promise<string[]> {
  if (is_echo) return operands.map((one) => Buffer.from(one).toString('latin1'));
  if (range !== undefined) {
    const [low, high] = range.split('-').map((one) => countOf(one, 'input range'));
    const length = (high ?? -1) - (low ?? 0) + 1;
    if (length < 0 || length > 1_000_000)
      throw new CommandFailure(`invalid input range '${range}'`);
    return Array.from({ length }, (_, nth) => String((low ?? 0) + nth));
  }
  const text = (await inputOf(ctx, operands[0])).toString('latin1');
  const lines = text.split(end);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

function drawn(from: readonly string[], count: number): string[] {
  const left = [...from];
  const until = Math.min(count, left.length);
  for (let at = 0; at < until; at++) {
    const other = randomInt(at, left.length);
    [left[at], left[other]] = [left[other] ?? '', left[at] ?? ''];
  }
  return left.slice(0, until);
}

function repeated(from: readonly string[], count: number | undefined): string[] {
  if (count === undefined || count > 1_000_000)
    throw new CommandFailure('give at most 1000000 as -n with -r');
  if (from.length === 0) return [];
  return Array.from({ length: count }, () => from[randomInt(from.length)] ?? '');
}

export const blockers = commands({ dd, truncate, cmp, shuf });
