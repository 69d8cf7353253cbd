import type { CommandContext } from 'just-bash';
import {
  CommandFailure,
  commands,
  delivered,
  inputOf,
  optionsOf,
  quoted,
  said,
  type Execute,
} from './command.ts';

/** What scripts ask of the machine that they run on, and the wrappers that they put before a command. */

const machine: Readonly<Record<string, string>> = {
  s: 'Linux',
  n: 'sandbox',
  r: '6.1.0',
  v: '#1 SMP',
  m: 'x86_64',
  p: 'x86_64',
  i: 'x86_64',
  o: 'GNU/Linux',
};

const uname: Execute = async (args) => {
  const long = {
    a: 'all',
    s: 'kernel-name',
    n: 'nodename',
    r: 'kernel-release',
    m: 'machine',
    o: 'operating-system',
  };
  const { has } = optionsOf(args, { flags: 'asnrvmpio', long });
  const asked = Object.keys(machine).filter((letter) =>
    has('a') ? !'pi'.includes(letter) : has(letter),
  );
  return said(
    `${(asked.length === 0 ? ['s'] : asked).map((letter) => machine[letter]).join(' ')}\n`,
  );
};

const id: Execute = async (args) => {
  const { has } = optionsOf(args, { flags: 'ugGnr' });
  if (has('u') || has('g') || has('G')) return said(has('n') ? 'user\n' : '1000\n');
  return said('uid=1000(user) gid=1000(user) groups=1000(user)\n');
};

/** `$NAME` and `${NAME}` of the standard input, or of them only those that an operand names. */
const envsubst: Execute = async (args, ctx) => {
  const [format] = args;
  const VARIABLE = /\$(?:\{([a-z_]\w*)\}|([a-z_]\w*))/gi;
  const named =
    format === undefined
      ? undefined
      : new Set([...format.matchAll(VARIABLE)].map((one) => one[1] ?? one[2]));
  const text = (await inputOf(ctx)).toString('utf8');
  const exported = ctx.exportedEnv ?? {};
  return said(
    text.replace(VARIABLE, (whole, braced?: string, bare?: string) => {
      const name = braced ?? bare ?? '';
      if (named !== undefined && !named.has(name)) return whole;
      return Object.hasOwn(exported, name) ? (exported[name] ?? '') : '';
    }),
  );
};

/** Encodings that can be written; whatever Node's decoder knows can be read. */
const encoders: Readonly<Record<string, (text: string) => Buffer>> = {
  utf8: (text) => Buffer.from(text),
  utf16: (text) => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]),
  utf16le: (text) => Buffer.from(text, 'utf16le'),
  utf16be: (text) => Buffer.from(text, 'utf16le').swap16(),
};
const narrow: Readonly<Record<string, number>> = {
  latin1: 255,
  iso88591: 255,
  ascii: 127,
  usascii: 127,
};

const iconv: Execute = async (args, ctx) => {
  const long = { f: 'from-code', t: 'to-code', o: 'output' };
  const { operands, has, value } = optionsOf(args, { flags: 'cs', valued: 'fto', long });
  const inputs = operands.length === 0 ? ['-'] : operands;
  const bytes = Buffer.concat(await Promise.all(inputs.map((name) => inputOf(ctx, name))));
  const text = decoded(bytes, value('f') ?? 'utf-8', has('c'));
  const out = encoded(text, value('t') ?? 'utf-8', has('c'));
  return await delivered(out, value('o'), ctx);
};

function decoded(bytes: Buffer, from: string, is_lenient: boolean): string {
  // WHATWG takes latin1 for windows-1252.
  if (/^(iso[-_]?8859[-_]?1|latin-?1|l1)$/i.test(from)) return bytes.toString('latin1');
  const label = /^utf-?(16|8)(le|be)?$/i.test(from) ? from.replace(/^utf-?/i, 'utf-') : from;
  try {
    const text = new TextDecoder(label, { fatal: !is_lenient, ignoreBOM: false }).decode(bytes);
    return is_lenient ? text.replaceAll('\ufffd', '') : text;
  } catch (error) {
    if (error instanceof RangeError)
      throw new CommandFailure(`conversion from '${from}' is not known here: use python3`);
    throw new CommandFailure(`the input is not ${from}`);
  }
}

function encoded(text: string, to: string, is_lenient: boolean): Buffer {
  const [name = '', ...how] = to.toLowerCase().split('//');
  const key = name.replace(/[-_]/g, '');
  const encode = Object.hasOwn(encoders, key) ? encoders[key] : undefined;
  if (encode !== undefined) return encode(text);
  const highest = Object.hasOwn(narrow, key) ? narrow[key] : undefined;
  if (highest === undefined)
    throw new CommandFailure(`conversion to '${to}' is not known here: use python3`);
  const is_ignoring = is_lenient || how.includes('ignore');
  const letters = Array.from(text, (letter) => {
    if ((letter.codePointAt(0) ?? 0) <= highest) return letter;
    if (how.includes('translit')) return plainOf(letter, highest);
    if (is_ignoring) return '';
    throw new CommandFailure(`'${letter}' is not in ${name}: -c or //TRANSLIT leave it out`);
  });
  return Buffer.from(letters.join(''), 'latin1');
}

/** A letter without its accents, or `?`. */
function plainOf(letter: string, highest: number): string {
  const [base = '?'] = Array.from(letter.normalize('NFKD'));
  return (base.codePointAt(0) ?? 0) <= highest ? base : '?';
}

/** A command that runs another one, without what it would do to a real process. */
const wrapper =
  (isOwn: (arg: string, before: string | undefined) => boolean): Execute =>
  async (args, ctx) => {
    const at = args.findIndex((arg, nth) => !isOwn(arg, args[nth - 1]));
    if (at === -1) throw new CommandFailure('a command is missing', 125);
    return await run(args.slice(at), ctx);
  };

async function run(words: string[], { exec, cwd, stdin, signal }: CommandContext) {
  if (exec === undefined) throw new Error('a command runs in a shell');
  const input = { stdin: stdin as unknown as string, stdinKind: 'bytes' as const };
  const ends = signal === undefined ? {} : { signal };
  return await exec(words.map(quoted).join(' '), { cwd, ...input, ...ends });
}

export const systems = commands({
  uname,
  id,
  arch: async () => said('x86_64\n'),
  nproc: async () => said('1\n'),
  envsubst,
  iconv,
  nohup: wrapper(() => false),
  stdbuf: wrapper((arg, before) => arg.startsWith('-') || /^-[ioe]$/.test(before ?? '')),
  nice: wrapper((arg, before) => arg.startsWith('-') || before === '-n'),
});
