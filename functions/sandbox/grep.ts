import type { CommandContext, ExecResult } from 'just-bash';
import { Script } from 'node:vm';
import { CommandFailure, inputOrTrouble, optionsOf, original, type Execute } from './command.ts';

/** A group that looks around: the interpreter's expressions are RE2's, which have none. */
const AROUND = /\(\?<?[=!]/;

/** `grep`; with `-P` and a look around, by JavaScript's expressions. */
export const grep: Execute = async (given, ctx) => {
  const args = oneExpression(given.filter((arg) => !/^--colou?r\b/.test(arg)));
  const is_perl = args.some((arg) => /^-[a-zA-Z]*P/.test(arg) || arg === '--perl-regexp');
  const is_around = is_perl && args.some((arg) => AROUND.test(arg));
  const unknown = args.some(
    (arg) => /^--(?!perl-regexp$)/.test(arg) || /^-[^-]*[^-oPinvchHqlE]/.test(arg),
  );
  if (!is_around || unknown) return await original(ctx, args);
  return await perl(args, ctx);
};

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

async function perl(args: string[], ctx: CommandContext): Promise<ExecResult> {
  const known = { flags: 'oPinvchHqlE', long: { P: 'perl-regexp' } };
  const { operands, has } = optionsOf(args, known);
  const [pattern = '', ...files] = operands;
  const matcher = matcherOf(pattern, has('i'));
  const inputs = files.length === 0 ? ['-'] : files;
  const is_named = inputs.length > 1 ? !has('h') : has('H');
  let stdout = '';
  let found_count = 0;
  for (const file of inputs) {
    const title = is_named ? `${file}:` : '';
    const hits = hitsIn((await inputOrTrouble(ctx, file)).toString('utf8'), matcher, has);
    found_count += hits.length;
    const shown = has('c') ? [String(hits.length)] : hits;
    const names = hits.length > 0 ? `${file}\n` : '';
    stdout += has('l') ? names : shown.map((one) => `${title}${one}\n`).join('');
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

function hitsIn(text: string, matcher: RegExp, has: (letter: string) => boolean): string[] {
  const lines = text.replace(/\n$/, '').split('\n');
  const found = searched(lines, matcher);
  return lines.flatMap((line, nth) => {
    const matches = found[nth] ?? [];
    if (has('v') !== (matches.length === 0)) return [];
    const shown = has('o') && !has('v') ? matches.filter((match) => match !== '') : [line];
    return shown.map((one) => `${has('n') ? `${nth + 1}:` : ''}${one}`);
  });
}
