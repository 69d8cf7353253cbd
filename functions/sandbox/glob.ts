/**
 * Glob patterns, matched in time that grows with pattern × path and never faster: `*a*a*a*b` on a
 * long name costs a regular expression (and with it `path.matchesGlob`) seconds, and ours nothing.
 * Known: `*`, `?`, `[a-z]`, `[!a-z]`, `{a,b}`, and `**` for any number of folders.
 */

/** `{a,b}` multiplies patterns; nobody means more than this. */
const ALTERNATIVES_MAX = 256;

/** @returns a test for paths relative to the search's folder. @throws Error for too many braces. */
export function globMatcher(pattern: string): (path: string) => boolean {
  const alternatives = expandBraces(pattern).map((one) => one.split('/').map(partMatcher));
  return (path) => {
    const names = path.split('/');
    return alternatives.some((parts) => matchesParts(parts, names));
  };
}

/** A test for whole texts by one pattern without braces, to which a slash is one letter of many. */
export function textMatcher(pattern: string): (text: string) => boolean {
  const tokens = tokensOf(pattern);
  return (text) => matchesTokens(tokens, Array.from(text));
}

type Part = '**' | ((name: string) => boolean);

/** Rows of a table: which numbers of `names` the parts so far can have used up. */
function matchesParts(parts: readonly Part[], names: readonly string[]): boolean {
  let reached = new Set([0]);
  for (const part of parts) {
    const next = new Set<number>();
    if (part === '**') {
      const first = Math.min(...reached);
      for (let at = first; at <= names.length; at++) next.add(at);
    } else {
      for (const at of reached) {
        const name = names[at];
        if (name !== undefined && part(name)) next.add(at + 1);
      }
    }
    if (next.size === 0) return false;
    reached = next;
  }
  return reached.has(names.length);
}

type Token = { readonly many: true } | { readonly many: false; accepts(char: string): boolean };

function partMatcher(part: string): Part {
  if (part === '**') return '**';
  const tokens = tokensOf(part);
  return (name) => matchesTokens(tokens, Array.from(name));
}

function matchesTokens(tokens: readonly Token[], chars: readonly string[]): boolean {
  let reached = [true, ...chars.map(() => false)];
  for (const token of tokens) {
    const next = chars.map(() => false);
    next.unshift(token.many && reached[0] === true);
    for (const [index, char] of chars.entries()) {
      next[index + 1] = token.many
        ? next[index] === true || reached[index + 1] === true
        : reached[index] === true && token.accepts(char);
    }
    reached = next;
  }
  return reached[chars.length] === true;
}

function tokensOf(part: string): Token[] {
  const tokens: Token[] = [];
  const chars = Array.from(part);
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at];
    const end = char === '[' ? chars.indexOf(']', at + 2) : -1;
    if (char === '*') tokens.push({ many: true });
    else if (char === '?') tokens.push({ many: false, accepts: () => true });
    else if (end !== -1) {
      tokens.push({ many: false, accepts: classOf(chars.slice(at + 1, end)) });
      at = end;
    } else {
      const literal = char === '\\' && at + 1 < chars.length ? chars[++at] : char;
      tokens.push({ many: false, accepts: (found) => found === literal });
    }
  }
  return tokens;
}

/** The inside of `[…]`. */
function classOf(inside: readonly string[]): (char: string) => boolean {
  const is_negated = inside[0] === '!' || inside[0] === '^';
  const items = is_negated ? inside.slice(1) : inside;
  const ranges: [string, string][] = [];
  for (let at = 0; at < items.length; at++) {
    const from = items[at] ?? '';
    const to = items[at + 1] === '-' ? items[at + 2] : undefined;
    ranges.push([from, to ?? from]);
    if (to !== undefined) at += 2;
  }
  return (char) => ranges.some(([from, to]) => from <= char && char <= to) !== is_negated;
}

/** `a{b,c{d,e}}f` → `abf`, `acdf`, `acef`. A brace without a partner stands for itself. */
function expandBraces(pattern: string): string[] {
  const done: string[] = [];
  const open = [pattern];
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    const brace = innermostBrace(one);
    if (brace === undefined) done.push(one);
    else for (const option of brace.options) open.push(`${brace.before}${option}${brace.after}`);
    if (done.length + open.length > ALTERNATIVES_MAX) {
      throw new Error(`the braces of the pattern stand for more than ${ALTERNATIVES_MAX} patterns`);
    }
  }
  return done;
}

function innermostBrace(pattern: string) {
  const end = pattern.indexOf('}');
  const start = end === -1 ? -1 : pattern.lastIndexOf('{', end);
  if (start === -1) return undefined;
  const options = pattern.slice(start + 1, end).split(',');
  return { before: pattern.slice(0, start), options, after: pattern.slice(end + 1) };
}
