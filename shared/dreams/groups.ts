import MiniSearch from 'minisearch';
import { limits } from '../core/limits.ts';
import { termsOf } from '../memory-history/words.ts';
import { INDEX_PATH } from '../playbooks/index-page.ts';
import { CommonWords } from './common-words.ts';
import type { Lesson } from './duplicates.ts';
import {
  containedPercent,
  jaccardPercent,
  likenessOf,
  tellApart,
  type Likeness,
} from './likeness.ts';
import { ownWords } from './loss.ts';
import type { Snapshot, SnapshotMemory } from './snapshot.ts';

/** What one request of consolidation decides on. No memory is in two groups. */
export interface Group {
  readonly lessons: readonly Lesson[];
  readonly memories: readonly SnapshotMemory[];
}

/** A search over memories by BM25, the same order for the same store. */
export function memorySearch<Memory extends { readonly path: string; readonly text: string }>(
  memories: readonly Memory[],
) {
  const index = new MiniSearch<{ id: number; path: string; text: string }>({
    fields: ['path', 'text'],
    tokenize: termsOf,
    processTerm: (term) => term,
  });
  index.addAll(memories.map(({ path, text }, id) => ({ id, path, text })));
  return (query: string, count: number): Memory[] => {
    // A word that is said often counts as often, and is looked up once.
    const said = Map.groupBy(termsOf(query), (term) => term);
    const boostTerm = (term: string): number => said.get(term)?.length ?? 1;
    return index
      .search(query, { tokenize: () => [...said.keys()], boostTerm })
      .toSorted((a, b) => b.score - a.score || Number(a.id) - Number(b.id))
      .slice(0, count)
      .flatMap(({ id }) => memories[Number(id)] ?? []);
  };
}

/**
 * Put together what is about the same thing, by words alone: lessons with lessons, with the memories
 * that they name or resemble, and memories that resemble each other.
 */
export function groupsOf(
  lessons: readonly Lesson[],
  snapshot: Snapshot,
  used: ReadonlySet<string>,
): Group[] {
  const memories = snapshot.memories.filter(({ path }) => path !== INDEX_PATH && !used.has(path));
  const known: Known = {
    memories,
    search: memorySearch(memories),
    likeness: new Map(memories.map(({ path, text }) => [path, likenessOf(ownWords(text))])),
  };
  const sets = new Sets();
  joinLessons(sets, lessons);
  for (const [n, lesson] of lessons.entries()) {
    for (const path of memoriesNear(lesson, known)) sets.join(`l${n}`, `m${path}`);
  }
  joinMemories(sets, known);
  return sets.all().flatMap((members) => bounded(members, lessons, memories));
}

interface Known {
  readonly memories: readonly SnapshotMemory[];
  readonly search: (query: string, count: number) => SnapshotMemory[];
  /** By path. */
  readonly likeness: ReadonlyMap<string, Likeness>;
}

/** Lessons that are alike as they are, or in what they advise: in whatever task each was learned. */
function joinLessons(sets: Sets, lessons: readonly Lesson[]): void {
  const advices = lessons.map(({ advice }) => likenessOf(advice).terms);
  const wholes = lessons.map(({ likeness }) => likeness.terms);
  for (const n of lessons.keys()) sets.add(`l${n}`);
  joinAlike(sets, advices, NEAR_PERCENT);
  joinAlike(sets, wholes, limits.dream_like_percent);
}

/** Those that have so many of the words of both in common. */
function joinAlike(sets: Sets, terms: readonly ReadonlySet<string>[], percent: number): void {
  const words = new CommonWords(terms);
  for (const [n, own] of terms.entries()) {
    for (const [m, count] of words.with(n, 1)) {
      const all = own.size + (terms[m]?.size ?? 0) - count;
      if (m < n && (count / all) * 100 >= percent) sets.join(`l${n}`, `l${m}`);
    }
  }
}

/** The paths of the memories that a lesson names or speaks of. */
function memoriesNear(lesson: Lesson, { memories, search, likeness }: Known): string[] {
  const advice = likenessOf(lesson.advice);
  const near = search(`${lesson.situation} ${lesson.advice}`, 3).filter(({ path }) => {
    const memory = likeness.get(path);
    return isLike(lesson.likeness, memory) || speaksOf(advice, memory);
  });
  const named = memories.filter(({ path }) => path === lesson.existing_path);
  return [...named, ...near].map(({ path }) => path);
}

