import type { CommandContext, ExecResult } from 'just-bash';
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { limits } from '#shared/core/limits.ts';
import {
  CommandFailure,
  commands,
  countOf,
  delivered,
  inputOf,
  optionsOf,
  said,
  saidBytes,
  type Execute,
} from './command.ts';

/** Sums that the interpreter has not, and the few things that scripts ask of `openssl`. */

/** `sha512sum FILE…`, and `-c` for a list of sums. */
const sums =
  (algorithm: string): Execute =>
  async (args, ctx) => {
    const known = { flags: 'bctwz', long: { c: 'check', z: 'zero', w: 'warn' } };
    const { operands, has } = optionsOf(args, known);
    const files = operands.length === 0 ? ['-'] : operands;
    if (has('c')) return await checked(algorithm, files, ctx);
    return await each(files, async (file) => {
      const sum = createHash(algorithm)
        .update(await inputOf(ctx, file))
        .digest('hex');
      return `${sum}  ${file}${has('z') ? '\0' : '\n'}`;
    });
  };

/** What is said of each file; one that fails is told, and the others go on. */
async function each(files: readonly string[], say: (file: string) => Promise<string>) {
  const result: ExecResult = said('');
  for (const file of files) {
    try {
      result.stdout += await say(file);
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error;
      result.stderr += `${error.message}\n`;
      result.exitCode = 1;
    }
  }
  return result;
}

async function checked(algorithm: string, lists: readonly string[], ctx: CommandContext) {
  let failed_count = 0;
  const lines: string[] = [];
  for (const list of lists) {
    const text = (await inputOf(ctx, list)).toString('utf8');
    for (const line of text.split('\n').filter((one) => one !== '')) {
      const [, sum = '', file = ''] = /^\\?([\da-f]+) [ *](.*)$/i.exec(line) ?? [];
      const bytes = await inputOf(ctx, file).catch(() => undefined);
      const is_same =
        bytes !== undefined &&
        createHash(algorithm).update(bytes).digest('hex') === sum.toLowerCase();
      if (!is_same) failed_count += 1;
      lines.push(`${file}: ${is_same ? 'OK' : 'FAILED'}\n`);
    }
  }
  const stderr =
    failed_count === 0 ? '' : `WARNING: ${failed_count} computed checksums did NOT match\n`;
  return { stdout: lines.join(''), stderr, exitCode: failed_count === 0 ? 0 : 1 };
}

/** Names of `openssl dgst`, and how it shows them. */
const digests: Readonly<Record<string, string>> = {
  md5: 'MD5',
  sha1: 'SHA1',
  sha224: 'SHA2-224',
  sha256: 'SHA2-256',
  sha384: 'SHA2-384',
  sha512: 'SHA2-512',
  'sha3-256': 'SHA3-256',
  'sha3-512': 'SHA3-512',
};

const dgst: Execute = async (args, ctx) => {
  const left = [...args];
  const asked = { algorithm: 'sha256', key: undefined as string | undefined, form: 'hex' };
  while (left[0]?.startsWith('-') === true) {
    const option = (left.shift() ?? '').replace(/^--?/, '');
    if (Object.hasOwn(digests, option)) asked.algorithm = option;
    else if (option === 'hmac') asked.key = left.shift() ?? '';
    else if (option === 'r' || option === 'binary' || option === 'hex') asked.form = option;
    else
      throw new CommandFailure(`dgst -${option} is not known here: use python3's hashlib or hmac`);
  }
  const { algorithm, key, form } = asked;
  const digestOf = (bytes: Buffer): Buffer => {
    return (key === undefined ? createHash(algorithm) : createHmac(algorithm, key))
      .update(bytes)
      .digest();
  };
  if (form === 'binary') return saidBytes(digestOf(await inputOf(ctx, left[0])));
  return await each(left.length === 0 ? ['-'] : left, async (file) => {
    const sum = digestOf(await inputOf(ctx, file)).toString('hex');
    const name = file === '-' ? 'stdin' : file;
    const title = `${key === undefined ? '' : 'HMAC-'}${digests[algorithm]}`;
    return form === 'r' ? `${sum} *${name}\n` : `${title}(${name})= ${sum}\n`;
  });
};

/** `openssl base64`, `openssl enc -base64`: lines of 64 letters, or one with `-A`. */
const base64: Execute = async (args, ctx) => {
  const left = [...args];
  const flags = new Set<string>();
  const files: Record<string, string> = {};
  for (let one = left.shift(); one !== undefined; one = left.shift()) {
    if (one === '-in' || one === '-out') files[one] = left.shift() ?? '';
    else if (/^-(a|base64|A|d|e)$/.test(one)) flags.add(one);
    else
      throw new CommandFailure(
        `enc ${one} is not known here: only -base64, -d, -A, -in and -out are`,
      );
  }
  const input = await inputOf(ctx, files['-in']);
  const text = input.toString('base64');
  const lines = flags.has('-A') ? text : text.replace(/.{1,64}/g, '$&\n');
  const bytes = flags.has('-d')
    ? Buffer.from(input.toString('latin1'), 'base64')
    : Buffer.from(lines);
  return await delivered(bytes, files['-out'], ctx);
};

const rand: Execute = async (args) => {
  const count = countOf(
    args.find((arg) => !arg.startsWith('-')),
    'number of bytes',
  );
  if (count > limits.device_head_bytes_max) {
    throw new CommandFailure(`rand: at most ${limits.device_head_bytes_max} bytes at a time`);
  }
  const bytes = randomBytes(count);
  if (args.includes('-hex')) return said(`${bytes.toString('hex')}\n`);
  if (args.includes('-base64')) return said(bytes.toString('base64').replace(/.{1,64}/g, '$&\n'));
  return saidBytes(bytes);
};

const openssl: Execute = async ([what = '', ...args], ctx) => {
  if (what === 'dgst') return await dgst(args, ctx);
  if (what === 'rand') return await rand(args, ctx);
  if (Object.hasOwn(digests, what)) return await dgst([`-${what}`, ...args], ctx);
  if (what === 'base64') return await base64(args, ctx);
  if (what === 'enc') return await base64(args, ctx);
  if (what === 'version') return said('OpenSSL 3.0 (digests, base64 and random bytes only)\n');
  throw new CommandFailure(
    `'${what}' is not known here: only dgst, base64, enc -base64 and rand are`,
  );
};

export const digesters = commands({
  sha224sum: sums('sha224'),
  sha384sum: sums('sha384'),
  sha512sum: sums('sha512'),
  b2sum: sums('blake2b512'),
  openssl,
});
