import { createHash } from 'node:crypto';
import { termsOf } from '../memory-history/words.ts';
import { folded } from '../tools/convert.ts';
import { factsOf } from './loss.ts';

/** Words that stand in every text and say nothing of what it is about. */
const SMALL = new Set(
  'a an and are as at be by can do for from has have if in is it its of on or so that the then there this to use was when which with you your'.split(
    ' ',
  ),
);

/** Words that turn what is said into its opposite. */
const TURNS = new Set(
  'not no never don dont without avoid cannot instead only except unless disable disabled enable enabled before after'.split(
    ' ',
  ),
);

/** Whether a word, as the index knows it, says what a text is about. */
export function meansSomething(term: string): boolean {
  return !SMALL.has(term);
}

/** What of a text its likeness to others is measured by. */
export interface Likeness {
  /** Of the text without differences of case, white space and punctuation. */
  readonly hash: string;
  readonly terms: ReadonlySet<string>;
  /** Numbers, paths, addresses and code: what no paraphrase replaces. */
  readonly facts: ReadonlySet<string>;
  /** What must be the same in two texts that say the same, however alike they are. */
  readonly decisive: string;
}

export function likenessOf(text: string): Likeness {
  const all = termsOf(text);
  const facts = factsOf(text).map((fact) => folded(fact).toLowerCase());
  const turns = all.filter((term) => TURNS.has(term));
  return {
    hash: createHash('sha256').update(all.join(' ')).digest('hex'),
    terms: new Set(all.filter(meansSomething)),
    facts: new Set(facts),
    decisive: JSON.stringify([[...new Set(facts)].toSorted(), [...new Set(turns)].toSorted()]),
  };
}

/** Words in common, of all words of both: 0 to 100. */
export function jaccardPercent(a: Likeness, b: Likeness): number {
  const common = commonCount(a, b);
  const all = a.terms.size + b.terms.size - common;
  return all === 0 ? 0 : (common / all) * 100;
}

/** How much of `part` stands in `whole`, by its words: 0 to 100. */
export function containedPercent(part: Likeness, whole: Likeness): number {
  return part.terms.size === 0 ? 0 : (commonCount(part, whole) / part.terms.size) * 100;
}

/** Whether each of two texts knows a number, a path or a name that the other does not: not the same. */
export function tellApart(a: Likeness, b: Likeness): boolean {
  return hasMore(a, b) && hasMore(b, a);
}

function hasMore(a: Likeness, b: Likeness): boolean {
  return [...a.facts].some((fact) => !b.facts.has(fact));
}

function commonCount(a: Likeness, b: Likeness): number {
  let count = 0;
  for (const term of a.terms) if (b.terms.has(term)) count += 1;
  return count;
}
