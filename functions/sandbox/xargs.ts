import { latin1FromBytes, type CommandContext, type ExecResult } from 'just-bash';
import { CommandFailure, original, quoted, type Execute } from './command.ts';

const long_options: Readonly<Record<string, string>> = {
  'max-args': 'n',
  'max-procs': 'P',
  'max-lines': 'L',
  replace: 'I',
  delimiter: 'd',
};

/**
 * `-n1`, `-0I{}`, `-L 1`; `-I` takes lines, which the interpreter takes apart at each blank; and without
 * any of it what is quoted in the input is one argument.
 */
export const xargs: Execute = async (args, ctx) => {
  const { options, rest } = optionsIn(args);
  const has = (...wanted: string[]): boolean => wanted.some((option) => options.includes(option));
  const is_apart = has('-d', '-0', '--null');
  const is_by_line = has('-I', '-L') && !is_apart;
  const known = options.map((option) => (option === '-L' ? '-n' : option));
  const input = latin1FromBytes(ctx.stdin);
  if (!is_apart && !is_by_line && /["'\\]/.test(input)) {
    return await withWords(wordsIn(input), [...known, ...rest], ctx);
  }
  const lines = is_by_line ? ['-d', String.raw`\n`] : [];
  return await original(ctx, [...lines, ...known, ...rest]);
};

function optionsIn(args: readonly string[]) {
  const rest = [...args];
  const options: string[] = [];
  for (let one = rest[0]; one !== undefined && /^-./.test(one); one = rest[0]) {
    rest.shift();
    if (one === '--') break;
    const found = apart(one);
    options.push(...found);
    if (/^-[nPIdL]$/.test(found.at(-1) ?? '')) options.push(rest.shift() ?? '');
  }
  return { options, rest };
}

async function withWords(
  words: readonly string[],
  args: readonly string[],
  { exec, cwd, signal }: CommandContext,
): Promise<ExecResult> {
  if (exec === undefined) throw new Error('a command runs in a shell');
  const command = ['xargs', '-0', ...args].map(quoted).join(' ');
  const ends = signal === undefined ? {} : { signal };
  return await exec(command, {
    cwd,
    stdin: words.map((word) => `${word}\0`).join(''),
    stdinKind: 'bytes',
    ...ends,
  });
}

/** The words of an input, of which quotes and backslashes hold together what has blanks. */
function wordsIn(input: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  const pieces = input.matchAll(/"([^"\n]*)"|'([^'\n]*)'|\\([^])|([^\s"'\\]+)|(\s)|([^])/g);
  for (const [, double, single, escaped, plain, blank, odd] of pieces) {
    if (odd !== undefined) throw unmatched(odd);
    if (blank === undefined) word = [word, double, single, escaped, plain].join('');
    else if (word !== undefined) words.push(word);
    if (blank !== undefined) word = undefined;
  }
  return word === undefined ? words : [...words, word];
}

function unmatched(quote: string): CommandFailure {
  const name = { '"': 'double', "'": 'single' }[quote] ?? 'last';
  return new CommandFailure(
    `unmatched ${name} quote; by default quotes are special to xargs unless you use the -0 option`,
  );
}

/** `-0n1` → `-0`, `-n`, `1`. What is not known stays as it is, for the command to refuse. */
function apart(one: string): string[] {
  const [, name = '', value] = /^--([a-z-]+)=(.*)$/s.exec(one) ?? [];
  const letter = long_options[name];
  if (letter !== undefined && value !== undefined) return [`-${letter}`, value];
  const [, flags, valued, tail = ''] = /^-([0rtx]*)([nPIdL])?(.*)$/s.exec(one) ?? [];
  if (flags === undefined || (valued === undefined && tail !== '')) return [one];
  const each = Array.from(flags.replaceAll('x', '')).map((flag) => `-${flag}`);
  if (valued === undefined) return each;
  return [...each, `-${valued}`, ...(tail === '' ? [] : [tail])];
}
