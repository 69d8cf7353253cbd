import { limits } from '../core/limits.ts';
import type { Candidate } from './candidate.ts';
import { containedPercent, jaccardPercent, likenessOf, type Likeness } from './likeness.ts';
import { ownWords } from './loss.ts';
import type { Operation } from './operation.ts';
import type { Dropped } from './report.ts';
import type { Snapshot, SnapshotMemory } from './snapshot.ts';

/** A lesson, or several that say the same, with the evidence of all. */
export interface Lesson extends Candidate {
  readonly likeness: Likeness;
}

/** Lessons that are the same by hash or by their words become one, which every session speaks for. */
export function distinctLessons(candidates: readonly Candidate[]): Lesson[] {
  const lessons: Lesson[] = [];
  const ordered = candidates.toSorted((a, b) => (a.candidate_id < b.candidate_id ? -1 : 1));
  for (const candidate of ordered) {
    const { situation, advice } = candidate;
    const likeness = likenessOf(`${situation}\n${advice}`);
    const at = lessons.findIndex(
      (lesson) => lesson.kind === candidate.kind && saysTheSame(lesson.likeness, likeness),
    );
    const same = lessons[at];
    if (same === undefined) lessons.push({ ...candidate, likeness });
    else lessons[at] = { ...same, evidence: joined(same, candidate) };
  }
  return lessons;
}

function saysTheSame(a: Likeness, b: Likeness): boolean {
  if (a.hash === b.hash) return true;
  return a.decisive === b.decisive && jaccardPercent(a, b) >= limits.dream_same_percent;
}

/** The newest of all, each once. */
function joined(a: Candidate, b: Candidate): Candidate['evidence'] {
  const all = new Map(
    [...a.evidence, ...b.evidence].map((each) => [
      JSON.stringify([each.session_id, each.event_id, each.quote]),
      each,
    ]),
  );
  return [...all.values()].toSorted((x, y) => (x.at < y.at ? -1 : 1)).slice(-limits.evidence_max);
}

/** Lessons that a memory says already, word for word but for small ones: nothing is to be done. */
export function withoutKnown(
  lessons: readonly Lesson[],
  { memories }: Snapshot,
): { readonly fresh: Lesson[]; readonly dropped: Dropped[] } {
  const known = memories.flatMap(({ path, text }) =>
    ownWords(text)
      .split(/\n\s*\n/)
      .map((paragraph) => ({ path, likeness: likenessOf(paragraph) })),
  );
  const fresh: Lesson[] = [];
  const dropped: Dropped[] = [];
  for (const lesson of lessons) {
    const advice = likenessOf(lesson.advice);
    const memory = known.find(
      ({ likeness }) =>
        likeness.decisive === advice.decisive &&
        containedPercent(advice, likeness) >= limits.dream_same_percent,
    );
    if (memory === undefined || lesson.stance === 'contradicts') fresh.push(lesson);
    else {
      const what = `${memory.path} says so: ${lesson.advice}`.slice(0, 300);
      const { evidence } = lesson;
      dropped.push({ stage: 'consolidate', reason: 'duplicate', what, evidence });
    }
  }
  return { fresh, dropped };
}

/**
 * Memories whose own words are the same: the one written by hand stays, else the first by path. Two
 * that were written by hand are left to their writers.
 */
export function sameMemories({ memories }: Snapshot, firstId: () => string): Operation[] {
  const by_hash = new Map<string, SnapshotMemory[]>();
  for (const memory of memories) {
    const { hash, terms } = likenessOf(ownWords(memory.text));
    if (terms.size === 0) continue;
    by_hash.set(hash, [...(by_hash.get(hash) ?? []), memory]);
  }
  return [...by_hash.values()].flatMap((same): Operation[] => {
    const by_hand = same.filter((memory) => memory.by_hand);
    const [first] = same;
    if (same.length < 2 || first === undefined || by_hand.length > 1) return [];
    const { path, text } = by_hand[0] ?? first;
    return [
      {
        change_id: firstId(),
        op: 'merge',
        paths: same.map((memory) => memory.path),
        path,
        text,
        removed: [],
        reason: 'They say the same, but for case, white space and punctuation.',
        evidence: [],
        source: 'duplicates',
      },
    ];
  });
}
