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

/** Words that turn what is said into its opposite, in the languages that the rules for orders know, and Arabic. */
const TURNS = new Set(
  termsOf(
    [
      'not no never don dont without avoid cannot instead only except unless disable disabled enable enabled before after',
      'nicht nie niemals kein keine keinen keinem keiner keines ohne nur außer ausser statt anstatt vor nach',
      'ne pas jamais sans sauf seulement aucun aucune rien avant après',
      'nunca jamás sin sem não solo sólo solamente apenas excepto exceto antes después depois ninguno ninguna ningún nenhum nenhuma',
      'non mai senza soltanto tranne prima dopo nessun nessuna niet nooit geen zonder alleen behalve voor na',
      'не нет ни никогда без только кроме до после ні ніколи лише тільки крім після',
      'لا لم لن ليس ليست بدون دون غير إلا فقط قبل بعد',
    ].join(' '),
  ),
);

/** The same where a script has no spaces: of every two neighbouring characters. */
const UNSPACED_TURN =
  /[不没沒未勿無无禁別别莫非]|ない|なく|なか|なけ|なし|ませ|せん|せず|ずに|のみ|だけ|以外/u;

function turns(term: string): boolean {
  return TURNS.has(term) || UNSPACED_TURN.test(term);
}

/** Words that say the same more loudly. */
const LOUD = new Set(
  termsOf(
    'always ever remember please note must should need needs immer stets bitte unbedingt toujours siempre sempre altijd всегда завжди دائما',
  ),
);

/** Whether a word, as the index knows it, says what a text is about. */
export function meansSomething(term: string): boolean {
  return !SMALL.has(term);
}

/** What of a text its likeness to others is measured by. */
export interface Likeness {
  /** Of the text without differences that say nothing: see {@link plain}. */
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
  return {
    hash: createHash('sha256').update(plain(text)).digest('hex'),
    terms: new Set(all.filter(meansSomething)),
    facts: new Set(facts),
    decisive: JSON.stringify([
      [...new Set(facts)].toSorted(),
      [...new Set(all.filter(turns))].toSorted(),
    ]),
  };
}

/** Code, paths, and words with a digit or with capitals inside. */
const AS_IT_STANDS = /[`/\d]|\p{Ll}\p{Lu}/u;

/**
 * A text without what may differ where two say the same: case, white space, what ends a sentence, quotation
 * marks and the marks of Markdown. Signs stay (`<` and `>`, `C++` and `C#`, `-5` and 5), and so do accents,
 * indentation, and capitals where they are part of a name.
 */
function plain(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const margin = Math.min(...lines.map((line) => line.search(/\S/)));
  return lines
    .map((line) => {
      const [, indent = '', rest = ''] = /^([ \t]*)(.*)/.exec(line.slice(margin)) ?? [];
      const words = folded(rest.replace(/^(?:[-*•]|#{1,6})[ \t]+(?!\d)/, ''));
      return indent === '' ? words : `\n${indent}${words}`;
    })
    .join(' ')
    .replaceAll(/\S+/g, (word) => (AS_IT_STANDS.test(word) ? word : word.toLowerCase()))
    .replaceAll('`', '')
    .replaceAll(/(?<=^|\s)["'*_]+|(?<!["'*_.,;:!。、])["'*_.,;:!。、]+(?=\s|$)/g, '');
}

/**
 * Whether a text has a word that another has in no form: a customer, a place, a day. Then it may be about
 * something else, however alike the two are.
 */
export function hasOwnWord({ terms }: Likeness, other: Likeness): boolean {
  const known = [...other.terms];
  return [...terms].some(
    (term) =>
      !other.terms.has(term) && !LOUD.has(term) && !known.some((each) => isFormOf(term, each)),
  );
}

/** Shorter beginnings are those of other words, too. */
const STEM_CHARS_MIN = 4;

/** Whether two words differ in their endings alone. */
function isFormOf(a: string, b: string): boolean {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  const stem_chars = Math.max(STEM_CHARS_MIN, Math.ceil((long.length * 2) / 3));
  return short.length >= stem_chars && long.startsWith(short.slice(0, stem_chars));
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
