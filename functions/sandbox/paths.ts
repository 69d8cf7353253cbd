import type { CommandContext } from 'just-bash';
import { posix } from 'node:path';
import { CommandFailure, optionsOf, original, said, type Execute } from './command.ts';
import { Told } from './targets.ts';

/** `realpath` and `readlink -f`: where a path leads, also to what is not there yet. */

/** What may be missing: nothing (`-e`), the last name, or all of it (`-m`). */
type Missing = 'none' | 'last' | 'all';

/** As Linux has it. */
const LINKS_MAX = 40;

/** Undefined where more is missing than may be. */
async function placeAt(
  ctx: CommandContext,
  whole: string,
  missing: Missing,
  links = 0,
): Promise<string | undefined> {
  const { fs } = ctx;
  const found = await fs.realpath(whole).catch(() => undefined);
  if (found !== undefined || missing === 'none' || links > LINKS_MAX) return found;
  const target = await fs.readlink(whole).catch(() => undefined);
  const folder = posix.dirname(whole);
  if (target !== undefined) {
    const end = fs.resolvePath(folder, target);
    return await placeAt(ctx, end, missing, links + 1);
  }
  const parent = await fs.realpath(folder).catch(() => undefined);
  const above = parent ?? (missing === 'all' ? await placeAt(ctx, folder, 'all') : undefined);
  return above === undefined ? undefined : posix.join(above, posix.basename(whole));
}

/** `realpath [-emqsz] [--relative-to=FOLDER] PATH…` */
export const realpath: Execute = async (args, ctx) => {
  const long = {
    e: 'canonicalize-existing',
    m: 'canonicalize-missing',
    s: 'no-symlinks',
    q: 'quiet',
    z: 'zero',
    t: 'relative-to',
  };
  const known = { flags: 'emsqzLP', valued: 't', long };
  const { operands, has, value } = optionsOf(args, known);
  if (operands.length === 0) throw new CommandFailure('missing operand');
  const base = value('t');
  const missing: Missing = has('e') ? 'none' : has('m') ? 'all' : 'last';
  const from = base === undefined ? undefined : ctx.fs.resolvePath(ctx.cwd, base);
  const told = new Told('realpath');
  for (const name of operands) {
    const whole = ctx.fs.resolvePath(ctx.cwd, name);
    const place = has('s') ? whole : await placeAt(ctx, whole, missing);
    if (place !== undefined) {
      const shown = from === undefined ? place : posix.relative(from, place) || '.';
      told.stdout += `${shown}${has('z') ? '\0' : '\n'}`;
    } else if (has('q')) told.exitCode = 1;
    else told.failed(`${name}: No such file or directory`);
  }
  return told;
};

/** `readlink [-femnz] PATH…`: where it leads nowhere nothing is said. */
export const readlink: Execute = async (args, ctx) => {
  const long = { f: 'canonicalize', e: 'canonicalize-existing', m: 'canonicalize-missing' };
  const { operands, has } = optionsOf(args, { flags: 'femnzqsv', long });
  if (operands.length === 0) throw new CommandFailure('missing operand');
  if (!has('f') && !has('e') && !has('m')) return await original(ctx, args);
  const missing: Missing = has('e') ? 'none' : has('m') ? 'all' : 'last';
  const places = await Promise.all(
    operands.map(async (name) => await placeAt(ctx, ctx.fs.resolvePath(ctx.cwd, name), missing)),
  );
  const end = has('z') ? '\0' : has('n') && operands.length === 1 ? '' : '\n';
  const stdout = places.map((place) => (place === undefined ? '' : `${place}${end}`)).join('');
  return { ...said(stdout), exitCode: places.includes(undefined) ? 1 : 0 };
};
