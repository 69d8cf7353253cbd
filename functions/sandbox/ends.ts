import type { CommandContext } from 'just-bash';
import { inputOf, optionsOf, original, saidBytes, type Execute } from './command.ts';
import { headOfDevice } from './devices.ts';

/** `head` and `tail` where they count from the other end, and by bytes, which the interpreter takes for letters. */

/** `-c +5`, `-n-2`, `--lines=-2`: the letter, the sign, the count, and what is left of the arguments. */
function countIn(args: readonly string[], sign: string) {
  const joined = args.flatMap((arg, at) => {
    if (/^-[qv]*[nc]$/.test(args[at - 1] ?? '')) return [];
    return /^-[qv]*[nc]$/.test(arg) ? [`${arg}${args[at + 1] ?? ''}`] : [arg];
  });
  const FORM = /^(?:-[qv]*([nc])|--(lines|bytes)=)([-+]?)(\d+)$/;
  const found = joined.map((arg) => FORM.exec(arg)).find((one) => one?.[3] === sign);
  if (found === undefined || found === null) return undefined;
  const is_bytes = found[1] === 'c' || found[2] === 'bytes';
  return { is_bytes, count: Number(found[4]), rest: joined.filter((arg) => arg !== found[0]) };
}

/** The bytes of all inputs; the title of each is left out. */
async function inputsOf(rest: readonly string[], ctx: CommandContext): Promise<Buffer[]> {
  const { operands } = optionsOf(rest, { flags: 'qvz' });
  return await Promise.all(
    (operands.length === 0 ? ['-'] : operands).map((name) => inputOf(ctx, name)),
  );
}

/** Where each line begins, and the end. */
function startsOf(bytes: Buffer): number[] {
  const starts = [0];
  for (
    let at = bytes.indexOf(10);
    at !== -1 && at + 1 < bytes.length;
    at = bytes.indexOf(10, at + 1)
  )
    starts.push(at + 1);
  return bytes.length === 0 ? [0] : [...starts, bytes.length];
}

export const head: Execute = async (args, ctx) => {
  const device = headOfDevice(args, ctx);
  if (device !== undefined) return device;
  const asked = countIn(args, '-');
  if (asked === undefined) {
    const apart = args.flatMap((arg) => {
      const [, flags = '', rest] = /^-([qv]+)([nc]\d*)$/.exec(arg) ?? [];
      return rest === undefined ? [arg] : [`-${flags}`, `-${rest}`];
    });
    return await original(ctx, apart);
  }
  const inputs = await inputsOf(asked.rest, ctx);
  return saidBytes(
    Buffer.concat(
      inputs.map((bytes) => {
        if (asked.is_bytes) return bytes.subarray(0, Math.max(0, bytes.length - asked.count));
        const starts = startsOf(bytes);
        return bytes.subarray(0, starts[Math.max(0, starts.length - 1 - asked.count)] ?? 0);
      }),
    ),
  );
};

export const tail: Execute = async (args, ctx) => {
  const from = countIn(args, '+');
  const last = countIn(args, '');
  const asked = from?.is_bytes === true ? from : last?.is_bytes === true ? last : undefined;
  if (asked === undefined) return await original(ctx, args);
  const inputs = await inputsOf(asked.rest, ctx);
  const at = asked === from ? Math.max(0, asked.count - 1) : undefined;
  return saidBytes(
    Buffer.concat(
      inputs.map((bytes) => bytes.subarray(at ?? Math.max(0, bytes.length - asked.count))),
    ),
  );
};
