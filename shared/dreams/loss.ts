import { termsOf } from '../memory-history/words.ts';
import { parsePlaybook } from '../playbooks/playbook.ts';
import { splitTrailer } from '../playbooks/trailer.ts';
import { folded } from '../tools/convert.ts';

/** What a change leaves out of what was known, beyond what it names. */
export interface Loss {
  /** Of the different words of the texts before. */
  readonly percent: number;
  /** Numbers, paths, addresses and code that are gone: single tokens that no paraphrase replaces. */
  readonly facts: readonly string[];
}

/**
 * Compare by words and not by length, so that putting duplicates together loses nothing, and cutting
 * a text down to a sentence does, however often it is repeated.
 *
 * @param named Passages that the change says it leaves out.
 */
export function lossOf(
  befores: readonly string[],
  after: string,
  named: readonly string[] = [],
): Loss {
  const before = befores.map(ownWords).join('\n');
  const rest = [ownWords(after), ...named].join('\n');
  const known = new Set(termsOf(before));
  const left = new Set(termsOf(rest));
  const gone = [...known].filter((term) => !left.has(term));
  const whole = folded(rest);
  return {
    percent: known.size === 0 ? 0 : (gone.length / known.size) * 100,
    facts: factsOf(before).filter((fact) => !whole.includes(fact)),
  };
}

/** A memory without what code writes into it: front matter, but for what it says, and sources. */
export function ownWords(text: string): string {
  const { body } = splitTrailer(text);
  const playbook = parsePlaybook(body);
  if ('fault' in playbook) return body;
  const { title, situation } = playbook.facts;
  return [title, situation, playbook.body].join('\n');
}

/** With a bound: else a long run without a digit would be gone through from each of its characters. */
const FACTS =
  /`[^`\n]{2,}`|https?:\/\/[^\s)>\]"']+|(?:\/[\w.@-]+){2,}|[\w@:./-]{0,128}\d[\w@:./%-]*/g;

/** Tokens of a text that no paraphrase replaces. */
export function factsOf(text: string): string[] {
  const found = folded(text).match(FACTS) ?? [];
  return [...new Set(found.map((fact) => fact.replaceAll(/^[`.,:;/-]+|[`.,:;-]+$/g, '')))].filter(
    // A list's own numbers say nothing.
    (fact) => fact.length > 1 || !/^\d$/.test(fact),
  );
}
