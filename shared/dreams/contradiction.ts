import { termsOf } from '../memory-history/words.ts';
import { folded } from '../tools/convert.ts';
import { meansSomething } from './likeness.ts';

/** One sentence, or what follows a colon in it, as far as its words tell what it states. */
export interface Statement {
  readonly text: string;
  /** All of the sentence, as it stands. */
  readonly sentence: string;
  /** Every word that means something, by its stem, and every value. */
  readonly words: ReadonlySet<string>;
  /** Numbers, paths and code; and names, which stand with a capital letter within a sentence. */
  readonly figures: ReadonlySet<string>;
  readonly names: ReadonlySet<string>;
  /** Of each phrase that it says no longer holds (`instead of …`, `no longer …`), the words. */
  readonly ended: readonly ReadonlySet<string>[];
  /** It says of itself that something has changed. */
  readonly tells_change: boolean;
  /** Of the heading that it stands under: what it is about, without saying so. */
  readonly about: ReadonlySet<string>;
}

/** With a bound: else a long run without a digit would be gone through from each of its characters. */
const VALUE =
  /`[^`\n]+`|https?:\/\/[^\s)>\]"']+|(?:\/[\w.@-]+){2,}|[\w@:./%-]{0,128}\d[\w@:./%,-]*/g;
const NAME = /(?<=\s["'(]?)\p{Lu}[\p{L}\p{M}-]+/gu;

/** What a sentence says of its manner, and not of what holds. */
const MANNER = new Set(
  'must should shall will need needs have has been please note always ever now today since currently again longer any more anymore instead rather than no not we our they them are were was be being'.split(
    ' ',
  ),
);

/** A phrase that has ended, up to the next mark that ends it. */
const ENDED =
  /\b(?:instead of|rather than|no longer|not) ((?:(?![,;!?]|[.:](?:\s|$)| any ?more\b| but\b| and\b).)+)( any ?more\b)?/gi;
const CHANGE =
  /\b(?:now|no longer|any ?more|instead of|rather than|from now on|has changed|have changed|changed)\b/i;

/** It says of what stands elsewhere: alone, nobody knows of what. */
const LEANS = /^(?:it|they|he|she|this|that|these|those|its|their|there|here)\b/i;

/** Fewer words than this in common are about nothing in particular. */
const COMMON_MIN = 3;
/** Of what an older sentence says beside what has ended, how much the newer one speaks of. */
const SUBJECT_PERCENT = 50;

/** The sentences of a text, each with the heading that it stands under. */
export function statementsOf(text: string): Statement[] {
  let about: ReadonlySet<string> = new Set();
  return text.split('\n').flatMap((line) => {
    const heading = /^\s*#+\s+(.*)$/.exec(line)?.[1];
    if (heading !== undefined) about = wordsOf(heading);
    const stands_under = heading === undefined ? about : new Set<string>();
    return (heading ?? line.replace(/^\s*(?:[-*]|\d+\.)\s+/, ''))
      .split(/(?<=[.!?])\s+/)
      .flatMap((sentence) =>
        sentence
          .split(/(?<=:)\s+/)
          .filter((part) => part.trim() !== '')
          .map((part) => statementOf(part.trim(), sentence.trim(), stands_under)),
      );
  });
}

function statementOf(text: string, sentence: string, about: ReadonlySet<string>): Statement {
  const ended = [...folded(text).matchAll(ENDED)]
    // A bare "not" forbids; only with "any more" does it end what held.
    .filter(([all, , more]) => !/^not\b/i.test(all) || more !== undefined)
    .map(([, phrase = '']) => wordsOf(phrase))
    .filter((words) => words.size > 0);
  const plain = text.replaceAll(VALUE, (value) => ' '.repeat(value.length));
  return {
    text,
    sentence,
    words: wordsOf(text),
    figures: new Set(figuresIn(text)),
    names: new Set((plain.match(NAME) ?? []).map(stemOf)),
    ended,
    tells_change: CHANGE.test(text),
    about,
  };
}

function figuresIn(text: string): string[] {
  const found = folded(text).match(VALUE) ?? [];
  return found.map((value) => value.toLowerCase().replaceAll(/^[`.,:;/-]+|[`.,:;-]+$/g, ''));
}

function wordsOf(text: string): Set<string> {
  const rest = folded(text).replaceAll(VALUE, ' ');
  const words = termsOf(rest)
    .filter((term) => meansSomething(term) && !MANNER.has(term))
    .map(stemOf);
  return new Set([...words, ...figuresIn(text)]);
}

function stemOf(word: string): string {
  const small = word.toLowerCase();
  return small.length <= 4 ? small : small.replace(/(?:ing|ed|es|s|e)$/, '');
}

/**
 * Whether two statements cannot both hold, by their words alone: the newer one says that what the
 * older one states has ended, or both are the same words but for one number, path or name. It errs to
 * the side of no: what only a reader can see is left to the model.
 */
export function contradicts(newer: Statement, older: Statement): boolean {
  if (LEANS.test(older.text) || !isAbout(newer, older) || !isAbout(older, newer)) return false;
  return endsIt(newer, older) || differsInOne(newer, older);
}

/** What stands under a heading is about it; the other must speak of it, too: of all of a short one. */
function isAbout(one: Statement, { about }: Statement): boolean {
  if (about.size === 0) return true;
  const wanted = about.size <= 3 ? about.size : about.size / 2;
  return common(about, union(one.words, one.about)) >= wanted;
}

function endsIt(newer: Statement, older: Statement): boolean {
  return newer.ended.some((ended) => {
    if (common(ended, older.words) < ended.size) return false;
    const subject = without(older.words, ended);
    const said = common(subject, newer.words);
    return said >= 2 && said * 100 >= subject.size * SUBJECT_PERCENT;
  });
}

function differsInOne(newer: Statement, older: Statement): boolean {
  for (const kind of ['figures', 'names'] as const) {
    const own = without(newer[kind], older.words);
    const other = without(older[kind], newer.words);
    if (!isOneValue(own, newer.text) || !isOneValue(other, older.text)) continue;
    const said = without(newer.words, own);
    const held = without(older.words, other);
    const shared = common(said, held);
    if (shared < COMMON_MIN || shared < held.size) continue;
    // More words may tell another case apart, unless they tell of a change.
    if (said.size === held.size || newer.tells_change) return true;
  }
  return false;
}

/** One value, a name of two words, or one range: two that stand apart tell two cases apart. */
function isOneValue(values: ReadonlySet<string>, text: string): boolean {
  if (values.size !== 2) return values.size === 1;
  const small = folded(text).toLowerCase();
  const [first = '', second = ''] = [...values].toSorted(
    (a, b) => small.indexOf(a) - small.indexOf(b),
  );
  const between = small.slice(small.indexOf(first) + first.length, small.indexOf(second));
  return /^\p{L}* ?(?:(?:to|and|until|-|–) )?$/u.test(between);
}

function without(words: ReadonlySet<string>, gone: ReadonlySet<string>): Set<string> {
  return new Set([...words].filter((word) => !gone.has(word)));
}

function union(a: ReadonlySet<string>, b: ReadonlySet<string>): Set<string> {
  return new Set([...a, ...b]);
}

function common(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let count = 0;
  for (const word of a) if (b.has(word)) count += 1;
  return count;
}
