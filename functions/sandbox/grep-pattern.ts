/** The expressions of `grep`: basic ones, where `+ ? | ( ) {` mean something behind a backslash only, and extended ones. */

/** A bracket expression, whole: a `]` at its beginning is one of its letters. */
const BRACKET = String.raw`\[\^?\]?(?:\[[:.=][^\]]*[:.=]\]|[^\]])*\]`;
const PIECES = new RegExp(`(${BRACKET})|\\\\([^])|([^])`, 'g');

/** `fo\+` and `fo\?`, which the interpreter takes for letters, by a count that it knows. */
export function counted(basic: string): string {
  return basic.replace(PIECES, (all: string, _bracket, escaped: string | undefined) => {
    if (escaped === '+') return String.raw`\{1,\}`;
    return escaped === '?' ? String.raw`\{0,1\}` : all;
  });
}

export type Kind = 'basic' | 'extended' | 'fixed';

/** The expression in JavaScript's words. */
export function scripted(pattern: string, kind: Kind): string {
  if (kind === 'fixed') return pattern.replace(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`);
  let is_first = true;
  return pattern.replace(
    PIECES,
    (all: string, bracket: string | undefined, escaped: string | undefined) => {
      const begins = is_first;
      is_first = kind === 'basic' && /^\\[(|]$/.test(all);
      if (bracket !== undefined) return bracketed(bracket);
      if (escaped !== undefined) return unescaped(escaped, kind);
      if (kind === 'basic' && (/[+?|(){}]/.test(all) || (all === '*' && begins))) return `\\${all}`;
      return all === '/' ? String.raw`\/` : all;
    },
  );
}

const classes: Readonly<Record<string, string>> = {
  alpha: 'a-zA-Z',
  digit: '0-9',
  alnum: 'a-zA-Z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  space: String.raw`\s`,
  blank: String.raw` \t`,
  punct: String.raw`!-\/:-@\[-\`{-~`,
  xdigit: 'a-fA-F0-9',
  print: String.raw`\x20-\x7e`,
  graph: String.raw`\x21-\x7e`,
  cntrl: String.raw`\x00-\x1f\x7f`,
};

function bracketed(bracket: string): string {
  const is_not = bracket.startsWith('[^');
  const inside = bracket.slice(is_not ? 2 : 1, -1);
  const letters = inside.replace(/\[:(\w+):\]|[[\]\\]/g, (all, name: string | undefined) => {
    return name === undefined ? `\\${all}` : (classes[name] ?? '');
  });
  return `[${is_not ? '^' : ''}${letters}]`;
}

function unescaped(letter: string, kind: Kind): string {
  if (letter === '<') return String.raw`\b(?=\w)`;
  if (letter === '>') return String.raw`\b(?<=\w)`;
  if (/[wWsSbB1-9]/.test(letter)) return `\\${letter}`;
  if (kind === 'basic' && /[+?|(){}]/.test(letter)) return letter;
  return /[.*+?^${}()|[\]\\/]/.test(letter) ? `\\${letter}` : letter;
}
