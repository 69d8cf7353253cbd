import { isPlaybookPath } from '../playbooks/playbook.ts';
import { splitTrailer } from '../playbooks/trailer.ts';
import { believedAt, newestOf } from './believed.ts';
import { CommonWords } from './common-words.ts';
import { contradicts, statementsOf, type Statement } from './contradiction.ts';
import type { Lesson } from './duplicates.ts';
import { memorySearch } from './groups.ts';
import { ownWords } from './loss.ts';
import type { Draft } from './prompts/consolidate.ts';
import type { Dropped } from './report.ts';
import type { Snapshot, SnapshotMemory } from './snapshot.ts';

/** Memories that speak of the same, in which a contradiction is looked for. */
const NEAR_COUNT = 5;

/** A statement of a memory that another text contradicts. */
export interface Rival {
  readonly memory: SnapshotMemory;
  readonly statement: Statement;
}

/** Finds what of a store another text contradicts, by words. */
export class Rivals {
  readonly #search: (query: string, count: number) => SnapshotMemory[];
  readonly #statements = new Map<string, readonly Statement[]>();

  constructor({ memories }: Pick<Snapshot, 'memories'>) {
    this.#search = memorySearch(memories);
  }

  /** @param at When what the text says was last seen: who is newer says what holds. */
  of(statements: readonly Statement[], at: string): Rival[] {
    const query = statements.map(({ text }) => text).join(' ');
    return this.#search(query, NEAR_COUNT).flatMap((memory) =>
      this.in(memory, statements, at).map((statement) => ({ memory, statement })),
    );
  }

  in(memory: SnapshotMemory, statements: readonly Statement[], at: string): Statement[] {
    const is_newer = at <= believedAt(memory);
    const held = this.#statements.get(memory.text) ?? statementsOf(ownWords(memory.text));
    this.#statements.set(memory.text, held);
    return held.filter((each) =>
      statements.some((said) => (is_newer ? contradicts(each, said) : contradicts(said, each))),
    );
  }
}

/** Lessons of which none is refuted by something newer. */
export interface Current {
  readonly lessons: readonly Lesson[];
  /** By candidate id: older lessons that a lesson has refuted. */
  readonly refuted: ReadonlyMap<string, readonly Lesson[]>;
  readonly dropped: readonly Dropped[];
}

/**
 * Recency is decided before the model is asked: a lesson that a newer memory or a newer lesson
 * contradicts leads to nothing but a record of it. What an older memory says against a lesson is
 * shown with it.
 */
export function currentLessons(lessons: readonly Lesson[], snapshot: Snapshot): Current {
  const rivals = new Rivals(snapshot);
  const by_path = new Map(snapshot.memories.map((memory) => [memory.path, memory]));
  const dropped: Dropped[] = [];
  const drop = (
    { advice, evidence }: Lesson,
    against: string,
    reason: Dropped['reason'] = 'older_evidence',
  ): void => {
    const what = `${against}: ${advice}`.slice(0, 300);
    dropped.push({ stage: 'consolidate', reason, what, evidence });
  };
  const told: Told[] = [];
  for (const lesson of lessons) {
    const at = newestOf(lesson.evidence);
    const statements = statementsOf(lesson.advice);
    const found = rivals.of(statements, at);
    const named = by_path.get(lesson.existing_path ?? '');
    const denied = lesson.stance === 'contradicts' && named !== undefined ? [named] : [];
    const against = [...found.map(({ memory }) => memory), ...denied];
    const newer = against.find((memory) => at <= believedAt(memory));
    if (newer !== undefined) {
      const reason = newer.by_hand ? 'hand_edited' : 'older_evidence';
      drop(lesson, `${newer.path} says otherwise since ${believedAt(newer)}`, reason);
      continue;
    }
    const [first] = against;
    const about = first === undefined ? {} : { existing_path: first.path, stance: 'contradicts' };
    told.push({ lesson: { ...lesson, ...about } as Lesson, at, statements });
  }
  const refuted = refutedBy(told);
  for (const { lesson: winner, at } of told) {
    const against = `a lesson of ${at} says otherwise, "${winner.advice.slice(0, 80)}"`;
    for (const lesson of refuted.get(winner.candidate_id) ?? []) drop(lesson, against);
  }
  const gone = new Set([...refuted.values()].flat());
  const left = told.map(({ lesson }) => lesson).filter((lesson) => !gone.has(lesson));
  return { lessons: left, refuted, dropped };
}

