/** A word of a text as the index knows it, and where it stands (UTF-16 units, as in JavaScript). */
export interface Word {
  readonly term: string;
  readonly start: number;
  readonly end: number;
}

/** Letters, digits and the marks that belong to them, of every script. */
const RUN = /[\p{L}\p{N}\p{M}]+/gu;

/** Scripts that are written without spaces: a run of them is no word. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]+/gu;

/** Nobody searches for more of what is not a word anyway: hashes, data in base64. */
const TERM_CHARS_MAX = 64;

/**
 * The words of a text. Where a script has no spaces, every two neighbouring characters are a word,
 * as is one that stands alone: texts and queries are cut alike, so they meet.
 */
export function wordsOf(text: string): Word[] {
  const words: Word[] = [];
  const has_unspaced = text.search(UNSPACED) !== -1;
  for (const { 0: run, index } of text.matchAll(RUN)) {
    if (has_unspaced) words.push(...cut(run, index));
    else words.push({ term: fold(run), start: index, end: index + run.length });
  }
  return words;
}

/** The words alone. */
export function termsOf(text: string): string[] {
  if (text.search(UNSPACED) === -1) return (text.match(RUN) ?? []).map(fold);
  return wordsOf(text).map(({ term }) => term);
}

/** A run of letters in its spaced and unspaced parts. */
function cut(run: string, offset: number): Word[] {
  const words: Word[] = [];
  const add = (start: number, end: number): void => {
    const term = fold(run.slice(start, end));
    words.push({ term, start: offset + start, end: offset + end });
  };
  let done = 0;
  for (const { 0: part, index } of run.matchAll(UNSPACED)) {
    if (index > done) add(done, index);
    for (const [start, end] of pairsOf(part)) add(index + start, index + end);
    done = index + part.length;
  }
  if (run.length > done) add(done, run.length);
  return words;
}

/** Every two neighbouring characters, or the only one. */
function pairsOf(part: string): [start: number, end: number][] {
  const edges = [0];
  for (const char of part) edges.push((edges.at(-1) ?? 0) + char.length);
  if (edges.length === 2) return [[0, part.length]];
  return edges.slice(2).map((end, index) => [edges[index] ?? 0, end]);
}

/** One form for what people take for the same: case, width, ligatures, accents of European letters. */
function fold(word: string): string {
  const short = word.slice(0, TERM_CHARS_MAX);
  if (/^[\da-z]+$/.test(short)) return short;
  return short
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .normalize('NFKC')
    .toLowerCase();
}
