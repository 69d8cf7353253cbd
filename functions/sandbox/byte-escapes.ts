import type { CommandContext, ExecResult } from 'just-bash';

type Execute = (args: string[], ctx: CommandContext) => Promise<ExecResult>;

/** An escape of a byte above 127: of a text in UTF-8 it is a part, and by itself no character. */
const BYTE = /\\(?:x[89a-f][0-9a-f]|0?[23][0-7]{2})/i;

/** What names characters, which are given as they are. */
const CHARACTER = /\\u/i;

/**
 * `\xff` is one byte; the interpreter writes the character of that number, which is two in UTF-8. So
 * what has such escapes goes through it as bytes, a character each, and comes out as bytes.
 */
async function asBytes(args: string[], original: (args: string[]) => Promise<ExecResult>) {
  const text = args.join('\0');
  if (!BYTE.test(text) || CHARACTER.test(text)) return await original(args);
  const bytes = args.map((arg) => Buffer.from(arg, 'utf8').toString('latin1'));
  return { ...(await original(bytes)), stdoutKind: 'bytes' as const };
}

export const printf: Execute = async (args, { origCommand }) => {
  if (origCommand === undefined) throw new Error('the command is not built in');
  return args[0] === '-v' ? await origCommand(args) : await asBytes(args, origCommand);
};

export const echo: Execute = async (args, { origCommand }) => {
  if (origCommand === undefined) throw new Error('the command is not built in');
  const is_escaped = args.some((arg) => /^-[neE]*e[nE]*$/.test(arg));
  return is_escaped ? await asBytes(args, origCommand) : await origCommand(args);
};
