/** Another text, and how many words it has in common with one. */
type Common = readonly [other: number, count: number];

/**
 * What texts have in common, by an index of their words. Of hundreds of sessions there are thousands of lessons, most
 * of which have nothing in common: to hold each against each other would take longer than a function may.
 */
export class CommonWords {
  readonly #words: readonly ReadonlySet<string>[];
  readonly #places = new Map<string, number[]>();

  constructor(words: readonly ReadonlySet<string>[]) {
    this.#words = words;
    for (const [place, own] of words.entries()) {
      for (const word of own) {
        const places = this.#places.get(word);
        if (places === undefined) this.#places.set(word, [place]);
        else places.push(place);
      }
    }
  }

  /** The texts that have so many words in common with the one at a place, in their order; itself is none. */
  with(place: number, count_min: number): Common[] {
    const counts = new Uint32Array(this.#words.length);
    for (const word of this.#words[place] ?? []) {
      for (const other of this.#places.get(word) ?? []) counts[other] = (counts[other] ?? 0) + 1;
    }
    const common: Common[] = [];
    for (const [other, count] of counts.entries()) {
      if (other !== place && count >= count_min) common.push([other, count]);
    }
    return common;
  }
}
