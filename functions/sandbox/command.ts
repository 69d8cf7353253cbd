import { latin1FromBytes, type CommandContext, type ExecResult } from 'just-bash';
import { isUtf8 } from 'node:buffer';
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';

/** A command of our own beside the interpreter's. */
export type Execute = (args: string[], ctx: CommandContext) => Promise<ExecResult>;

export const said = (stdout: string): ExecResult => ({ stdout, stderr: '', exitCode: 0 });

/**
 * What bytes say: as a text where they are one, for behind a redirection of its input the interpreter
 * counts the bytes of a command twice and refuses it; else as bytes, a character each.
 */
export function saidBytes(bytes: Uint8Array): ExecResult {
  if (isUtf8(bytes)) return said(Buffer.from(bytes).toString('utf8'));
  return { ...said(Buffer.from(bytes).toString('latin1')), stdoutKind: 'bytes' };
}

/** What a command has said, in bytes. */
export function bytesSaid({ stdout, stdoutKind, stdoutEncoding }: ExecResult): Buffer {
  const are_bytes = stdoutKind === 'bytes' || stdoutEncoding === 'binary';
  return Buffer.from(stdout, are_bytes ? 'latin1' : 'utf8');
}

/** What a command gives: into the file that an option or operand names, else as its output. */
export async function delivered(
  bytes: Uint8Array,
  into: string | undefined,
  { fs, cwd }: CommandContext,
): Promise<ExecResult> {
  if (into === undefined) return saidBytes(bytes);
  await fs.writeFile(fs.resolvePath(cwd, into), bytes);
  return said('');
}

/** The interpreter's own command of this name. */
export async function original(
  { origCommand }: CommandContext,
  args: string[],
): Promise<ExecResult> {
  if (origCommand === undefined) throw new Error('the command is not built in');
  return await origCommand(args);
}

/** What a command cannot do, in a sentence that says what to do instead where there is such a thing. */
export class CommandFailure extends Error {
  readonly exit_code: number;

  constructor(message: string, exit_code = 1) {
    super(message);
    this.exit_code = exit_code;
  }
}

/** Commands by their names; what one cannot do is told with its name before it. */
export function commands(executes: Readonly<Record<string, Execute>>) {
  return Object.entries(executes).map(([name, execute]) => ({
    name,
    execute: async (args: string[], ctx: CommandContext): Promise<ExecResult> => {
      try {
        return await execute(args, ctx);
      } catch (error) {
        if (!(error instanceof CommandFailure)) throw error;
        // Names that nobody has typed are nobody's.
        const title = name.startsWith('__') ? '' : `${name}: `;
        return { stdout: '', stderr: `${title}${error.message}\n`, exitCode: error.exit_code };
      }
    },
  }));
}

interface Known {
  /** Letters of options without a value, and of those with one. */
  readonly flags?: string;
  readonly valued?: string;
  /** Long names, by their letter. */
  readonly long?: Readonly<Record<string, string>>;
}

/** Options as GNU's commands have them: `-n5`, `-rn 5`, `--lines=5`, and operands among them. */
export function optionsOf(args: readonly string[], { flags = '', valued = '', long = {} }: Known) {
  const nameOf = (letter: string): string => long[letter] ?? letter;
  const optionOf = (letter: string, type: 'boolean' | 'string') =>
    [nameOf(letter), { type, short: letter }] as const;
  const options: ParseArgsOptionsConfig = Object.fromEntries([
    ...Array.from(flags, (letter) => optionOf(letter, 'boolean')),
    ...Array.from(valued, (letter) => optionOf(letter, 'string')),
  ]);
  const { values, positionals } = parsed(args, options);
  return {
    operands: positionals,
    has: (letter: string): boolean => values[nameOf(letter)] !== undefined,
    value: (letter: string): string | undefined => {
      const value = values[nameOf(letter)];
      return typeof value === 'string' ? value : undefined;
    },
  };
}

function parsed(args: readonly string[], options: ParseArgsOptionsConfig) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    const [told = ''] = (error as Error).message.split('. ');
    throw new CommandFailure(told.charAt(0).toLowerCase() + told.slice(1));
  }
}

/** The bytes of a file, or of the standard input for `-`. */
export async function inputOf({ fs, cwd, stdin }: CommandContext, name = '-'): Promise<Buffer> {
  if (name === '-') return Buffer.from(latin1FromBytes(stdin), 'latin1');
  const path = fs.resolvePath(cwd, name);
  const stat = await fs.stat(path).catch(() => undefined);
  if (stat === undefined) throw new CommandFailure(`${name}: No such file or directory`);
  if (stat.isDirectory) throw new CommandFailure(`${name}: Is a directory`);
  return Buffer.from(await fs.readFileBuffer(path));
}

/** The same for a command that ends with 2 where it cannot read, since 1 says something else. */
export async function inputOrTrouble(
  ctx: CommandContext,
  name: string | undefined,
  words = '',
): Promise<Buffer> {
  try {
    return await inputOf(ctx, name);
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    throw new CommandFailure(`${words}${error.message}`, 2);
  }
}

/** A count that is an argument. */
export function countOf(text: string | undefined, option: string): number {
  const count = Number(text);
  if (text === undefined || !/^(0x[\da-f]+|\d+)$/i.test(text) || !Number.isSafeInteger(count)) {
    throw new CommandFailure(`invalid ${option} '${text ?? ''}'`);
  }
  return count;
}

const units = new Map([
  ['', 1],
  ['c', 1],
  ['w', 2],
  ['b', 512],
  ['k', 2 ** 10],
  ['m', 2 ** 20],
  ['g', 2 ** 30],
]);

/** `512`, `4K`, `1MiB`, `2MB` (of a thousand): a number of bytes. */
export function bytesOf(text: string, option: string): number {
  const [, digits, unit = '', kind = ''] = /^(\d+)([cwbkmg]?)(ib|b)?$/i.exec(text) ?? [];
  const factor = units.get(unit.toLowerCase());
  if (digits === undefined || factor === undefined) {
    throw new CommandFailure(`invalid ${option} '${text}'`);
  }
  const is_decimal = kind.toLowerCase() === 'b' && factor >= 2 ** 10;
  return Number(digits) * (is_decimal ? 1_000 ** (Math.log2(factor) / 10) : factor);
}

/** A word of a shell that is just this text. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
