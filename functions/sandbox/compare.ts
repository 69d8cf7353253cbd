import { parsePatch } from 'diff';
import type { CommandContext, ExecResult } from 'just-bash';
import { CommandFailure, original, type Execute } from './command.ts';
import { compareFolders } from './compare-folders.ts';
import { textMatcher } from './glob.ts';
import { statOf } from './targets.ts';

/** `diff` in the form that it has without an option: the interpreter's is always a unified one. */

const range = (from: number, count: number): string =>
  count <= 1 ? String(from) : `${from},${from + count - 1}`;

/** One change, as `2,3c2` and its lines. */
function change(
  at: { old: number; fresh: number },
  gone: readonly string[],
  come: readonly string[],
): string {
  const letter = gone.length === 0 ? 'a' : come.length === 0 ? 'd' : 'c';
  const left = letter === 'a' ? String(at.old - 1) : range(at.old, gone.length);
  const right = letter === 'd' ? String(at.fresh - 1) : range(at.fresh, come.length);
  const shown = (mark: string, lines: readonly string[]) =>
    lines.map((line) => `${mark} ${line}\n`).join('');
  const middle = letter === 'c' ? '---\n' : '';
  return `${left}${letter}${right}\n${shown('<', gone)}${middle}${shown('>', come)}`;
}

function normal(unified: string): string {
  let told = '';
  for (const { oldStart, newStart, lines } of parsePatch(unified).flatMap(({ hunks }) => hunks)) {
    const at = { old: oldStart, fresh: newStart };
    let gone: string[] = [];
    let come: string[] = [];
    for (const line of [...lines, ' ']) {
      if (line.startsWith('-')) gone.push(line.slice(1));
      else if (line.startsWith('+')) come.push(line.slice(1));
      else if (!line.startsWith('\\')) {
        if (gone.length + come.length > 0) told += change(at, gone, come);
        at.old += gone.length + 1;
        at.fresh += come.length + 1;
        [gone, come] = [[], []];
      }
    }
  }
  return told;
}

export const diff: Execute = async (given, ctx) => {
  const args = given.filter((arg) => !arg.startsWith('--color'));
  const { letters, operands, excluded, others } = askedIn(args);
  const kept = [...Array.from(letters.replace(/[rNa]/g, ''), (letter) => `-${letter}`), ...others];
  const [old = '', fresh = ''] = operands;
  const found = await Promise.all([statOf(ctx, old), statOf(ctx, fresh)]);
  const missing = operands[found.indexOf(undefined)];
  if (missing !== undefined && missing !== '-') {
    throw new CommandFailure(`${missing}: No such file or directory`, 2);
  }
  if (operands.length !== 2 || !found.every((one) => one?.isDirectory === true)) {
    return await files(/[rNa]/.test(letters) ? [...kept, '--', ...operands] : args, ctx);
  }
  const patterns = excluded.map(textMatcher);
  return await compareFolders(ctx, [old, fresh], {
    files: async (a, b) => await pair([a, b], kept, ctx),
    shown: args.filter((arg) => arg.startsWith('-')),
    is_recursive: letters.includes('r'),
    is_new_empty: letters.includes('N'),
    isExcluded: (name) => patterns.some((matches) => matches(name)),
  });
};

/** The options of one letter, the operands, what `-x` leaves out, and what else there is. */
function askedIn(args: readonly string[]) {
  const asked = {
    letters: '',
    operands: [] as string[],
    excluded: [] as string[],
    others: [] as string[],
  };
  const left = [...args];
  for (let arg = left.shift(); arg !== undefined; arg = left.shift()) {
    const letter = long[arg];
    const [, cluster] = /^-([ruqsiNa]+)$/.exec(arg) ?? [];
    if (letter !== undefined || cluster !== undefined) asked.letters += letter ?? cluster ?? '';
    else if (arg === '-x' || arg === '--exclude') asked.excluded.push(left.shift() ?? '');
    else if (arg.startsWith('--exclude=')) asked.excluded.push(arg.slice('--exclude='.length));
    else if (/^-./.test(arg)) asked.others.push(arg);
    else asked.operands.push(arg);
  }
  return asked;
}

const long: Readonly<Record<string, string>> = {
  '--recursive': 'r',
  '--brief': 'q',
  '--unified': 'u',
  '--new-file': 'N',
  '--report-identical-files': 's',
  '--ignore-case': 'i',
  '--text': 'a',
};

/** Two files of folders, of which one may not be there (`-N`): then it is empty. */
async function pair(
  names: readonly [string, string],
  options: readonly string[],
  ctx: CommandContext,
): Promise<ExecResult> {
  const found = await Promise.all(names.map(async (name) => await statOf(ctx, name)));
  const inputs = names.map((name, nth) => (found[nth] === undefined ? '/dev/null' : name));
  const told = await files([...options, '--', ...inputs], ctx);
  const named = names[found.indexOf(undefined)] ?? '/dev/null';
  return {
    ...told,
    stdout: told.stdout.replace(/(?<=^(--- |\+\+\+ |Files |Files \S+ and ))\/dev\/null/m, named),
  };
}

async function files(args: string[], ctx: CommandContext): Promise<ExecResult> {
  const is_plain = args.every((arg) => !arg.startsWith('-') || arg === '-' || arg === '--');
  const { stdout: said, stderr, exitCode } = await original(ctx, is_plain ? ['-u', ...args] : args);
  // Its first line says nothing, and no tool reads it.
  const unified = said.replace(/^=+\n/, '');
  return { stdout: is_plain && exitCode === 1 ? normal(unified) : unified, stderr, exitCode };
}
