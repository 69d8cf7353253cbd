// Goal: thousands of lessons are put in order within the time of a function, and no other way than if
// each had been held against each other.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CommonWords } from '#shared/dreams/common-words.ts';
import { distinctLessons } from '#shared/dreams/duplicates.ts';
import { groupsOf } from '#shared/dreams/groups.ts';
import { currentLessons } from '#shared/dreams/recency.ts';
import { aSnapshot, someEvidence } from './samples.ts';

const word = fc.constantFrom('ash', 'beech', 'cedar', 'elm', 'fir', 'gum', 'holly');

test('an index of words finds what comparing each with each finds', () => {
  const texts = fc.array(fc.uniqueArray(word, { maxLength: 5 }), { maxLength: 12 });
  fc.assert(
    fc.property(texts, fc.integer({ min: 1, max: 3 }), (all, count_min) => {
      const sets = all.map((words) => new Set(words));
      const index = new CommonWords(sets);
      for (const [place, own] of sets.entries()) {
        const expected = sets.flatMap((other, n) => {
          const count = [...own].filter((each) => other.has(each)).length;
          return n !== place && count >= count_min ? [[n, count]] : [];
        });
        expect(index.with(place, count_min)).toEqual(expected);
      }
    }),
  );
});

test('two thousand lessons about different things take seconds, not minutes', () => {
  const lessons = distinctLessons(
    Array.from({ length: 2_000 }, (_, n) => {
      const words = Array.from({ length: 12 }, (__, at) => `w${n}x${at}`).join(' ');
      const at = new Date(Date.parse('2026-11-01T00:00:00Z') + n).toISOString();
      return {
        candidate_id: `sesn_${n}/0/0`,
        kind: 'success' as const,
        learned_from: { agent_id: 'agent_1', agent_version: 1, model: 'm' },
        situation: `When ${words}.`,
        advice: `Do ${words}.`,
        why: 'So it is.',
        evidence: [someEvidence({ at })],
      };
    }),
  );
  const began = performance.now();
  const { lessons: current } = currentLessons(lessons, aSnapshot());
  expect(groupsOf(current, aSnapshot(), new Set())).toHaveLength(2_000);
  expect(performance.now() - began).toBeLessThan(5_000);
}, 60_000);
