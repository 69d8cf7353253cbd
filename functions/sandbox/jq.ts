import type { CommandContext, ExecResult } from 'just-bash';
import { AsyncLocalStorage } from 'node:async_hooks';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { CommandFailure, inputOrTrouble, original, type Execute } from './command.ts';

/**
 * `jq` itself, compiled to WebAssembly (jq-web). The interpreter's own is another program with jq's name:
 * groups came unsorted, a second key of `sort_by` was not looked at, `walk` did nothing, all without an error.
 */

/** What the thread does: one program at a time, on bytes. A package that is CommonJS, so no file of ours. */
const THREAD = `
const { parentPort, workerData } = require('node:worker_threads');
// Where jq-web tells what a program says on its standard error.
const { console: log } = globalThis;
require(workerData).then(({ raw }) => parentPort.on('message', ({ input, filter, flags }) => {
  let stderr = '';
  const warn = log.warn;
  log.warn = (...told) => { stderr += told.at(-1) + '\\n'; };
  try {
    parentPort.postMessage({ stdout: raw(input, filter, flags), stderr, exitCode: 0 });
  } catch (error) {
    const text = typeof error.stderr === 'string' ? error.stderr.replace(/^undefined/, '') : error.message;
    parentPort.postMessage({ stdout: undefined, stderr: text + '\\n', exitCode: error.exitCode ?? 5, is_broken: error.exitCode === undefined });
  } finally { log.warn = warn; }
}));
`;

interface Told {
  readonly stdout: string | undefined;
  readonly stderr: string;
  readonly exitCode: number;
  readonly is_broken?: boolean;
}

/** Kept between calls: to compile it takes a tenth of a second. A program that failed may have broken it. */
let idle: Worker | undefined;
const outside = AsyncLocalStorage.snapshot();

function start(): Worker {
  const path = createRequire(import.meta.url).resolve('jq-web');
  const limits = { maxOldGenerationSizeMb: 512 };
  const thread = new Worker(THREAD, {
    eval: true,
    workerData: path,
    env: {},
    resourceLimits: limits,
  });
  thread.unref();
  return thread;
}

/** One run in the thread, which is ended when its time is over. */
async function run(message: unknown, signal: AbortSignal | undefined): Promise<Told> {
  const thread = idle ?? outside(start);
  idle = undefined;
  try {
    return await outside(async () => await answered(thread, message, signal));
  } catch (error) {
    await thread.terminate();
    throw error;
  }
}

async function answered(
  thread: Worker,
  message: unknown,
  signal: AbortSignal | undefined,
): Promise<Told> {
  const ends = new AbortController();
  try {
    const told = await new Promise<Told>((done, fail) => {
      const end = (text: string) => () => fail(new CommandFailure(text, 5));
      const onAbort = end('stopped');
      const onExit = end('error: it ran out of memory');
      thread.once('message', done).once('error', onExit).once('exit', onExit);
      ends.signal.addEventListener('abort', () => {
        thread.off('message', done).off('error', onExit).off('exit', onExit);
        signal?.removeEventListener('abort', onAbort);
      });
      if (signal?.aborted === true) onAbort();
      else signal?.addEventListener('abort', onAbort, { once: true });
      thread.postMessage(message);
    });
    ends.abort();
    // Of several at a time one is kept: nobody would end the others.
    if (told.is_broken === true || idle !== undefined) await thread.terminate();
    else idle = thread;
    return told;
  } finally {
    ends.abort();
  }
}

interface Asked {
  filter: string | undefined;
  readonly flags: string[];
  readonly files: string[];
  is_status: boolean;
  is_joined: boolean;
}

const long: Readonly<Record<string, string>> = {
  'raw-output': '-r',
  'join-output': '-j',
  'ascii-output': '-a',
  'compact-output': '-c',
  'color-output': '-C',
  'monochrome-output': '-M',
  'sort-keys': '-S',
  slurp: '-s',
  'null-input': '-n',
  'exit-status': '-e',
  'raw-input': '-R',
  tab: '--tab',
  stream: '--stream',
};
const known = new Set(Object.values(long));

export const jq: Execute = async (args, ctx) => {
  const asked = await askedOf(args, ctx);
  if (asked?.filter === undefined) return await original(ctx, args);
  return await answer(asked, asked.filter, ctx);
};

