import { dataIn } from './tagged.ts';
import { containedPercent, ownWords } from './words.ts';

interface ShownChange {
  readonly n: number;
  readonly before: readonly { readonly text: string }[];
  readonly after: { readonly text: string } | null;
  readonly evidence: readonly { readonly quote: string }[];
}

/** Of a change's new words, how many must stand in what it rests on. */
const GROUNDED_PERCENT = 50;

/** Whether each change says what its evidence says, by their words. */
export function verdictsIn(asked: string): object[] {
  return (dataIn<ShownChange[]>(asked, 'changes') ?? []).map(({ n, before, after, evidence }) => {
    if (after === null) return { n, verdict: 'keep', reason: 'Its evidence speaks against it.' };
    const known = [...before.map(({ text }) => text), ...evidence.map(({ quote }) => quote)];
    const percent = containedPercent(ownWords(after.text), known.join('\n'));
    const reason = `${Math.round(percent)} % of its words stand in what it rests on.`;
    return { n, verdict: percent >= GROUNDED_PERCENT ? 'keep' : 'veto', reason };
  });
}

/** A question for each source: its first line asks, what follows is expected. */
export function questionsIn(asked: string): object[] {
  const sources = dataIn<{ readonly n: number; readonly text: string }[]>(asked, 'sources') ?? [];
  return sources.flatMap(({ n, text }) => {
    const lines = linesOf(text);
    const [question = '', expected = question] = lines;
    return question === '' ? [] : [{ n, question, expected: expected.slice(0, 300) }];
  });
}

interface ShownQuestion {
  readonly n: number;
  readonly question: string;
  readonly memories: readonly { readonly text: string }[];
}

/** The lines of the memory that has most of a question's words. */
export function answersIn(asked: string): object[] {
  const questions = dataIn<ShownQuestion[]>(asked, 'questions') ?? [];
  return questions.map(({ n, question, memories }) => {
    const scored = memories.map(({ text }) => ({
      text,
      percent: containedPercent(question, text),
    }));
    const [best] = scored.toSorted((a, b) => b.percent - a.percent);
    const is_known = best !== undefined && best.percent >= GROUNDED_PERCENT;
    return { n, answer: is_known ? linesOf(best.text).join(' ').slice(0, 390) : 'unknown' };
  });
}

interface ShownPair {
  readonly n: number;
  readonly expected: string;
  readonly a: string;
  readonly b: string;
}

/** Right is an answer that holds most of the words that are expected. */
export function marksIn(asked: string): object[] {
  const isRight = (expected: string, answer: string): boolean =>
    containedPercent(expected, answer) >= GROUNDED_PERCENT;
  return (dataIn<ShownPair[]>(asked, 'answers') ?? []).map(({ n, expected, a, b }) => ({
    n,
    a_right: isRight(expected, a),
    b_right: isRight(expected, b),
  }));
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/^(?:#+|-|\d+\.)\s+/, '').trim())
    .filter((line) => line !== '');
}