function joinMemories(sets: Sets, { memories, search, likeness }: Known): void {
  for (const memory of memories) {
    const mine = likeness.get(memory.path);
    for (const near of search(ownWords(memory.text).slice(0, 2_000), 4)) {
      const other = likeness.get(near.path);
      if (near.path === memory.path || mine === undefined || other === undefined) continue;
      if (mayBeTheSame(mine, other)) sets.join(`m${memory.path}`, `m${near.path}`);
    }
  }
}

/** Of the words of both; and of the shorter one's words, what the longer one has. */
const NEAR_PERCENT = 50;
const WITHIN_PERCENT = 60;
/** Of an advice's words, what a memory has that speaks of the same. */
const SPEAKS_PERCENT = 50;

/**
 * Memories that may be duplicates in other words: nearer than what is only related, and without
 * numbers or names that tell them apart, as the profiles of two customers have them.
 */
function mayBeTheSame(a: Likeness, b: Likeness): boolean {
  if (tellApart(a, b)) return false;
  const [short, long] = a.terms.size < b.terms.size ? [a, b] : [b, a];
  return jaccardPercent(a, b) >= NEAR_PERCENT || containedPercent(short, long) >= WITHIN_PERCENT;
}

/**
 * Whether a memory has most words of an advice: the two may say the same or contradict each other,
 * however much else the memory says and however long the lesson's situation is.
 */
function speaksOf(advice: Likeness, memory: Likeness | undefined): boolean {
  return memory !== undefined && containedPercent(advice, memory) >= SPEAKS_PERCENT;
}

function isLike(a: Likeness, b: Likeness | undefined): boolean {
  return b !== undefined && jaccardPercent(a, b) >= limits.dream_like_percent;
}

/** A set in groups that fit into a request; a memory stays with the first lessons. */
function bounded(
  members: ReadonlySet<string>,
  lessons: readonly Lesson[],
  memories: readonly SnapshotMemory[],
): Group[] {
  const own = lessons.filter((_, n) => members.has(`l${n}`));
  const near = memories.filter(({ path }) => members.has(`m${path}`));
  const groups: { lessons: Lesson[]; memories: SnapshotMemory[]; chars: number }[] = [];
  const place = (size: number, has_room: (group: (typeof groups)[number]) => boolean) => {
    const found = groups.find(
      (group) => has_room(group) && group.chars + size <= limits.group_chars_max,
    );
    const group = found ?? { lessons: [], memories: [], chars: 0 };
    if (found === undefined) groups.push(group);
    group.chars += size;
    return group;
  };
  for (const memory of near) {
    const group = place(memory.text.length, (g) => g.memories.length < limits.group_memories_max);
    group.memories.push(memory);
  }
  for (const lesson of own) {
    const size = JSON.stringify([lesson.situation, lesson.advice, lesson.evidence]).length;
    const group = place(size, (g) => g.lessons.length < limits.group_lessons_max);
    group.lessons.push(lesson);
  }
  return groups.filter((group) => group.lessons.length > 0 || group.memories.length > 1);
}

/** Groups that go into one request: many are a sentence or two, and the rules are said with each. */
export function packsOf(groups: readonly Group[]): Group[][] {
  const packs: { groups: Group[]; chars: number }[] = [];
  for (const group of groups) {
    const size = JSON.stringify([
      group.memories.map(({ text }) => text),
      group.lessons.map(({ situation, advice, why }) => [situation, advice, why]),
    ]).length;
    const last = packs.at(-1);
    const has_room =
      last !== undefined &&
      last.groups.length < limits.pack_groups_max &&
      last.chars + size <= limits.pack_chars_max;
    if (has_room) {
      last.groups.push(group);
      last.chars += size;
    } else packs.push({ groups: [group], chars: size });
  }
  return packs.map((pack) => pack.groups);
}

/** Disjoint sets, in the order in which their first members came. */
class Sets {
  readonly #of = new Map<string, Set<string>>();

  add(member: string): Set<string> {
    const known = this.#of.get(member) ?? new Set([member]);
    this.#of.set(member, known);
    return known;
  }

  join(a: string, b: string): void {
    const [into, from] = [this.add(a), this.add(b)].toSorted((x, y) => y.size - x.size) as [
      Set<string>,
      Set<string>,
    ];
    if (into === from) return;
    for (const member of from) {
      into.add(member);
      this.#of.set(member, into);
    }
  }

  all(): Set<string>[] {
    return [...new Set(this.#of.values())];
  }
}
