import { limits } from '../core/limits.ts';
import { joinedFacts, ownerOf } from '../playbooks/join-playbooks.ts';
import { isPlaybookPath, parsePlaybook, renderPlaybook } from '../playbooks/playbook.ts';
import { splitTrailer, withTrailer } from '../playbooks/trailer.ts';
import type { Candidate } from './candidate.ts';
import {
  containedPercent,
  hasOwnWord,
  jaccardPercent,
  likenessOf,
  type Likeness,
} from './likeness.ts';
import { ownWords } from './loss.ts';
import type { Operation } from './operation.ts';
import { isProse } from './prose.ts';
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
  if (a.decisive !== b.decisive || jaccardPercent(a, b) < limits.dream_same_percent) return false;
  return !hasOwnWord(a, b) && !hasOwnWord(b, a);
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
        containedPercent(advice, likeness) >= limits.dream_same_percent &&
        !hasOwnWord(advice, likeness),
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

/** Memories that say the same, by those that are put together and those that are left. */
export interface SameMemories {
  readonly operations: Operation[];
  readonly dropped: Dropped[];
}

/**
 * Memories for people whose own words are the same: the one written by hand stays, else the first by path. Others
 * that were written by hand are left to their writers, and that is told.
 */
export function sameMemories({ memories }: Snapshot, firstId: () => string): SameMemories {
  const by_hash = new Map<string, SnapshotMemory[]>();
  for (const memory of memories) {
    const { hash, terms } = likenessOf(ownWords(memory.text));
    if (terms.size === 0 || !isProse(memory.path)) continue;
    const same = `${hash} ${ownersOf(memory)}`;
    by_hash.set(same, [...(by_hash.get(same) ?? []), memory]);
  }
  const all = [...by_hash.values()];
  return {
    operations: all.flatMap((same) => mergeOf(same, firstId)),
    dropped: all.flatMap(leftByHand),
  };
}

function mergeOf(same: readonly SnapshotMemory[], firstId: () => string): Operation[] {
  const kept = same.find(({ by_hand }) => by_hand) ?? same[0];
  const copies = same.filter((memory) => memory !== kept && !memory.by_hand);
  if (kept === undefined || copies.length === 0) return [];
  const { path } = kept;
  return [
    {
      change_id: firstId(),
      op: 'merge',
      paths: same.flatMap((memory) => (memory === kept || !memory.by_hand ? memory.path : [])),
      path,
      text: joinedText(kept, copies),
      removed: [],
      reason: 'They say the same, but for case, white space and punctuation.',
      evidence: [],
      source: 'duplicates',
    },
  ];
}

/** Playbooks of two agents say the same to each by itself, and neither is a note. */
function ownersOf({ path, text }: SnapshotMemory): string {
  if (!isPlaybookPath(path)) return '';
  const playbook = parsePlaybook(splitTrailer(text).body);
  return 'fault' in playbook ? path : ownerOf(playbook.facts);
}

/**
 * The words of the one that stays, and beside them what code has written with each: sources by which it is
 * as new as its newest evidence, history, a playbook's counts. What a person has written stays to the byte.
 */
function joinedText(kept: SnapshotMemory, copies: readonly SnapshotMemory[]): string {
  if (kept.by_hand) return kept.text;
  const own = splitTrailer(kept.text);
  const others = copies.map(({ text }) => splitTrailer(text));
  const all = [own, ...others];
  const sources = [...new Set(all.flatMap((each) => each.sources))].toSorted((a, b) =>
    dayOf(a) < dayOf(b) ? -1 : 1,
  );
  const history = [...new Set(all.flatMap((each) => each.history))];
  const body = isPlaybookPath(kept.path) ? joinedPlaybook(own.body, others) : own.body;
  const has_more = sources.length > own.sources.length || history.length > own.history.length;
  if (body === own.body && !has_more) return kept.text;
  return withTrailer(body, { sources, history });
}

/** `sesn_…/sevt_… (2026-11-20)` */
function dayOf(source: string): string {
  return source.slice(source.lastIndexOf('('));
}

function joinedPlaybook(body: string, others: readonly { readonly body: string }[]): string {
  const [first, ...more] = [{ body }, ...others].flatMap((each) => {
    const playbook = parsePlaybook(each.body);
    return 'fault' in playbook ? [] : [playbook];
  });
  if (first === undefined || more.length === 0) return body;
  const facts = joinedFacts(
    first.facts,
    more.map((each) => each.facts),
  );
  return renderPlaybook({ ...first, facts });
}

function leftByHand(same: readonly SnapshotMemory[]): Dropped[] {
  const paths = same.filter(({ by_hand }) => by_hand).map((memory) => memory.path);
  if (paths.length < 2) return [];
  const what = `merge ${paths.join(', ')}: they say the same, and people have written each of them`;
  return [{ stage: 'consolidate', reason: 'hand_edited', what: what.slice(0, 300), evidence: [] }];
}
