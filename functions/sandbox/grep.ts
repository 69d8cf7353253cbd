import type { CommandContext, ExecResult } from 'just-bash';
import { Script } from 'node:vm';
import { CommandFailure, inputOrTrouble, optionsOf, original, type Execute } from './command.ts';
import { counted, scripted, type Kind } from './grep-pattern.ts';

/** A group that looks around: the interpreter's expressions are RE2's, which have none. */
const AROUND = /\(\?<?[=!]/;

/**
 * `grep`; by JavaScript's expressions with `-P` and a look around, and where the interpreter's has broken off: with
 * `-o` at what may be nothing at all (`[0-9]*`).
 */
export const grep: Execute = async (given, ctx) => {
  const args = oneExpression(given.filter((arg) => !/^--colou?r\b/.test(arg)));
  const kind = kindOf(args);
  const at = expressionAt(args);
  const pattern = args[at];
  if (pattern === undefined) return await original(ctx, args);
  const rest = [...args.slice(0, at), ...args.slice(at + 1)];
  const asked = { pattern: kind === 'perl' ? pattern : scripted(pattern, kind), kind };
  const is_known = rest.every(isKnown);
  if (kind === 'perl' && AROUND.test(pattern) && is_known) return await own(asked, rest, ctx);
  const told = await tried(args.with(at, counted(pattern, kind)), ctx);
  if (!hasBrokenOff(told) || !rest.some(isOnly) || !IDLE.test(pattern)) return told;
  if (is_known) return await own(asked, rest, ctx);
  if (!isIdle(asked.pattern)) return told;
  const text = `with these options an expression that nothing fits too ('${pattern}') is not known here`;
  throw new CommandFailure(`${text}: write one that finds something, as with \\+ for *`, 2);
};

interface Asked {
  readonly pattern: string;
  readonly kind: Kind | 'perl';
}

/** What the interpreter's says, also where it breaks off. */
async function tried(args: string[], ctx: CommandContext): Promise<ExecResult> {
  try {
    return await original(ctx, args);
  } catch (error) {
    if (!(error instanceof Error) || !BROKEN.test(error.message)) throw error;
    return { stdout: '', stderr: `grep: ${error.message}\n`, exitCode: 2 };
  }
}

const BROKEN = /start index out of bounds/;

/** It looks behind the end of a line, and says of a file that it is not there. */
const hasBrokenOff = ({ stderr }: ExecResult): boolean =>
  BROKEN.test(stderr) || stderr.includes('No such file or directory');

const isKnown = (arg: string): boolean =>
  !/^--(?!(perl-regexp|only-matching)?$)/.test(arg) && !/^-[^-]*[^-oPinvchHqlEFew]/.test(arg);

/** What may be there no time. */
const IDLE = /^$|[*?]|\{(0|,)/;
const isOnly = (arg: string): boolean => /^-[a-zA-Z]*o|^--only-matching$/.test(arg);

function kindOf(args: readonly string[]): Kind | 'perl' {
  const has = (letter: string, name: string): boolean =>
    args.some((arg) => new RegExp(`^-[a-zA-Z]*${letter}`).test(arg) || arg === `--${name}`);
  if (has('P', 'perl-regexp')) return 'perl';
  if (has('F', 'fixed-strings')) return 'fixed';
  return has('E', 'extended-regexp') ? 'extended' : 'basic';
}

/** Where the expression stands: behind `-e`, or as the first operand. */
function expressionAt(args: readonly string[]): number {
  const named = args.findIndex((arg) => /^-[a-zA-Z]*e$/.test(arg));
  if (named !== -1) return named + 1;
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? '';
    if (arg === '--') return at + 1;
    if (!/^-./.test(arg)) return at;
    if (/^-[a-zA-Z]*[ABCmfdD]$/.test(arg)) at += 1;
  }
  return args.length;
}

/** Whether a line without a letter fits. */
function isIdle(pattern: string): boolean {
  try {
    return new RegExp(pattern).test('');
  } catch {
    return false;
  }
}

/** Of several expressions (`-e a -e b`) the interpreter takes the last one only. */
function oneExpression(args: readonly string[]): string[] {
  const { patterns, rest } = expressionsIn(args);
  if (patterns.length < 2) return [...args];
  const is_fixed = rest.some((arg) => /^-[a-zA-Z]*F/.test(arg));
  const is_wide = rest.some((arg) => /^-[a-zA-Z]*[EP]/.test(arg));
  if (!is_fixed) return [...rest, '-e', patterns.join(is_wide ? '|' : String.raw`\|`)];
  const plain = rest.map((arg) => (/^-[a-zA-Z]*F/.test(arg) ? arg.replace('F', 'E') : arg));
  const escaped = patterns.map((one) => one.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return [...plain, '-e', escaped.join('|')];
}

function expressionsIn(args: readonly string[]) {
  const patterns: string[] = [];
  const rest: string[] = [];
  const left = [...args];
  for (let arg = left.shift(); arg !== undefined; arg = left.shift()) {
    if (arg === '--') return { patterns, rest: [...rest, arg, ...left] };
    const [, flags = '', short] = /^-([a-zA-Z]*?)e(.*)$/s.exec(arg) ?? [];
    const named = /^--regexp=(.*)$/s.exec(arg)?.[1];
    if (named !== undefined) patterns.push(named);
    else if (short === undefined || /[ABCmf]/.test(flags)) rest.push(arg);
    else {
      patterns.push(...(short === '' ? left.splice(0, 1) : [short]));
      if (flags !== '') rest.push(`-${flags}`);
    }
  }
  return { patterns, rest };
}

async function own(asked: Asked, args: string[], ctx: CommandContext): Promise<ExecResult> {
  const known = { flags: 'oPinvchHqlEFew', long: { P: 'perl-regexp', o: 'only-matching' } };
  const { operands: files, has } = optionsOf(args, known);
  const matcher = matcherOf(asked, has);
  const inputs = files.length === 0 ? ['-'] : files;
  const is_named = inputs.length > 1 ? !has('h') : has('H');
  const said = { stdout: '', stderr: '' };
  let found_count = 0;
  for (const file of inputs) {
    const title = is_named ? `${file}:` : '';
    const text = await textOf(file, said, ctx);
    const { shown, count } = hitsIn(text, matcher, has);
    found_count += count;
    const lines = has('c') ? [String(count)] : shown;
    const names = count > 0 ? `${file}\n` : '';
    said.stdout += has('l') ? names : lines.map((one) => `${title}${one}\n`).join('');
  }
  const exitCode = found_count > 0 ? 0 : 1;
  return {
    stdout: has('q') ? '' : said.stdout,
    stderr: said.stderr,
    exitCode: said.stderr === '' ? exitCode : 2,
  };
}

/** What cannot be read is told, and holds no other file up. */
async function textOf(
  file: string,
  said: { stderr: string },
  ctx: CommandContext,
): Promise<string> {
  try {
    return (await inputOrTrouble(ctx, file)).toString('utf8');
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    said.stderr += `grep: ${error.message}\n`;
    return '';
  }
}

/** @throws CommandFailure for what is no expression */
function matcherOf({ pattern, kind }: Asked, has: (letter: string) => boolean): RegExp {
  const script = kind === 'perl' ? pattern.replace(/\\h/g, '[ \\t]') : pattern;
  try {
    return new RegExp(
      has('w') ? `(?<!\\w)(?:${script})(?!\\w)` : script,
      `gu${has('i') ? 'i' : ''}`,
    );
  } catch (error) {
    throw new CommandFailure((error as Error).message, 2);
  }
}

const SEARCH = new Script(
  'lines.map((line) => Array.from(line.matchAll(matcher), ([match]) => match))',
);

/** An expression that looks around may try for ever, and only a script of its own can be stopped in that. */
const SEARCH_MS_MAX = 2_000;

/** What of each line matches. */
function searched(lines: readonly string[], matcher: RegExp): string[][] {
  try {
    return SEARCH.runInNewContext({ lines, matcher }, { timeout: SEARCH_MS_MAX }) as string[][];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    const text = 'the expression tries too long: write one that backtracks less, or use python3';
    throw new CommandFailure(text, 2);
  }
}

/** What is said of a text, and how many of its lines fit. */
function hitsIn(text: string, matcher: RegExp, has: (letter: string) => boolean) {
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  const found = searched(lines, matcher);
  const hits = lines.flatMap((line, nth) => {
    const matches = found[nth] ?? [];
    if (has('v') !== (matches.length === 0)) return [];
    const shown = has('o') && !has('v') ? matches.filter((match) => match !== '') : [line];
    return [shown.map((one) => `${has('n') ? `${nth + 1}:` : ''}${one}`)];
  });
  return { shown: hits.flat(), count: hits.length };
}
