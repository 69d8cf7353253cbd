import type * as z from 'zod';
import { limits } from '../core/limits.ts';
import { upToUnits } from '../core/text.ts';
import { INDEX_PATH } from '../playbooks/index-page.ts';
import { folded } from '../tools/convert.ts';
import { addThinking, askFor, noThinking } from './ask.ts';
import { together } from './awaited.ts';
import type { Candidate } from './candidate.ts';
import { memorySearch } from './groups.ts';
import { ownWords } from './loss.ts';
import { inputPaths, type Operation } from './operation.ts';
import {
  Answers,
  answersPrompt,
  markingPrompt,
  Marks,
  Questions,
  questionsPrompt,
} from './prompts/gate.ts';
import type { GateResult, GateScore } from './report.ts';
import { secretIn } from './secrets.ts';
import type { Snapshot, SnapshotMemory } from './snapshot.ts';
import type { Gating, ThinkPorts, ThinkUsage } from './thinking.ts';

export interface Dreamt {
  readonly snapshot: Snapshot;
  readonly next: ReadonlyMap<string, string>;
  readonly operations: readonly Operation[];
  readonly candidates: readonly Candidate[];
}

/** Where a question comes from. */
interface Source {
  readonly from: GateScore['from'];
  readonly text: string;
}

type Held = Pick<SnapshotMemory, 'path' | 'text'>;

interface ShownQuestion {
  readonly n: number;
  readonly question: string;
  readonly memories: readonly Held[];
}

type Question = Pick<GateScore, 'question' | 'expected' | 'from'>;

/**
 * Answer the same questions with the old and the new store. The new one is recommended only when it
 * does not answer fewer of them, neither of those about what was known nor of those about what was
 * learned; when the questions cannot be asked at all it is not.
 *
 * @throws ModelError when the provider fails
 */
export async function gate(
  ports: ThinkPorts,
  dreamt: Dreamt,
  signal: AbortSignal,
): Promise<Gating> {
  if (dreamt.operations.length === 0) {
    return { gate: verdictOf([], 'Nothing was changed.'), usage: noThinking };
  }
  const sources = sourcesOf(dreamt);
  if (sources.length === 0) {
    const reason = 'There was nothing to ask: no change says anything new.';
    return { gate: verdictOf([], reason), usage: noThinking };
  }
  const asker = new Asker(ports, signal);
  const questions = await asker.questions(sources);
  const old_memories = dreamt.snapshot.memories;
  const new_memories = [...dreamt.next].map(([path, text]) => ({ path, text }));
  if (questions.length === 0) return { gate: unheld(), usage: asker.usage };
  const by_old_from = asker.shownFor(questions, old_memories);
  const by_new_from = asker.shownFor(questions, new_memories);
  // From the same memories both stores give the same answer: only what differs is asked twice.
  const differs = (n: number): boolean =>
    JSON.stringify(by_old_from[n]?.memories) !== JSON.stringify(by_new_from[n]?.memories);
  const [by_old, by_changed] = await together([
    asker.answers(by_old_from),
    asker.answers(by_new_from.filter(({ n }) => differs(n))),
  ]);
  const by_new = by_changed && by_old?.map((same, n) => (differs(n) ? by_changed[n] : same));
  const marks = await asker.marks(questions, by_old, by_new);
  if (marks === undefined) return { gate: unheld(), usage: asker.usage };
  return { gate: verdictOf(marks, ''), usage: asker.usage };
}

function unheld(): GateResult {
  const reason = 'The gate could not be held: the model gave no usable answer.';
  return { ...verdictOf([], reason), recommended: false };
}

function verdictOf(scores: readonly GateScore[], reason: string): GateResult {
  const old_correct_count = scores.filter(({ old_correct }) => old_correct).length;
  const new_correct_count = scores.filter(({ new_correct }) => new_correct).length;
  const worse = (['memory', 'evidence'] as const).find((from) => isWorse(scores, from));
  const why = worse === undefined ? reason : worse_reasons[worse];
  const recommended = worse === undefined;
  return { recommended, reason: why, scores, old_correct_count, new_correct_count };
}

const worse_reasons = {
  memory: 'The new store answers fewer questions about what was known before than the old one.',
  evidence: 'The new store answers fewer questions about what was learned than the old one.',
} as const;

/** Each kind by itself: what is new makes up for nothing that is forgotten. */
function isWorse(scores: readonly GateScore[], from: GateScore['from']): boolean {
  const own = scores.filter((score) => score.from === from);
  const [old_right, new_right] = (['old_correct', 'new_correct'] as const).map(
    (store) => own.filter((score) => score[store]).length,
  );
  return (new_right ?? 0) < (old_right ?? 0);
}

/**
 * Half from evidence of what has changed, half from memories as they were: those that were touched
 * first, without what the evidence has refuted, since to answer that as before would be wrong.
 */
function sourcesOf({ snapshot, operations, candidates }: Dreamt): Source[] {
  const quotes = new Set(
    operations.flatMap(({ evidence }) => evidence.map(({ event_id }) => event_id)),
  );
  const learned = candidates
    .filter(({ evidence }) => evidence.some(({ event_id }) => quotes.has(event_id)))
    .map(({ situation, advice, why }): Source => ({
      from: 'evidence',
      text: `${situation}\n${advice}\n${why}`,
    }));
  const refuted = new Set(
    operations.flatMap((each) =>
      each.op === 'supersede' || each.op === 'retire' ? inputPaths(each) : [],
    ),
  );
  const removed = operations.flatMap((each) =>
    'removed' in each ? each.removed.map(({ what }) => what) : [],
  );
  const touched = new Set(operations.flatMap(inputPaths));
  const held = snapshot.memories
    .filter(({ path }) => !refuted.has(path))
    .toSorted((a, b) => Number(touched.has(b.path)) - Number(touched.has(a.path)))
    .map(({ text }): Source => {
      const rest = removed.reduce((left, what) => left.replace(what, ''), ownWords(text));
      return { from: 'memory', text: upToUnits(rest, limits.gate_memory_chars_max) };
    })
    .filter(({ text }) => text.trim() !== '');
  const changes = operations.some(({ source }) => source === 'model');
  if (!changes) return [];
  const most = limits.gate_questions_max;
  // What somebody has written down as a secret must not stand in the report's questions.
  const open = held.slice(0, most * 2).filter(({ text }) => secretIn(text) === undefined);
  return [...learned.slice(0, most), ...open.slice(0, most)];
}

