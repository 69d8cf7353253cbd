import type { CommandContext } from 'just-bash';
import { original, said, type Execute } from './command.ts';

const OPTION = /^(-[rRfvd]+|--(recursive|force|verbose|dir|one-file-system|(no-)?preserve-root))$/;

/** `rm` of a link takes the link: the interpreter's asks what it leads to, and leaves one that leads nowhere. */
export const rm: Execute = async (args, ctx) => {
  const ends = args.indexOf('--');
  const isOperand = (arg: string, at: number): boolean =>
    ends === -1 ? !/^-./.test(arg) : at > ends || (at < ends && !/^-./.test(arg));
  const options = args.filter((arg, at) => !isOperand(arg, at) && at !== ends);
  const operands = args.filter(isOperand);
  const are_links = await Promise.all(operands.map(async (name) => await isLink(name, ctx)));
  if (!are_links.includes(true) || !options.every((one) => OPTION.test(one))) {
    return await original(ctx, args);
  }
  const rest = operands.filter((_, nth) => are_links[nth] === false);
  const result = rest.length === 0 ? said('') : await original(ctx, [...options, '--', ...rest]);
  const is_told = options.some((one) => /^-\w*v|^--verbose$/.test(one));
  let { stdout, stderr, exitCode } = result;
  for (const name of operands.filter((_, nth) => are_links[nth] === true)) {
    try {
      await ctx.fs.rm(ctx.fs.resolvePath(ctx.cwd, name));
      if (is_told) stdout += `removed '${name}'\n`;
    } catch (error) {
      stderr += `rm: cannot remove '${name}': ${(error as Error).message}\n`;
      exitCode = 1;
    }
  }
  return { stdout, stderr, exitCode };
};

async function isLink(name: string, { fs, cwd }: CommandContext): Promise<boolean> {
  if (name.endsWith('/')) return false;
  const found = await fs.lstat(fs.resolvePath(cwd, name)).catch(() => undefined);
  return found?.isSymbolicLink === true;
}
