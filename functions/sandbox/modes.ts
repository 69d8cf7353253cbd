import { CommandFailure } from './command.ts';

/** Modes as they are said: `755`, `u=rwx,go=rx`, `+x`. */

/** What a new file or folder does not get: the sandbox's files are made so, whatever a script asks for. */
export const UMASK = 0o022;

const CLAUSE = /^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)$/;
const STEP = /([-+=])([ugo]|[rwxXst]*)/g;
const shifts: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 };
const bits: Readonly<Record<string, number>> = { r: 4, w: 2, x: 1 };

/** What a mode is said of. */
export interface Before {
  readonly mode: number;
  readonly is_folder: boolean;
  /** What `+x` without `u`, `g`, `o` or `a` leaves out. */
  readonly umask: number;
}

/** The mode that a text makes of the one before. @throws CommandFailure for what is no mode */
export function modeOf(text: string, before: Before): number {
  if (/^[0-7]{1,5}$/.test(text) && Number.parseInt(text, 8) <= 0o7777) {
    return Number.parseInt(text, 8);
  }
  let { mode } = before;
  for (const clause of text.split(',')) {
    const [, who = '', steps] = CLAUSE.exec(clause) ?? [];
    if (steps === undefined) throw new CommandFailure(`invalid mode '${text}'`);
    for (const [, sign = '', what = ''] of steps.matchAll(STEP)) {
      mode = stepped({ who, sign, what }, { ...before, mode });
    }
  }
  return mode;
}

interface Step {
  readonly who: string;
  readonly sign: string;
  readonly what: string;
}

function stepped({ who, sign, what }: Step, before: Before): number {
  const letters = who === '' || who.includes('a') ? ['u', 'g', 'o'] : Array.from(who);
  const masked = who === '' ? before.umask : 0;
  let { mode } = before;
  for (const letter of letters) {
    const shift = shifts[letter] ?? 0;
    const set = (bitsOf(what, before) << shift) & ~masked;
    if (sign === '-') mode &= ~set;
    else mode = (sign === '=' ? mode & ~(7 << shift) : mode) | set;
  }
  return mode;
}

/** `g` in `u=g` is what the group may; `X` is `x` where somebody may already, and for folders. */
function bitsOf(what: string, { mode, is_folder }: Before): number {
  const copied = shifts[what];
  if (copied !== undefined) return (mode >> copied) & 7;
  const opens = what.includes('X') && (is_folder || (mode & 0o111) !== 0) ? 1 : 0;
  return Array.from(what).reduce((sum, letter) => sum | (bits[letter] ?? 0), opens);
}
