import fc from 'fast-check';
import { expect, test } from 'vitest';
import { snippetsOf } from '#shared/memory-history/snippets.ts';
import { termsOf, wordsOf } from '#shared/memory-history/words.ts';

/** Words of any script, each with its place. */

const cases: readonly [text: string, terms: string[]][] = [
  ['Hello, World-wide 2nd', ['hello', 'world', 'wide', '2nd']],
  ['café CAFÉ cafe\u0301', ['cafe', 'cafe', 'cafe']],
  ['ﬁnal ＷＩＤＥ', ['final', 'wide']],
  ['Ёлка', ['елка']],
  ['日本語', ['日本', '本語']],
  ['語', ['語']],
  ['v2日本go', ['v2', '日本', 'go']],
  ['हिन्दी', ['हिन्दी']],
  ['한국어 문서', ['한국어', '문서']],
  ['?! …', []],
];

test.each(cases)('the words of "%s" are %j', (text, terms) => {
  expect(termsOf(text)).toEqual(terms);
});

test('words with places are the words without, and each stands at its place', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const words = wordsOf(text);
      expect(words.map(({ term }) => term)).toEqual(termsOf(text));
      for (const { term, start, end } of words) {
        const again = termsOf(text.slice(start, end));
        expect(again.join('')).toBe(term);
      }
    }),
  );
});

test('snippets hold the words met, are bounded, and split no character', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 600 }), fc.nat(), (text, pick) => {
      const terms = termsOf(text);
      const term = terms[pick % Math.max(terms.length, 1)];
      if (term === undefined) return;
      const snippets = snippetsOf('content', text, new Set([term]));
      expect(snippets.length).toBeGreaterThan(0);
      expect(snippets.length).toBeLessThanOrEqual(3);
      for (const { text: shown, start, positions } of snippets) {
        expect(text.slice(start, start + shown.length)).toBe(shown);
        expect(shown.isWellFormed()).toBe(text.isWellFormed() || shown.isWellFormed());
        for (const place of positions) {
          expect(place.start).toBeGreaterThanOrEqual(start);
          expect(place.end).toBeLessThanOrEqual(start + shown.length);
        }
      }
    }),
  );
});
