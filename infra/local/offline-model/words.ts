/** Words that say nothing of what a text is about. */
const SMALL = new Set(
  'a an and are as at be by can do for from has have if in is it its of on or so that the then there this to was when which with you your'.split(
    ' ',
  ),
);

/** What can make two sentences of the same words say something else: numbers, code, negations. */
const DECISIVE = /`[^`\n]+`|[\w:./-]*\d[\w:./-]*|\b(?:not|no|never|without|instead|only)\b/g;

function wordsOf(text: string): Set<string> {
  const all = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return new Set(all.filter((word) => !SMALL.has(word)));
}

function commonCount(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  return [...a].filter((word) => b.has(word)).length;
}

/** Words in common, of all words of both: 0 to 100. */
export function likePercent(a: string, b: string): number {
  const [left, right] = [wordsOf(a), wordsOf(b)];
  const common = commonCount(left, right);
  const all = left.size + right.size - common;
  return all === 0 ? 0 : (common / all) * 100;
}

/** How much of `part` stands in `whole`, by its words: 0 to 100. */
export function containedPercent(part: string, whole: string): number {
  const words = wordsOf(part);
  return words.size === 0 ? 0 : (commonCount(words, wordsOf(whole)) / words.size) * 100;
}

/** The same in two texts that can both hold. */
export function decisiveIn(text: string): string {
  const found = text.toLowerCase().match(DECISIVE) ?? [];
  return [...new Set(found.map((fact) => fact.replace(/[.,:;]+$/, '')))].toSorted().join(' ');
}

/** A memory without its front matter and what the platform writes below it. */
export function ownWords(text: string): string {
  const [words = ''] = text.split('<!-- reverie:sources -->');
  const front = /^---\n([^]*?)\n---\n/.exec(words);
  if (front === null) return words;
  const told = [...(front[1] ?? '').matchAll(/^(?:title|situation): "(.*)"$/gm)];
  return [...told.map(([, value]) => value), words.slice(front[0].length)].join('\n');
}
