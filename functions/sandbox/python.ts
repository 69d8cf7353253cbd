import { latin1FromBytes, type CommandContext, type ExecResult } from 'just-bash';
import { original, saidBytes } from './command.ts';
import { ANSWER_PATH, ASK_PATH, bytesSaid, PythonAsks } from './python-asks.ts';
import { BOOT } from './python-boot.ts';
import type { SessionFs } from './session-fs.ts';
import { newFile } from './tree.ts';

/** Options that change nothing here, and those of them that have a value. */
const PLAIN = /^-[uBsSEIqObdP]+$/;
const VALUED = /^-[WX]/;

/** `python3` and `python`, over a session's files. */
export function pythonsOver(fs: SessionFs) {
  return ['python3', 'python'].map((name) => ({
    name,
    execute: async (args: string[], ctx: CommandContext) => await runPython(args, ctx, fs),
  }));
}

async function runPython(args: string[], ctx: CommandContext, fs: SessionFs): Promise<ExecResult> {
  const given = withoutPlain(args);
  const program = await programOf(given, ctx);
  if (program === undefined) return await original(ctx, given);
  const { plantZones } = await import('./zones.ts');
  plantZones(fs.tree);
  for (const path of [ASK_PATH, ANSWER_PATH]) {
    fs.tree.folderAt('/dev', 0).children.set(path.slice(5), newFile(new Uint8Array(), 0));
  }
  const before = fs.asks;
  const asks = new PythonAsks(fs, ctx, before);
  fs.asks = asks;
  try {
    const result = await original(ctx, ['-c', BOOT, ...program]);
    const stdout = Buffer.concat([...asks.output, bytesSaid(result)]);
    // Not what the interpreter has counted of it: that is of what its own engine said.
    const { stderr, exitCode } = result;
    return { ...saidBytes(stdout), stderr, exitCode };
  } finally {
    fs.asks = before;
  }
}

/** How a program comes, the program, and what it gets; undefined for what the interpreter says best. */
async function programOf(given: string[], { stdin, fs, cwd }: CommandContext) {
  const [how, what, ...rest] = given;
  if ((how === '-c' || how === '-m') && what !== undefined) return [how, what, ...rest];
  if (how === '-' || (how === undefined && latin1FromBytes(stdin) !== '')) {
    return ['-', '', ...given.slice(1)];
  }
  if (how === undefined || how.startsWith('-')) return undefined;
  const is_there = await fs.exists(fs.resolvePath(cwd, how));
  return is_there ? ['file', how, ...given.slice(1)] : undefined;
}

function withoutPlain(args: readonly string[]): string[] {
  const rest = [...args];
  for (let one = rest[0]; one !== undefined; one = rest[0]) {
    if (PLAIN.test(one)) rest.shift();
    else if (VALUED.test(one)) rest.splice(0, one.length === 2 ? 2 : 1);
    else break;
  }
  return rest;
}
