import { echo, printf } from './byte-escapes.ts';
import { awk } from './awk.ts';
import { commands, original, type Execute } from './command.ts';
import { diff } from './compare.ts';
import { date } from './date.ts';
import { du } from './du.ts';
import { head, tail } from './ends.ts';
import { env } from './env.ts';
import { install, mkdir, touch, umask } from './folders.ts';
import { find } from './find.ts';
import { grep } from './grep.ts';
import { jq } from './jq.ts';
import { ln, rm } from './links.ts';
import { ls } from './ls.ts';
import { cp, mv } from './moves.ts';
import { od } from './od.ts';
import { readlink, realpath } from './paths.ts';
import { sqlite3 } from './sqlite.ts';
import { stat } from './stat.ts';
import { xargs } from './xargs.ts';

/**
 * Everyday forms of commands that the interpreter's own take for something else, or not at all.
 * Each of these rewrites its arguments, or calls the interpreter's command more than once.
 */

/** Letters' case is not changed by the interpreter's `s`: it puts the escape's own letter there. */
const CASES = /(?:^|[;{}\d$/]|\s)s([^\w\s\\]).*\1[^]*\\[ULulE]/;

/** `2a\text` on one line, of which the interpreter keeps the backslash. */
const ONE_LINE = /^((?:\d+|\$|\/[^/]*\/)?(?:,(?:\d+|\$|\/[^/]*\/))?\s*[aic])\\([^\n])/;

const IN_PLACE = /^(?:-([nErsz]*)i(.+)|--in-place=(.+))$/s;

/** `-i.bak` keeps what a file was; the interpreter's edits it all the same. */
const sed: Execute = async (given, ctx) => {
  const args = given
    .map((arg) => arg.replace(/^--(expression|file)=/, (_, name: string) => `-${name.charAt(0)}\0`))
    .flatMap((arg) => arg.split('\0'))
    .map((arg) => arg.replace(ONE_LINE, '$1 $2'));
  if (args.some((arg) => CASES.test(arg))) {
    const stderr =
      'sed: \\U, \\L, \\u, \\l and \\E are not known here: use awk (toupper, tolower) or python3\n';
    return { stdout: '', stderr, exitCode: 1 };
  }
  const [, flags = '', short, long] = args.map((arg) => IN_PLACE.exec(arg)).find(Boolean) ?? [];
  const suffix = short ?? long;
  if (suffix === undefined) return await original(ctx, args);
  const plain = args.map((arg) => (IN_PLACE.test(arg) ? `-${flags}i` : arg));
  for (const file of filesOf(plain)) {
    const path = ctx.fs.resolvePath(ctx.cwd, file);
    // What is not there is the editor's to tell.
    if (await ctx.fs.exists(path)) await ctx.fs.cp(path, `${path}${suffix}`);
  }
  return await original(ctx, plain);
};

/** The operands of `sed` behind its script. */
function filesOf(args: readonly string[]): string[] {
  const operands: string[] = [];
  let has_script = false;
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? '';
    if (/^--(expression|file)=/.test(arg)) has_script = true;
    else if (/^(-[nErsi]*[ef]|--expression|--file)$/.test(arg)) {
      has_script = true;
      at += 1;
    } else if (!arg.startsWith('-')) operands.push(arg);
  }
  return has_script ? operands : operands.slice(1);
}

/** `\\0` is a byte that is zero; the interpreter's takes it for a zero. */
const tr: Execute = async (args, ctx) =>
  await original(
    ctx,
    args.map((arg) => arg.replace(/\\0{1,3}(?![0-7])/g, '\0')),
  );

/** Without a file it is the standard input that is pasted. */
const paste: Execute = async (args, ctx) => {
  const operands = args.filter(
    (arg, at) => !/^-./.test(arg) && !/^-[sz]*d$/.test(args[at - 1] ?? ''),
  );
  return await original(ctx, operands.length === 0 ? [...args, '-'] : args);
};

/** What is unpacked has the mode that it was packed with, as with every tar: a script can still be run. */
const tar: Execute = async (args, ctx) => {
  const [first = ''] = args;
  const is_unpacking =
    args.some((arg) => /^-\w*x|^--(extract|get)$/.test(arg)) || /^\w*x/.test(first);
  return await original(ctx, is_unpacking ? [...args, '-p'] : args);
};

export const spellings = commands({
  xargs,
  sed,
  ls,
  head,
  od,
  printf,
  echo,
  awk,
  env,
  tail,
  grep,
  diff,
  jq,
  tr,
  paste,
  date,
  rm,
  ln,
  cp,
  mv,
  tar,
  stat,
  sqlite3,
  mkdir,
  touch,
  umask,
  install,
  find,
  du,
  realpath,
  readlink,
});
