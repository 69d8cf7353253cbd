import type { CommandContext, ExecResult } from 'just-bash';
import { Script } from 'node:vm';
import { CommandFailure, inputOrTrouble, optionsOf, original, type Execute } from './command.ts';
import { counted, scripted, type Kind } from './grep-pattern.ts';

/** A group that looks around: the interpreter's expressions are RE2's, which have none. */
const AROUND = /\(\?<?[=!]/;

/**
 * `grep`; by JavaScript's expressions with `-P` and a look around, and where `-o` may find nothing at all
 * (`[0-9]*`), at which the interpreter's breaks off.
 */
export const grep: Execute = async (given, ctx) => {
  const args = oneExpression(given.filter((arg) => !/^--colou?r\b/.test(arg)));
  const kind = kindOf(args);
  const at = expressionAt(args);
  const pattern = args[at] ?? '';
  const is_own = kind === 'perl' ? AROUND.test(pattern) : args.some(isOnly) && IDLE.test(pattern);
  if (is_own && args.every((arg, nth) => nth === at || isKnown(arg))) {
    const script = kind === 'perl' ? pattern : scripted(pattern, kind);
    return await own(script, [...args.slice(0, at), ...args.slice(at + 1)], ctx);
  }
  if (is_own && args.some(isDeep)) refuseIdle(pattern, kind);
  const is_basic = kind === 'basic' && at < args.length;
  return await original(ctx, is_basic ? args.with(at, counted(pattern)) : args);
};

const isKnown = (arg: string): boolean =>
  !/^--(?!perl-regexp$|$)/.test(arg) && !/^-[^-]*[^-oPinvchHqlEFe]/.test(arg);

/** @throws CommandFailure for what the interpreter's would break off at, file by file */
function refuseIdle(pattern: string, kind: Kind | 'perl'): void {
  if (kind === 'perl' || !isIdle(pattern, kind)) return;
  const text = `with -r and -o an expression that nothing fits too ('${pattern}') is not known here`;
  throw new CommandFailure(`${text}: write one that finds something, as with \\+ for *`, 2);
}

/** What may be there no time. */
const IDLE = /^$|[*?]|\{(0|,)/;
const isDeep = (arg: string): boolean => /^-[a-zA-Z]*[rR]|^--recursive$/.test(arg);
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
function isIdle(pattern: string, kind: Kind): boolean {
  try {
    return new RegExp(scripted(pattern, kind)).test('');
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

async function own(pattern: string, args: string[], ctx: CommandContext): Promise<ExecResult> {
  const known = { flags: 'oPinvchHqlEFe', long: { P: 'perl-regexp' } };
  const { operands: files, has } = optionsOf(args, known);
  const matcher = matcherOf(pattern, has('i'));
  const inputs = files.length === 0 ? ['-'] : files;
  const is_named = inputs.length > 1 ? !has('h') : has('H');
  let stdout = '';
  let found_count = 0;
  for (const file of inputs) {
    const title = is_named ? `${file}:` : '';
    const { shown, count } = hitsIn(
      (await inputOrTrouble(ctx, file)).toString('utf8'),
      matcher,
      has,
    );
    found_count += count;
    const lines = has('c') ? [String(count)] : shown;
    const names = count > 0 ? `${file}\n` : '';
    stdout += has('l') ? names : lines.map((one) => `${title}${one}\n`).join('');
  }
  return { stdout: has('q') ? '' : stdout, stderr: '', exitCode: found_count > 0 ? 0 : 1 };
}

/** @throws CommandFailure for what is no expression */
function matcherOf(pattern: string, is_caseless: boolean): RegExp {
  try {
    return new RegExp(pattern.replace(/\\h/g, '[ \\t]'), `gu${is_caseless ? 'i' : ''}`);
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
  const lines = text.replace(/\n$/, '').split('\n');
  const found = searched(lines, matcher);
  const hits = lines.flatMap((line, nth) => {
    const matches = found[nth] ?? [];
    if (has('v') !== (matches.length === 0)) return [];
    const shown = has('o') && !has('v') ? matches.filter((match) => match !== '') : [line];
    return [shown.map((one) => `${has('n') ? `${nth + 1}:` : ''}${one}`)];
  });
  return { shown: hits.flat(), count: hits.length };
}
