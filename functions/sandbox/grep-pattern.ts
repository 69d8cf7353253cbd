/** The expressions of `grep`: basic ones, where `+ ? | ( ) {` mean something behind a backslash only, and extended ones. */

/** A bracket expression, whole: a `]` at its beginning is one of its letters. */
const BRACKET = String.raw`\[\^?\]?(?:\[[:.=][^\]]*[:.=]\]|[^\]])*\]`;
const PIECES = new RegExp(`(${BRACKET})|\\\\([^])|([^])`, 'g');

/** `fo\+`, `fo\?`, `\<fo\>` and `o{,2}`, which the interpreter takes for letters, by what it knows. */
export function counted(pattern: string, kind: Kind | 'perl'): string {
  if (kind === 'perl' || kind === 'fixed') return pattern;
  const known = pattern.replace(PIECES, (all: string, _bracket, escaped: string | undefined) => {
    if (escaped === '<' || escaped === '>') return String.raw`\b`;
    if (kind === 'extended') return all;
    if (escaped === '+') return String.raw`\{1,\}`;
    return escaped === '?' ? String.raw`\{0,1\}` : all;
  });
  return kind === 'basic' ? known : known.replace(/(?<!\\)\{,(?=\d+\})/g, '{0,');
}

export type Kind = 'basic' | 'extended' | 'fixed';

/** The expression in JavaScript's words. */
export function scripted(pattern: string, kind: Kind): string {
  if (kind === 'fixed') return literal(pattern);
  const write = kind === 'basic' ? writtenBasic : writtenExtended;
  let begins = true;
  const words: string[] = [];
  for (const { 0: all, 1: count, 2: bracket, 3: escaped, index } of pattern.matchAll(WORDS)) {
    const behind = pattern.slice(index + all.length);
    if (bracket !== undefined) words.push(bracketed(bracket));
    else if (escaped !== undefined) words.push(unescaped(escaped, kind));
    else if (count !== undefined && kind === 'extended') words.push(count.replace('{,', '{0,'));
    else words.push(...Array.from(all, (letter) => write(letter, { begins, behind })));
    begins = /^\\[(|]$/.test(all);
  }
  return words.join('');
}

/** A count of an extended expression, or a piece of any. */
const WORDS = new RegExp(`(\\{\\d*(?:,\\d*)?\\})|${PIECES.source}`, 'g');

interface Place {
  readonly begins: boolean;
  readonly behind: string;
}

/** In a basic one a star at the beginning is a star, and an edge is one at the edge only. */
function writtenBasic(letter: string, { begins, behind }: Place): string {
  const is_edge = letter === '^' ? begins : letter === '$' && /^(\\[)|]|$)/.test(behind);
  return is_edge || letter === '.' || (letter === '*' && !begins) ? letter : literal(letter);
}

const writtenExtended = (letter: string): string =>
  /[\]{}]/.test(letter) ? literal(letter) : letter;

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`);

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
  if (/[wWsSdDbB1-9]/.test(letter)) return `\\${letter}`;
  return kind === 'basic' && /[+?|(){}]/.test(letter) ? letter : literal(letter);
}
