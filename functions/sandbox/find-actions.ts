import { CommandFailure } from './command.ts';
import type { Maker } from './find-expression.ts';
import type { Found, Search, Test } from './find.ts';
import { diskKib, OWNER, permissions } from './stat.ts';

/** What `find` does with a file. Each answers too, so that `-exec grep -q x {} \; -print` asks first. */

const action = (test: Test): Maker => ({ operands: 0, make: () => test, acts: true });

const say =
  (end: string): Test =>
  ({ path }, search) => {
    search.say(`${path}${end}`);
    return true;
  };

const remove: Test = async ({ path, whole, stat }, search) => {
  // The starting point itself is never meant.
  if (path === '.') return true;
  try {
    await search.ctx.fs.rm(whole);
    return true;
  } catch (error) {
    const is_full = stat.isDirectory && (error as { code?: string }).code === 'ENOTEMPTY';
    const why = is_full ? 'Directory not empty' : (error as Error).message;
    search.failed(`cannot delete '${path}': ${why}`);
    return false;
  }
};

/** Up to `;`, or to `+` behind `{}`. */
function lengthOf(words: readonly string[]): number {
  const end = words.findIndex(
    (word, at) => word === ';' || (word === '+' && words[at - 1] === '{}'),
  );
  if (end === -1) throw new CommandFailure("missing argument to `-exec'");
  return end + 1;
}

/** @param is_inside In the folder that the file stands in, with its name alone (`-execdir`). */
const exec = (is_inside: boolean): Maker => ({
  operands: lengthOf,
  acts: true,
  make: (words) => {
    const command = words.slice(0, -1);
    if (command.length === 0) throw new CommandFailure("invalid argument ';' to '-exec'");
    if (words.at(-1) === '+' && !is_inside) return gathered(command.slice(0, -1));
    return async (found, search) => {
      const cut = found.whole.lastIndexOf('/');
      const cwd = is_inside ? found.whole.slice(0, cut) || '/' : search.ctx.cwd;
      const name = is_inside ? `./${found.whole.slice(cut + 1)}` : found.path;
      const filled = command.map((word) => word.replaceAll('{}', name));
      return (await search.run(filled, cwd)) === 0;
    };
  },
});

function gathered(command: readonly string[]): Test {
  const paths: string[] = [];
  return ({ path }, search) => {
    paths.push(path);
    search.atEnd.set(paths, async () => {
      const status = await search.run([...command, ...paths], search.ctx.cwd);
      if (status !== 0) search.exit_code = 1;
    });
    return true;
  };
}

const printf: Maker = {
  operands: 1,
  acts: true,
  make: ([format = '']) => {
    const pieces = [...format.matchAll(PIECES)];
    return async (found, search) => {
      for (const piece of pieces) search.say(await shown(piece, found, search));
      return true;
    };
  },
};

const PIECES = /%([-0# +]*)(\d*)(?:\.\d+)?(T.|[a-zA-Z%])|\\([0-7]{1,3}|.)|[^%\\]+|[^]/gs;
const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\u0007',
  b: '\b',
  f: '\f',
  v: '\v',
  '\\': '\\',
};

async function shown(piece: RegExpExecArray, found: Found, search: Search): Promise<string> {
  const [all, flags = '', width = '', letter, escaped] = piece;
  if (escaped !== undefined) {
    return /^[0-7]/.test(escaped)
      ? String.fromCharCode(Number.parseInt(escaped, 8))
      : (escapes[escaped] ?? all);
  }
  if (letter === undefined) return all;
  const value = await valueOf(letter, found, search);
  if (value === undefined) throw new CommandFailure(`-printf: '${all}' is not known here`);
  if (flags.includes('-')) return value.padEnd(Number(width));
  return value.padStart(Number(width), flags.includes('0') ? '0' : ' ');
}

async function valueOf(letter: string, found: Found, search: Search): Promise<string | undefined> {
  const { path, start, depth, stat, whole } = found;
  const time = timesOf(stat.mtime);
  if (letter.startsWith('T')) return time[letter.slice(1)];
  if (letter === 'l') return stat.isSymbolicLink ? await search.ctx.fs.readlink(whole) : '';
  const plain = path.replace(/(?<=.)\/+$/, '');
  const cut = plain.lastIndexOf('/');
  const values: Readonly<Record<string, string>> = {
    p: path,
    f: plain.slice(cut + 1) || '/',
    h: cut === -1 ? '.' : plain.slice(0, cut),
    H: start,
    P: path.slice(start.length).replace(/^\/+/, ''),
    s: String(stat.size),
    d: String(depth),
    m: (stat.mode & 0o7777).toString(8),
    M: permissions(stat),
    y: permissions(stat).charAt(0).replace('-', 'f'),
    u: OWNER,
    g: OWNER,
    U: '1000',
    G: '1000',
    n: '1',
    k: String(diskKib(stat.size)),
    b: String(diskKib(stat.size) * 2),
    t: time['c'] ?? '',
    a: time['c'] ?? '',
    c: time['c'] ?? '',
    '%': '%',
  };
  return values[letter];
}

/** The letters behind `%T`. */
function timesOf(time: Date): Readonly<Record<string, string>> {
  const [day = '', clock = ''] = time.toISOString().slice(0, -1).split('T');
  const [Y = '', m = '', d = ''] = day.split('-');
  const [H = '', M = '', seconds = ''] = clock.split(':');
  const S = seconds.padEnd(13, '0');
  const [a = '', , b = ''] = time.toUTCString().split(/,? /);
  const fraction = S.slice(2);
  return {
    Y,
    m,
    d,
    H,
    M,
    S,
    a,
    b,
    y: Y.slice(2),
    F: day,
    T: `${H}:${M}:${S}`,
    R: `${H}:${M}`,
    '@': `${Math.floor(time.getTime() / 1_000)}${fraction}`,
    '+': `${day}+${H}:${M}:${S}`,
    D: `${m}/${d}/${Y.slice(2)}`,
    j: String(Math.floor((time.getTime() - Date.UTC(Number(Y), 0, 1)) / 86_400_000) + 1).padStart(
      3,
      '0',
    ),
    c: `${a} ${b} ${String(Number(d)).padStart(2)} ${H}:${M}:${S} ${Y}`,
  };
}

export const actions: Readonly<Record<string, Maker>> = {
  '-print': action(say('\n')),
  '-print0': action(say('\0')),
  '-printf': printf,
  '-exec': exec(false),
  '-execdir': exec(true),
  '-delete': action(remove),
  '-prune': {
    operands: 0,
    make: () => (_, search) => {
      search.is_pruned = true;
      return true;
    },
  },
  '-quit': action((_, search) => {
    search.is_over = true;
    return true;
  }),
};