interface Told {
  readonly lesson: Lesson;
  readonly at: string;
  readonly statements: readonly Statement[];
}

/** Each older lesson goes to the newest that refutes it. */
function refutedBy(told: readonly Told[]): Map<string, Lesson[]> {
  const refuted = new Map<string, Lesson[]>();
  const newest_first = told.toSorted((a, b) => (a.at > b.at ? -1 : 1));
  const words = new CommonWords(
    newest_first.map(({ statements }) => new Set(statements.flatMap((each) => [...each.words]))),
  );
  const gone = new Set<Told>();
  for (const [n, newer] of newest_first.entries()) {
    if (gone.has(newer)) continue;
    for (const [m] of words.with(n, COMMON_MIN)) {
      const older = newest_first[m];
      if (older === undefined || m < n || gone.has(older) || older.at === newer.at) continue;
      const loses = older.statements.some((held) =>
        newer.statements.some((said) => contradicts(said, held)),
      );
      if (!loses) continue;
      gone.add(older);
      const { candidate_id } = newer.lesson;
      refuted.set(candidate_id, [...(refuted.get(candidate_id) ?? []), older.lesson]);
    }
  }
  return refuted;
}

/** Nothing contradicts what it has fewer words in common with: see {@link contradicts}. */
const COMMON_MIN = 2;

/**
 * A draft that adds to what it contradicts would leave both standing: it takes the older one's place
 * instead, which is kept as history.
 *
 * @param memories Those of its group; none that is newer than the lessons is changed by this.
 */
export function settled(
  draft: Draft,
  lessons: readonly Lesson[],
  memories: readonly SnapshotMemory[],
): Draft {
  if ((draft.op !== 'add' && draft.op !== 'revise') || lessons.length === 0) return draft;
  const at = newestOf(lessons.flatMap(({ evidence }) => evidence));
  const text = draft.text ?? '';
  const possible = memories.filter(
    ({ path }) => (draft.op === 'add' || path === draft.path) && !isPlaybookPath(path),
  );
  const rivals = new Rivals({ memories: possible });
  for (const memory of possible) {
    if (at <= believedAt(memory)) continue;
    const own = ownWords(memory.text);
    const said = statementsOf(text).filter(({ sentence }) => !own.includes(sentence));
    const lost = rivals
      .in(memory, said, at)
      .map(({ sentence }) => sentence)
      .filter((sentence) => draft.op === 'add' || text.includes(sentence));
    const [loser] = lost;
    if (loser === undefined) continue;
    const { format: _, title: __, removed: ___, ...rest } = draft;
    const from = draft.op === 'add' ? splitTrailer(memory.text).body : text;
    const by = draft.op === 'add' ? said.map(({ sentence }) => sentence) : [];
    const whole = replaced(from, lost, [...new Set(by)].join(' '));
    return { ...rest, op: 'supersede', path: memory.path, loser, text: whole };
  }
  return draft;
}

/** A text with the first of some passages replaced, and without the others. */
function replaced(text: string, passages: readonly string[], by: string): string {
  const [first = '', ...others] = new Set(passages);
  const without = others.reduce((left, passage) => left.replace(passage, ''), text);
  return `${without
    .replace(first, () => by)
    .replaceAll(/^#+\s*$/gm, '')
    .replaceAll(/[ \t]+$/gm, '')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim()}\n`;
}