/** The requests of one gate, and what they have used. */
class Asker {
  usage: ThinkUsage = noThinking;
  readonly #ports: ThinkPorts;
  readonly #signal: AbortSignal;

  constructor(ports: ThinkPorts, signal: AbortSignal) {
    this.#ports = ports;
    this.#signal = signal;
  }

  async questions(sources: readonly Source[]): Promise<Question[]> {
    const asked = await this.#ask(
      questionsPrompt(this.#ports.boundary),
      { tag: 'sources', value: sources.map(({ text }, index) => ({ n: index, text })) },
      Questions,
    );
    const by_n = new Map(asked?.questions.map((each) => [each.n, each]));
    return sources.flatMap(({ from }, index) => {
      const found = by_n.get(index);
      return found ? [{ from, question: found.question, expected: found.expected }] : [];
    });
  }

  /** Each question with the memories of a store that speak of it; the index only repeats them. */
  shownFor(questions: readonly Question[], memories: readonly Held[]): ShownQuestion[] {
    const search = memorySearch(memories.filter(({ path }) => path !== INDEX_PATH));
    return questions.map(({ question }, index) => ({
      n: index,
      question,
      memories: search(question, limits.gate_memories_max).map(({ path, text }) => ({
        path,
        text: upToUnits(ownWords(text), limits.gate_memory_chars_max),
      })),
    }));
  }

  /** @returns answers by the numbers of their questions; one that was not answered has none */
  async answers(value: readonly ShownQuestion[]): Promise<(string | undefined)[] | undefined> {
    if (value.length === 0) return [];
    const asked = await this.#ask(
      answersPrompt(this.#ports.boundary),
      { tag: 'questions', value },
      Answers,
    );
    if (asked === undefined) return undefined;
    const by_n = new Map(asked.answers.map(({ n: at, answer }) => [at, answer]));
    const most = Math.max(...value.map(({ n: at }) => at));
    return Array.from({ length: most + 1 }, (_, index) => by_n.get(index));
  }

  /** By code where an answer holds the expected words; by the model, which knows no old and new, else. */
  async marks(
    questions: readonly Question[],
    by_old: readonly (string | undefined)[] | undefined,
    by_new: readonly (string | undefined)[] | undefined,
  ): Promise<GateScore[] | undefined> {
    if (by_old === undefined || by_new === undefined) return undefined;
    const pairs = questions.map((question, index) => ({
      question,
      old_answer: by_old[index] ?? 'unknown',
      new_answer: by_new[index] ?? 'unknown',
    }));
    const open = pairs.flatMap((pair, index) => (isClear(pair) ? [] : [{ ...pair, n: index }]));
    const shown = open.map(({ n: at, question, old_answer, new_answer }) => {
      // Half of the pairs change sides, so that no liking for a side counts for a store.
      const [a, b] = at % 2 === 0 ? [old_answer, new_answer] : [new_answer, old_answer];
      return { n: at, question: question.question, expected: question.expected, a, b };
    });
    const asked =
      shown.length === 0
        ? { marks: [] }
        : await this.#ask(
            markingPrompt(this.#ports.boundary),
            { tag: 'answers', value: shown },
            Marks,
          );
    if (asked === undefined) return undefined;
    const by_n = new Map(asked.marks.map((mark) => [mark.n, mark]));
    return pairs.map(({ question, old_answer, new_answer }, index) => {
      const mark = by_n.get(index);
      const is_turned = index % 2 === 1;
      const old_mark = is_turned ? mark?.b_right : mark?.a_right;
      const new_mark = is_turned ? mark?.a_right : mark?.b_right;
      return {
        ...question,
        old_correct: markOf(old_answer, question.expected) ?? old_mark === true,
        new_correct: markOf(new_answer, question.expected) ?? new_mark === true,
      };
    });
  }

  async #ask<Schema extends z.ZodType>(
    system: string,
    { tag, value }: { readonly tag: string; readonly value: unknown },
    schema: Schema,
  ): Promise<z.output<Schema> | undefined> {
    const { boundary } = this.#ports;
    const content = `<${tag}-${boundary}>\n${JSON.stringify(value, null, 1)}\n</${tag}-${boundary}>`;
    const asked = await askFor(this.#ports, { system, content, schema }, this.#signal);
    this.usage = addThinking(this.usage, asked.usage);
    return 'value' in asked ? asked.value : undefined;
  }
}

interface Pair {
  readonly question: Question;
  readonly old_answer: string;
  readonly new_answer: string;
}

function isClear({ question: { expected }, old_answer, new_answer }: Pair): boolean {
  return markOf(old_answer, expected) !== undefined && markOf(new_answer, expected) !== undefined;
}

/** What needs no judgement: `unknown`, and the expected words themselves. */
function markOf(answer: string, expected: string): boolean | undefined {
  const said = folded(answer).toLowerCase();
  const wanted = folded(expected).toLowerCase();
  if (said.replace(/\.$/, '') === 'unknown' || said === '') return false;
  return said.replace(/\.$/, '') === wanted.replace(/\.$/, '') ? true : undefined;
}
