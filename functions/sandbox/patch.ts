import type { CommandContext } from 'just-bash';
import { applyPatch, parsePatch, reversePatch, type StructuredPatch } from 'diff';
import {
  CommandFailure,
  commands,
  countOf,
  inputOf,
  optionsOf,
  said,
  type Execute,
} from './command.ts';

/** `patch`: what `diff -u` has written, put into files. */

interface Asked {
  readonly strip: number | undefined;
  readonly file: string | undefined;
  readonly is_dry: boolean;
  readonly is_forced: boolean;
}

const patch: Execute = async (args, ctx) => {
  const long = {
    p: 'strip',
    i: 'input',
    d: 'directory',
    R: 'reverse',
    o: 'output',
    N: 'forward',
    s: 'quiet',
  };
  const is_dry = args.includes('--dry-run');
  const { operands, has, value } = optionsOf(
    args.filter((arg) => arg !== '--dry-run'),
    { flags: 'RNfsutEb', valued: 'pido', long },
  );
  const [file, second] = operands;
  const folder = value('d');
  const inside = folder === undefined ? ctx : { ...ctx, cwd: ctx.fs.resolvePath(ctx.cwd, folder) };
  const text = (await inputOf(ctx, value('i') ?? second)).toString('utf8');
  const patches = patchesOf(text).map((one) => (has('R') ? reversePatch(one) : one));
  if (patches.length === 0)
    throw new CommandFailure('**** Only garbage was found in the patch input.', 2);
  const strip = value('p') === undefined ? undefined : countOf(value('p'), 'strip count');
  const asked = { strip, file, is_dry, is_forced: has('f') };
  let stdout = '';
  let exitCode = 0;
  for (const one of patches) {
    const told = await applied(one, asked, inside);
    if (told.is_failed) exitCode = 1;
    if (!has('s') || told.is_failed) stdout += told.text;
  }
  return { ...said(stdout), exitCode };
};

function patchesOf(text: string): StructuredPatch[] {
  try {
    return parsePatch(text).filter(({ hunks }) => hunks.length > 0);
  } catch (error) {
    throw new CommandFailure(`**** malformed patch: ${(error as Error).message}`, 2);
  }
}

async function applied(one: StructuredPatch, asked: Asked, { fs, cwd }: CommandContext) {
  const name = await targetOf(one, asked, { fs, cwd });
  const path = fs.resolvePath(cwd, name);
  const is_new = !(await fs.exists(path));
  if (is_new && one.oldFileName !== '/dev/null') {
    return { is_failed: true, text: `can't find file to patch: ${name}\n` };
  }
  const before = is_new ? '' : await fs.readFile(path);
  const after = applyPatch(before, one, { fuzzFactor: 2 });
  const doing = asked.is_dry ? 'checking' : 'patching';
  if (after === false) {
    const text = `${doing} file ${name}\n${one.hunks.length} hunk(s): not all of them fit, so the file is left as it was\n`;
    return { is_failed: true, text };
  }
  if (!asked.is_dry) {
    if (one.newFileName === '/dev/null' && after === '') await fs.rm(path);
    else {
      await fs.mkdir(path.slice(0, path.lastIndexOf('/')) || '/', { recursive: true });
      await fs.writeFile(path, after);
    }
  }
  return { is_failed: false, text: `${doing} file ${name}\n` };
}

/** The file that a patch is for: without `-pN`, its last name, unless its whole path is there. */
async function targetOf(
  { oldFileName = '', newFileName = '' }: StructuredPatch,
  { strip, file }: Asked,
  { fs, cwd }: Pick<CommandContext, 'fs' | 'cwd'>,
): Promise<string> {
  if (file !== undefined) return file;
  const names = [oldFileName, newFileName].filter((name) => name !== '/dev/null' && name !== '');
  const stripped = names.map((name) => {
    return strip === undefined ? name : name.split('/').slice(strip).join('/');
  });
  for (const name of stripped) {
    if (name !== '' && (await fs.exists(fs.resolvePath(cwd, name)))) return name;
  }
  const [first = ''] = stripped.toReversed();
  if (first === '')
    throw new CommandFailure('**** the patch names no file: give it as an operand', 2);
  return strip === undefined ? first.slice(first.lastIndexOf('/') + 1) : first;
}

export const patchers = commands({ patch });
