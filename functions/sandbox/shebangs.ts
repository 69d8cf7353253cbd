import type { CommandContext } from 'just-bash';
import { isInside, roots } from '#shared/files/path.ts';
import { CommandFailure, commands, quoted, type Execute } from './command.ts';

/**
 * Scripts by their path. The interpreter takes every one for a shell's: `./report.py` came out as errors in
 * the words of Python. Here a command that is a path is asked what it is, and its program runs it; a
 * shell's script runs in a shell of its own, in which it is mended as all others are.
 */

const RUN = '__session_program';

const shells = new Set(['sh', 'bash', 'dash', 'zsh', 'ksh', 'ash', '']);

interface Simple {
  readonly type: 'SimpleCommand';
  readonly name: { readonly parts: unknown } | null;
  readonly args: readonly unknown[];
  readonly redirections: readonly unknown[];
}

/** `./x a` as a command of ours with `./x a`. Changes the tree. */
export function askFirstLines(node: unknown): void {
  if (typeof node !== 'object' || node === null) return;
  for (const inside of Object.values(node)) askFirstLines(inside);
  if (!('commands' in node) || !Array.isArray(node.commands)) return;
  node.commands = node.commands.map((one: unknown) =>
    isPath(one) ? { ...one, name: word(RUN), args: [one.name, ...one.args] } : one,
  );
}

const word = (value: string) => ({ type: 'Word', parts: [{ type: 'Literal', value }] });

function isPath(node: unknown): node is Simple {
  if (typeof node !== 'object' || node === null || !('type' in node)) return false;
  if (node.type !== 'SimpleCommand' || !('name' in node)) return false;
  const parts = (node as Simple).name?.parts;
  return /"value":"[^"]*\//.test(JSON.stringify(parts ?? ''));
}

/** What runs a script, in words; undefined for what is none, or a command of the interpreter's own. */
async function programOf(name: string, { fs, cwd }: CommandContext): Promise<string[] | undefined> {
  const path = fs.resolvePath(cwd, name);
  const stat = await fs.stat(path).catch(() => undefined);
  if (stat === undefined || stat.isDirectory || (stat.mode & 0o111) === 0) return undefined;
  if (!isInside(path, roots)) return undefined;
  const [line = ''] = Buffer.from(await fs.readFileBuffer(path))
    .subarray(0, 256)
    .toString('latin1')
    .split('\n');
  if (!line.startsWith('#!')) return ['bash'];
  const words = line.slice(2).trim().split(/\s+/);
  const env = nameOf(words[0]) === 'env';
  const rest = env ? words.slice(1).filter((word) => word !== '-S') : words;
  return shells.has(nameOf(rest[0])) ? ['bash'] : [nameOf(rest[0]), ...rest.slice(1)];
}

function nameOf(word = ''): string {
  return word.slice(word.lastIndexOf('/') + 1);
}

const run: Execute = async ([name = '', ...args], ctx) => {
  const { exec, cwd, stdin, signal, exportedEnv = {} } = ctx;
  if (exec === undefined) throw new Error('a command runs in a shell');
  const [program, ...options] = (await programOf(name, ctx)) ?? [];
  if (program !== undefined && ctx.getRegisteredCommands?.().includes(program) === false) {
    throw new CommandFailure(`${name}: its first line asks for ${program}, which is not here`, 127);
  }
  const words = program === undefined ? ['command', name] : [program, ...options, name];
  return await exec([...words, ...args].map(quoted).join(' '), {
    cwd,
    env: exportedEnv,
    stdin: stdin as unknown as string,
    stdinKind: 'bytes',
    ...(signal === undefined ? {} : { signal }),
  });
};

export const scripts = commands({ [RUN]: run });
