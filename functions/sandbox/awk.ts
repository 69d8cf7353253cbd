import type { CommandContext } from 'just-bash';
import { CommandFailure, inputOrTrouble, original, type Execute } from './command.ts';

/**
 * `awk` as it is written every day, for the interpreter's own: it takes no `-v OFS=…`, forgets an element
 * that is only named (`seen[$1]`), knows no `-f`, and reads lines whatever `RS` says.
 */

/** Variables that are taken from a BEGIN and not from `-v`. */
const settings = new Set(['OFS', 'ORS', 'FS', 'SUBSEP', 'CONVFMT', 'OFMT']);

interface Asked {
  readonly options: string[];
  readonly begins: string[];
  readonly programs: string[];
  readonly operands: string[];
}

export const awk: Execute = async (args, ctx) => {
  const asked = await asksOf(args, ctx);
  const program = asked.programs.join('\n');
  const before = asked.begins.length === 0 ? '' : `BEGIN { ${asked.begins.join('; ')} }\n`;
  refuseRecords(program);
  return await original(ctx, [...asked.options, before + named(program), ...asked.operands]);
};

async function asksOf(args: readonly string[], ctx: CommandContext): Promise<Asked> {
  const asked: Asked = { options: [], begins: [], programs: [], operands: [] };
  const left = [...args];
  for (let one = left[0]; one !== undefined && /^-./.test(one); one = left[0]) {
    left.shift();
    if (one === '--') break;
    await takeOption(asked, one, left, ctx);
  }
  if (asked.programs.length === 0) asked.programs.push(left.shift() ?? '');
  for (const operand of left) {
    if (/^[A-Za-z_]\w*=/.test(operand)) setVariable(asked, operand);
    else asked.operands.push(operand);
  }
  return asked;
}

async function takeOption(
  asked: Asked,
  one: string,
  left: string[],
  ctx: CommandContext,
): Promise<void> {
  const [, letter, value = ''] = /^-([vfF])(.*)$/s.exec(one) ?? [];
  if (letter === undefined) {
    asked.options.push(one);
    return;
  }
  const given = value === '' ? (left.shift() ?? '') : value;
  if (letter === 'v') setVariable(asked, given);
  else if (letter === 'f') asked.programs.push(await programIn(given, ctx));
  else asked.options.push('-F', given === 't' ? '\t' : given);
}

async function programIn(name: string, ctx: CommandContext): Promise<string> {
  return (await inputOrTrouble(ctx, name === '/dev/stdin' ? '-' : name))
    .toString('utf8')
    .replace(/^#!.*\n/, '');
}

function setVariable({ options, begins }: Asked, given: string): void {
  const cut = given.indexOf('=');
  const [name, value] = [given.slice(0, cut), given.slice(cut + 1)];
  if (name === 'RS' && value !== '\\n' && value !== '\n') refuse();
  if (!settings.has(name)) options.push('-v', given);
  else begins.push(`${name} = "${value.replaceAll('"', String.raw`\"`).replaceAll('\n', '\\n')}"`);
}

function refuseRecords(program: string): void {
  const [, value] = /\bRS\s*=(?!=)\s*("(?:[^"\\]|\\.)*"|\S+)/.exec(program) ?? [];
  if (value !== undefined && value !== '"\\n"') refuse();
}

function refuse(): never {
  const text = 'RS is not known here, records are lines: use tr before it, or python3';
  throw new CommandFailure(text, 2);
}

/** `a[$1]` as a statement makes an element, where it is named and no more. */
function named(program: string): string {
  return program.replace(
    /([{;]\s*)([A-Za-z_]\w*\[[^\][;{}]*\])(?=\s*[;}])/g,
    (_, start: string, element: string) => `${start}${element} = ${element} ""`,
  );
}
