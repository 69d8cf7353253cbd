import { original, said, type Execute } from './command.ts';

/** `rm` of a link takes the link: the interpreter's asks what it leads to, and leaves one that leads nowhere. */
export const rm: Execute = async (args, ctx) => {
  const kept: string[] = [];
  const options = args.filter((arg) => /^-./.test(arg));
  let stdout = '';
  for (const arg of args) {
    const path = ctx.fs.resolvePath(ctx.cwd, arg);
    const found = /^-.|\/$/.test(arg) ? undefined : await ctx.fs.lstat(path).catch(() => undefined);
    if (found?.isSymbolicLink !== true) kept.push(arg);
    else {
      await ctx.fs.rm(path);
      if (options.some((option) => /^-\w*v|^--verbose$/.test(option))) {
        stdout += `removed '${arg}'\n`;
      }
    }
  }
  const is_done = kept.length < args.length && kept.every((arg) => options.includes(arg));
  const rest = is_done ? said('') : await original(ctx, kept);
  return { ...rest, stdout: stdout + rest.stdout };
};
