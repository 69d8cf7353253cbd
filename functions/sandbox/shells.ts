import {
  parse,
  type CommandContext,
  type CommandNode,
  type ExecResult,
  type ScriptNode,
  type SimpleCommandNode,
} from 'just-bash';
import {
  bytesSaid,
  CommandFailure,
  commands,
  inputOf,
  original,
  quoted,
  said,
  saidBytes,
  type Execute,
} from './command.ts';
import { functionsOf } from './shell-state.ts';

/**
 * `bash` and `sh` with their options, which the interpreter's take for the names of scripts, and with what a script
 * has set to be done at its end (`trap … EXIT`).
 */

/** In the shell of a script whose end is seen: what is to be done then. A tool's own shell lives on and has none. */
const AT_END = '__session_at_end';

interface Asked {
  /** The script; undefined to be read from a file or the input. */
  readonly text: string | undefined;
  /** `$0`. */
  readonly name: string;
  readonly args: readonly string[];
  /** What `set` is to be told first. */
  readonly set: readonly string[];
  readonly only_reads: boolean;
}

const shell =
  (name: 'bash' | 'sh'): Execute =>
  async (args, ctx) => {
    if (args.some((arg) => arg === '--help' || arg === '--version'))
      return await original(ctx, args);
    const asked = askedOf(name, args);
    const text = asked.text ?? (await scriptOf(asked.name, name, ctx));
    if (asked.only_reads) return checked(text, asked.name);
    const is_seen = /\btrap\b/.test(text);
    if (!is_seen && args[0]?.startsWith('-') !== true) return await original(ctx, args);
    const set = asked.set.length === 0 ? '' : `set ${asked.set.map(quoted).join(' ')}; `;
    const mark = is_seen ? `${AT_END}=; ` : '';
    // On its first line, so that the numbers of the others stay right.
    const plain = text.replace(/^#!.*/, '');
    const ended = await original(ctx, ['-c', `${mark}${set}${plain}`, asked.name, ...asked.args]);
    return is_seen ? await withEnd(ended, text, ctx) : ended;
  };

/** `[-eux…] [-o OPTION] [-c TEXT [NAME]] [FILE] [ARGUMENT…]` */
function askedOf(name: string, args: readonly string[]): Asked {
  const { letters, set, left } = optionsIn(args);
  const only_reads = letters.includes('n');
  if (letters.includes('c')) {
    const [text, title = name, ...rest] = left;
    if (text === undefined) throw new CommandFailure('-c: option requires an argument', 2);
    return { text, name: title, args: rest, set, only_reads };
  }
  const [file = name, ...rest] = letters.includes('s') ? [name, ...left] : left;
  return { text: undefined, name: file, args: rest, set, only_reads };
}

/** Which of `c`, `s` and `n` there are, what `set` is to be told, and what comes behind. */
function optionsIn(args: readonly string[]) {
  const left = [...args];
  const set: string[] = [];
  let letters = '';
  for (let one = left[0]; one !== undefined && /^[-+]./.test(one); one = left[0]) {
    left.shift();
    if (one === '--') break;
    if (/^--(login|norc|noprofile|posix)$/.test(one)) continue;
    const [, sign = '', cluster] = /^([-+])([a-zA-Z]+)$/.exec(one) ?? [];
    if (cluster === undefined) throw new CommandFailure(`${one}: invalid option`, 2);
    letters += cluster.replace(/[^csn]/g, '');
    // What a shell is told of itself and its user means nothing here.
    const flags = cluster.replace(/[csnlir]/g, '');
    if (flags !== '') set.push(`${sign}${flags}`);
    if (flags.includes('o')) set.push(left.shift() ?? '');
  }
  return { letters, set, left };
}

async function scriptOf(file: string, name: string, ctx: CommandContext): Promise<string> {
  if (file === name && !(await ctx.fs.exists(ctx.fs.resolvePath(ctx.cwd, file)))) {
    return (await inputOf(ctx)).toString('utf8');
  }
  try {
    return (await inputOf(ctx, file)).toString('utf8');
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    throw new CommandFailure(error.message, error.message.includes('directory') ? 127 : 126);
  }
}

/** `-n`: whether it is a script at all. */
function checked(text: string, name: string): ExecResult {
  try {
    parse(text);
    return said('');
  } catch (error) {
    return { stdout: '', stderr: `${name}: ${(error as Error).message}\n`, exitCode: 2 };
  }
}

/** Run what is to be done at the end, in what the shell has become by then. */
async function withEnd(
  ended: ExecResult & { env?: Record<string, string> },
  text: string,
  { exec, cwd, signal }: CommandContext,
): Promise<ExecResult> {
  const { env = {}, exitCode } = ended;
  const code = env[AT_END];
  if (code === undefined || code === '' || exec === undefined) return ended;
  const functions = functionsOf(parse(text)).map(([, definition]) => definition);
  const script = [...functions, `(exit ${exitCode})`, code, `exit ${exitCode}`].join('\n');
  const told = await exec(script, {
    cwd: env['PWD'] ?? cwd,
    env,
    ...(signal === undefined ? {} : { signal }),
  });
  return {
    ...saidBytes(Buffer.concat([bytesSaid(ended), bytesSaid(told)])),
    stderr: `${ended.stderr}${told.stderr}`,
    exitCode: told.exitCode,
  };
}

/** Behind them a shell of its own ends, and not the script. */
const APART = new Set(['Subshell', 'CommandSubstitution', 'ProcessSubstitution']);

/**
 * Where a script says `exit`, the interpreter keeps nothing of it: what is to be done at the end is done right before.
 * Changes the tree of a script whose end is seen, and no other.
 */
export function leaveInOrder(script: ScriptNode): void {
  const first = JSON.stringify(commandIn(script.statements) ?? '');
  if (first.includes(`"name":"${AT_END}"`)) replaceExits(script);
}

function replaceExits(node: unknown): void {
  if (typeof node !== 'object' || node === null) return;
  if ('type' in node && APART.has(String(node.type))) return untrapped(node);
  if ('commands' in node && Array.isArray(node.commands)) {
    node.commands = node.commands.map((one: unknown) => leaving(one) ?? one);
  }
  for (const inside of Object.values(node)) replaceExits(inside);
}

/** The end of `( … )` is not seen: there `trap` shall say so. */
function untrapped(node: object): void {
  if (!('body' in node) || !Array.isArray(node.body)) return;
  if (JSON.stringify(node.body).includes('"trap"')) {
    node.body.unshift(...parse(`unset ${AT_END}`).statements);
  }
}

/** `exit N`, as a group; undefined for every other command. */
function leaving(node: unknown): CommandNode | undefined {
  if (!isExit(node)) return undefined;
  const text = `{ ${LEAVE} $?; eval "$${CODE}"; builtin exit "$${STATUS}"; }`;
  const group = commandIn(parse(text).statements);
  const leave = group?.type === 'Group' ? commandIn(group.body) : undefined;
  if (leave?.type !== 'SimpleCommand') throw new Error('a template is a group of commands');
  leave.args.push(...node.args);
  return group;
}

const commandIn = ([first]: ScriptNode['statements']): CommandNode | undefined =>
  first?.pipelines[0]?.commands[0];

function isExit(node: unknown): node is SimpleCommandNode {
  if (typeof node !== 'object' || node === null) return false;
  const { type, name } = node as Partial<SimpleCommandNode>;
  const [part] = name?.parts ?? [];
  return type === 'SimpleCommand' && part?.type === 'Literal' && part.value === 'exit';
}

const LEAVE = '__session_leave';
const CODE = '__session_end_code';
const STATUS = '__session_end_status';

/** `$?` and what `exit` was told. */
const leave: Execute = async ([before = '0', told = before], { env, assignShellVariable }) => {
  const status = /^[-+]?\d+$/.test(told) ? Number(told) & 255 : 2;
  const code = env.get(AT_END) ?? '';
  await assignShellVariable?.(AT_END, '');
  await assignShellVariable?.(STATUS, String(status));
  // What fails at the end is no reason to leave out the rest of it.
  await assignShellVariable?.(CODE, code === '' ? '' : `set +e; (exit ${status}); ${code}`);
  return said('');
};

const EXITS = /^(EXIT|SIGEXIT|0)$/i;
/** Nobody sends them here. */
const SIGNALS =
  /^(SIG)?(INT|TERM|HUP|QUIT|PIPE|USR1|USR2|ALRM|CHLD|TSTP|CONT|WINCH)$|^([1-9]|1\d)$/i;

/** `trap [-p] [ACTION] [SIGNAL…]`: seen is the end of a script, and told is what is not. */
const trap: Execute = async (args, { env, assignShellVariable }) => {
  const [action, ...signals] = args.filter((arg) => arg !== '--');
  const before = env.get(AT_END);
  if (action === undefined || /^-[lp]$/.test(action)) {
    return said((before ?? '') === '' ? '' : `trap -- ${quoted(before ?? '')} EXIT\n`);
  }
  // A signal alone is given back.
  const [text, named] = signals.length === 0 ? ['', [action]] : [action, signals];
  const ends = named.filter((signal) => EXITS.test(signal));
  const others = named.filter((signal) => !SIGNALS.test(signal) && !EXITS.test(signal));
  if (before === undefined) return untold([...ends, ...others]);
  if (ends.length > 0) await assignShellVariable?.(AT_END, text === '-' ? '' : text);
  return untold(others);
};

/** Said, and no failure: under `set -e` a script would end with its first line. */
function untold(signals: readonly string[]): ExecResult {
  const which = signals.some((signal) => EXITS.test(signal))
    ? ': only the end of a script that bash or sh runs'
    : '';
  const stderr = `trap: ${signals.join(', ')} is not caught here${which}\n`;
  return { ...said(''), stderr: signals.length === 0 ? '' : stderr };
}

export const shells = commands({ bash: shell('bash'), sh: shell('sh'), trap, [LEAVE]: leave });