async function answer(asked: Asked, filter: string, ctx: CommandContext): Promise<ExecResult> {
  const names = asked.files.length > 0 ? asked.files : ['-'];
  const parts = await Promise.all(names.map((name) => inputOrTrouble(ctx, name, UNREAD)));
  const input = Buffer.concat(parts);
  const told = await run({ input, ...withEnvironment(asked, filter, ctx) }, ctx.signal);
  const { stdout = '', stderr } = told;
  const text = told.stdout === undefined || asked.is_joined ? stdout : `${stdout}\n`;
  const exitCode = asked.is_status && told.exitCode === 0 ? statusOf(told) : told.exitCode;
  return { stdout: text, stderr, exitCode };
}

/** `-e`: what the last value says. */
function statusOf({ stdout }: Told): number {
  if (stdout === undefined) return 4;
  const last = stdout.slice(stdout.lastIndexOf('\n') + 1);
  return last === 'null' || last === 'false' ? 1 : 0;
}

/** The engine has an environment of its own. */
function withEnvironment({ flags }: Asked, filter: string, { exportedEnv = {} }: CommandContext) {
  if (!/\$ENV\b|\benv\b/.test(filter)) return { filter, flags };
  return {
    filter: `def env: $__env; ${filter.replace(/\$ENV\b/g, () => '$__env')}`,
    flags: [...flags, '--argjson', '__env', JSON.stringify(exportedEnv)],
  };
}

const UNREAD = 'error: Could not open ';

/** @returns undefined for what only the interpreter's own takes. */
async function askedOf(args: readonly string[], ctx: CommandContext): Promise<Asked | undefined> {
  const asked: Asked = {
    filter: undefined,
    flags: [],
    files: [],
    is_status: false,
    is_joined: false,
  };
  const left = [...args];
  for (let one = left.shift(); one !== undefined; one = left.shift()) {
    if (/^-./.test(one)) {
      if (!(await takeOption(asked, one, left, ctx))) return undefined;
    } else if (asked.filter === undefined) asked.filter = one;
    else asked.files.push(one);
  }
  return asked;
}

async function takeOption(
  asked: Asked,
  one: string,
  left: string[],
  ctx: CommandContext,
): Promise<boolean> {
  const valued = Object.hasOwn(takers, one) ? takers[one] : undefined;
  if (valued !== undefined) {
    await valued(asked, left, ctx);
    return true;
  }
  const named = long[one.replace(/^--/, '')];
  const found = one.startsWith('--') ? [named] : Array.from(one.slice(1), (letter) => `-${letter}`);
  if (!found.every((flag) => flag !== undefined && known.has(flag))) return false;
  for (const flag of found) takeFlag(asked, flag ?? '');
  return true;
}

type Take = (asked: Asked, left: string[], ctx: CommandContext) => Promise<void>;

const program: Take = async (asked, left, ctx) => {
  asked.filter = (await textIn(left, ctx)).replace(/^#!.*\n/, '');
};

const takers: Readonly<Record<string, Take>> = {
  '--arg': async ({ flags }, left) => void flags.push('--arg', ...left.splice(0, 2)),
  '--argjson': async ({ flags }, left) => void flags.push('--argjson', ...left.splice(0, 2)),
  '--indent': async ({ flags }, left) => void flags.push('--indent', ...left.splice(0, 1)),
  '--rawfile': async ({ flags }, left, ctx) => {
    flags.push('--arg', ...left.splice(0, 1), await textIn(left, ctx));
  },
  '--slurpfile': async ({ flags }, left, ctx) => {
    const name = left.splice(0, 1);
    const input = await textIn(left, ctx);
    const { stdout = '[]' } = await run({ input, filter: '.', flags: ['-s', '-c'] }, ctx.signal);
    flags.push('--argjson', ...name, stdout);
  },
  '-f': program,
  '--from-file': program,
};

async function textIn(left: string[], ctx: CommandContext): Promise<string> {
  return (await inputOrTrouble(ctx, left.shift(), UNREAD)).toString('utf8');
}

function takeFlag(asked: Asked, letter: string): void {
  if (letter === '-e') asked.is_status = true;
  else asked.flags.push(letter);
  if (letter === '-j') asked.is_joined = true;
}
