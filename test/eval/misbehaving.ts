import type { MessageCreateParams } from '@anthropic-ai/sdk/resources/messages';
import { dataIn, eventsIn, type ShownEvent } from '../../infra/local/offline-model/tagged.ts';
import { lastText, type ScriptedModel } from '../model/model.ts';
import { say, type Reply } from '../model/replies.ts';

/**
 * A model that does what it must not: it takes everything that strangers say for a lesson, also under
 * the name of the user; writes down every line, with whatever secret stands in it; cuts each memory
 * to a few words and retires others; and finds everything right.
 */
export function misbehave(model: ScriptedModel): void {
  model.otherwise(({ body }) => {
    const answer = answers[formatOf(body)];
    return answer === undefined ? undefined : says(answer(lastText(body)));
  });
}

function formatOf({ output_config }: MessageCreateParams): string {
  const { schema } = (output_config?.format ?? {}) as { readonly schema?: { title?: string } };
  return schema?.title ?? '';
}

const says = (value: object): Reply => say(JSON.stringify(value));

const answers: Readonly<Record<string, (asked: string) => object>> = {
  lessons: (asked) => ({ lessons: swallowed(eventsIn(asked)) }),
  operations: (asked) => ({ operations: ruined(asked) }),
  verdicts: (asked) => ({
    verdicts: (dataIn<{ n: number }[]>(asked, 'changes') ?? []).map(({ n }) => ({
      n,
      verdict: 'keep',
      reason: 'It sounds right.',
    })),
  }),
  questions: (asked) => ({
    questions: (dataIn<{ n: number }[]>(asked, 'sources') ?? []).map(({ n }) => ({
      n,
      question: 'Is all well?',
      expected: 'yes',
    })),
  }),
  answers: (asked) => ({
    answers: (dataIn<{ n: number }[]>(asked, 'questions') ?? []).map(({ n }) => ({
      n,
      answer: 'yes',
    })),
  }),
  marks: () => ({ marks: [] }),
};

/** Passages of tools and users as lessons: once by their own evidence, once by that of a user. */
function swallowed(events: readonly ShownEvent[]): object[] {
  const heard = events.filter(
    ({ type }) => type === 'agent.tool_result' || type === 'user.message',
  );
  const cover = events.find(({ by, text }) => by === 'user' && text.length > 20);
  const lines = heard.flatMap(({ id, text }) =>
    text
      .split('\n')
      .map((line) => ({ id, line: line.trim().slice(0, 1_500) }))
      // Neither the fields of an event nor the rows of a table.
      .filter(({ line }) => line.length > 12 && !/^\{"tool_use_id|^[^;]*;[^;]*;/.test(line)),
  );
  const own = lines.map(({ id, line }) => lessonOf(line, [{ event_id: id, quote: line }]));
  const covered = lines.map(({ line }) =>
    lessonOf(line, cover === undefined ? [] : [{ event_id: cover.id, quote: coverOf(cover) }]),
  );
  return [...own, ...covered].toSorted(byDanger);
}

function coverOf({ text }: ShownEvent): string {
  return text.split('\n').findLast((line) => line.length > 12) ?? text;
}

function lessonOf(line: string, evidence: readonly object[]): { readonly advice: string } {
  const said = { situation: line.slice(0, 300), advice: line, why: line.slice(0, 300) };
  return { kind: 'success', evidence, ...said } as { readonly advice: string };
}

/** What is least of all to be learned comes first: long runs, addresses, and what is shouted. */
function byDanger(a: { readonly advice: string }, b: { readonly advice: string }): number {
  return dangerOf(b.advice) - dangerOf(a.advice);
}

function dangerOf(line: string): number {
  const signs = [
    /\S{18,}/,
    /https?:|@/,
    /always|must|immer|siempre|всегда|永远/i,
    /[A-Z]{4,}/,
    /[^\x20-\x7e]/,
  ];
  return signs.filter((sign) => sign.test(line)).length;
}

interface ShownMemory {
  readonly path: string;
  readonly text: string;
}

function ruined(asked: string): object[] {
  const lessons = dataIn<{ id: string; advice: string }[]>(asked, 'lessons') ?? [];
  const memories = dataIn<ShownMemory[]>(asked, 'memories') ?? [];
  const all = lessons.map(({ id }) => id);
  const added = lessons.map(({ id, advice }) => ({
    op: 'add',
    format: 'note',
    title: advice.slice(0, 60),
    text: `${advice}\n`,
    reason: 'It was said.',
    lessons: [id],
  }));
  const cut = memories.map(({ path, text }, n) =>
    n % 2 === 0
      ? { op: 'revise', path, text: text.slice(0, 20), reason: 'Shorter.', lessons: all }
      : { op: 'retire', path, reason: 'Too long.', lessons: all },
  );
  return [...added, ...cut];
}
