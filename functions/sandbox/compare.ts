import { parsePatch } from 'diff';
import { original, type Execute } from './command.ts';

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
  const is_plain = args.every((arg) => !arg.startsWith('-') || arg === '-' || arg === '--');
  const { stdout: said, stderr, exitCode } = await original(ctx, is_plain ? ['-u', ...args] : args);
  // Its first line says nothing, and no tool reads it.
  const unified = said.replace(/^=+\n/, '');
  return { stdout: is_plain && exitCode === 1 ? normal(unified) : unified, stderr, exitCode };
};
