import { sentencesOf } from './reflecting.ts';
import { dataIn } from './tagged.ts';
import { containedPercent, decisiveIn, likePercent, ownWords } from './words.ts';

interface ShownLesson {
  readonly id: string;
  readonly topic: number;
  readonly kind: 'success' | 'failure';
  readonly situation: string;
  readonly advice: string;
  readonly why: string;
  readonly newest_evidence: string;
}

interface ShownMemory {
  readonly topic: number;
  readonly path: string;
  readonly text: string;
}

/** What two texts have in common, in per cent of their words, from which on they are about the same. */
const SAME_PERCENT = 50;
const RELATED_PERCENT = 25;
const CONTAINED_PERCENT = 90;
/** Of a shorter memory's words, what a longer one has that says the same in other words, and more. */
const WITHIN_PERCENT = 70;

type OfflineOperation = Readonly<Record<string, unknown>>;

/** Propose operations without a model, topic by topic. */
export function operationsIn(asked: string): OfflineOperation[] {
  const memories = dataIn<ShownMemory[]>(asked, 'memories') ?? [];
  const lessons = dataIn<ShownLesson[]>(asked, 'lessons') ?? [];
  const topics = new Set([...memories, ...lessons].map(({ topic }) => topic));
  return [...topics].flatMap((topic) =>
    operationsOn(
      memories.filter((memory) => memory.topic === topic),
      lessons.filter((lesson) => lesson.topic === topic),
    ),
  );
}

/** By words in common, newest first, nothing rewritten. */
function operationsOn(
  memories: readonly ShownMemory[],
  lessons: readonly ShownLesson[],
): OfflineOperation[] {
  const left = new Map(memories.map((memory) => [memory.path, memory]));
  const learnt = sameLessons(lessons);
  const of_lessons = learnt.flatMap((lessons) => operationOf(lessons, left));
  return [...of_lessons, ...mergesOf([...left.values()])];
}

/** Lessons whose advice is the same but for a few words; the newest is the first. */
function sameLessons(lessons: readonly ShownLesson[]): ShownLesson[][] {
  const ordered = lessons.toSorted((a, b) => (a.newest_evidence < b.newest_evidence ? 1 : -1));
  const sets: ShownLesson[][] = [];
  for (const lesson of ordered) {
    const same = sets.find(([first]) => isLike(first?.advice ?? '', lesson.advice, SAME_PERCENT));
    if (same === undefined) sets.push([lesson]);
    else same.push(lesson);
  }
  return sets;
}

function isLike(a: string, b: string, percent: number): boolean {
  return likePercent(a, b) >= percent;
}

function operationOf(
  lessons: readonly ShownLesson[],
  left: Map<string, ShownMemory>,
): OfflineOperation[] {
  const [newest] = lessons;
  if (newest === undefined) return [];
  const told = `${newest.situation} ${newest.advice}`;
  const memory = [...left.values()].find(({ text }) =>
    sentencesOf(ownWords(text)).some(
      (sentence) =>
        isLike(sentence, newest.advice, RELATED_PERCENT) || isLike(sentence, told, RELATED_PERCENT),
    ),
  );
  const common = { lessons: lessons.map(({ id }) => id), reason: newest.why };
  if (memory === undefined) return [{ ...common, ...newMemory(newest) }];
  left.delete(memory.path);
  return changeOf(memory, newest, common);
}

/** What was done and passed is a way of working; what somebody says is a fact. */
function newMemory({ situation, advice, why }: ShownLesson): OfflineOperation {
  const [title = situation] = advice.split(/[:.;]\s/);
  const is_method = why.startsWith('A first attempt');
  const named = { op: 'add', title: title.trim().slice(0, 80) };
  if (!is_method) return { ...named, format: 'note', text: `${advice}\n\n${why}\n` };
  const steps = sentencesOf(advice).map((sentence, n) => `${n + 1}. ${sentence}`);
  const text = `${steps.join('\n')}\n\nWhy: ${why}\n`;
  return { ...named, format: 'playbook', situation, text };
}

function changeOf(
  { path, text }: ShownMemory,
  { advice }: ShownLesson,
  common: OfflineOperation,
): OfflineOperation[] {
  const own = ownWords(text);
  if (containedPercent(advice, own) >= CONTAINED_PERCENT) return [];
  const [rival = ''] = sentencesOf(own).toSorted(
    (a, b) => likePercent(b, advice) - likePercent(a, advice),
  );
  // The same words but for a number, a name or a "not": only one of both can hold.
  const is_rival = isLike(rival, advice, SAME_PERCENT);
  if (is_rival && decisiveIn(rival) !== decisiveIn(advice)) {
    return [
      { ...common, op: 'supersede', path, loser: rival, text: text.replace(rival, () => advice) },
    ];
  }
  return [{ ...common, op: 'revise', path, text: `${text.trimEnd()}\n\n${advice}\n` }];
}

/** Memories that say the same in nearly the same words: the longest, and what only the others say. */
function mergesOf(memories: readonly ShownMemory[]): OfflineOperation[] {
  const [longest, ...others] = memories.toSorted((a, b) => b.text.length - a.text.length);
  if (longest === undefined) return [];
  const same = others.filter(({ text }) => {
    const [own, all] = [ownWords(text), ownWords(longest.text)];
    return isLike(own, all, SAME_PERCENT) || containedPercent(own, all) >= WITHIN_PERCENT;
  });
  if (same.length === 0) return [];
  const more = same
    .flatMap(({ text }) => sentencesOf(ownWords(text)))
    .filter((sentence) => containedPercent(sentence, longest.text) < 100);
  return [
    {
      op: 'merge',
      path: longest.path,
      paths: [longest, ...same].map(({ path }) => path),
      text: [longest.text.trimEnd(), ...more].join('\n'),
      reason: 'They say the same in nearly the same words.',
      lessons: [],
    },
  ];
}
