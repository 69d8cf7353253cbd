import type { CommandContext, ExecResult } from 'just-bash';
import { inputOf, optionsOf, type Execute } from './command.ts';

/** A group that looks around: the interpreter's expressions are RE2's, which have none. */
const AROUND = /\(\?<?[=!]/;

/** `grep`; with `-P` and a look around, by JavaScript's expressions. */
export const grep: Execute = async (given, ctx) => {
  if (ctx.origCommand === undefined) throw new Error('the command is not built in');
  const args = oneExpression(given.filter((arg) => !/^--colou?r\b/.test(arg)));
  const is_perl = args.some((arg) => /^-[a-zA-Z]*P/.test(arg) || arg === '--perl-regexp');
  const is_around = is_perl && args.some((arg) => AROUND.test(arg));
  const unknown = args.some(
    (arg) => /^--(?!perl-regexp$)/.test(arg) || /^-[^-]*[^-oPinvchHqlE]/.test(arg),
  );
  if (!is_around || unknown) return await ctx.origCommand(args);
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
  const matcher = new RegExp(pattern.replace(/\\h/g, '[ \\t]'), `gu${has('i') ? 'i' : ''}`);
  const inputs = files.length === 0 ? ['-'] : files;
  const is_named = inputs.length > 1 ? !has('h') : has('H');
  let stdout = '';
  let found_count = 0;
  for (const file of inputs) {
    const title = is_named ? `${file}:` : '';
    const hits = hitsIn((await inputOf(ctx, file)).toString('utf8'), matcher, has);
    found_count += hits.length;
    const shown = has('c') ? [String(hits.length)] : hits;
    const names = hits.length > 0 ? `${file}\n` : '';
    stdout += has('l') ? names : shown.map((one) => `${title}${one}\n`).join('');
  }
  return { stdout: has('q') ? '' : stdout, stderr: '', exitCode: found_count > 0 ? 0 : 1 };
}

function hitsIn(text: string, matcher: RegExp, has: (letter: string) => boolean): string[] {
  const lines = text.replace(/\n$/, '').split('\n');
  return lines.flatMap((line, nth) => {
    const matches = [...line.matchAll(matcher)].map(([match]) => match);
    if (has('v') !== (matches.length === 0)) return [];
    const shown = has('o') && !has('v') ? matches.filter((match) => match !== '') : [line];
    return shown.map((one) => `${has('n') ? `${nth + 1}:` : ''}${one}`);
  });
}
