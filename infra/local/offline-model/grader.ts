import type { ContentBlock } from '@anthropic-ai/sdk/resources/messages';
import type { Conversation, Done } from './conversation.ts';

type Content = ContentBlock[];

interface Criterion {
  readonly id: string;
  readonly text: string;
}

interface Judgement {
  readonly id: string;
  readonly verdict: 'met' | 'not_met';
  readonly reason: string;
  readonly evidence: readonly { readonly path: string; readonly quote: string }[];
}

/** Plays a grader: it reads every deliverable and looks for the words of each criterion in them. */
export const grader = {
  wants: ({ tools }: Conversation): boolean => tools.has('submit_verdict') && tools.has('read'),
  answer: ({ asked, done }: Conversation): Content => {
    const unread = listed(asked).filter((path) => !done.some((each) => pathOf(each) === path));
    if (unread.length > 0) return unread.map((path) => call('read', { path }));
    const read = done.filter(({ name, failed }) => name === 'read' && !failed);
    const criteria = criteriaOf(asked).map((criterion) => judge(criterion, read));
    return [call('submit_verdict', { criteria })];
  },
};

/** The JSON objects, one a line, between tags of a kind. */
function objectsIn(asked: string, kinds: string): Record<string, unknown>[] {
  const found = [...asked.matchAll(new RegExp(`<((?:${kinds})-\\w+)>\\n([^]*?)\\n</\\1>`, 'g'))];
  return found.flatMap(([, , inside = '']) =>
    inside
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>),
  );
}

function listed(asked: string): string[] {
  return objectsIn(asked, 'deliverable').map(({ path }) => String(path));
}

/** Of a rubric, or the items of an outcome model. */
function criteriaOf(asked: string): Criterion[] {
  return objectsIn(asked, 'criteria|items').map(({ id, text }) => ({
    id: String(id),
    text: String(text),
  }));
}

/** A criterion that names a section by its title needs it; any other, a line that speaks of it. */
function judge({ id, text }: Criterion, read: readonly Done[]): Judgement {
  const [, column, least, most] = BOUNDS.exec(text) ?? [];
  if (column !== undefined) return measure(id, column, [Number(least), Number(most)], read);
  const title = /section ["“`](.+?)["”`]/i.exec(text)?.[1];
  const lines = read.flatMap((each) => linesOf(each).map((line) => ({ path: pathOf(each), line })));
  const best =
    title === undefined
      ? speaking(text, lines)
      : lines.find(({ line }) => line.replace(/^#+\s*/, '') === title && line.startsWith('#'));
  if (best === undefined) {
    const what = title === undefined ? 'passage about it' : `section “${title}”`;
    return { id, verdict: 'not_met', reason: `There is no ${what}.`, evidence: [] };
  }
  const evidence = [{ path: best.path, quote: best.line }];
  return { id, verdict: 'met', reason: `It stands there: ${best.line}`, evidence };
}

/** A criterion that gives bounds for a column of the report's table. */
const BOUNDS = /\b(first|last|min|max|mean) value .*between (-?[\d.]+) and (-?[\d.]+)/;

function measure(
  id: string,
  column: string,
  [least, most]: readonly [number, number],
  read: readonly Done[],
): Judgement {
  const rows = read.flatMap((each) =>
    linesOf(each)
      .filter((line) => line.startsWith('|'))
      .map((line) => ({ path: pathOf(each), line, cells: cellsOf(line) })),
  );
  const place = rows.find(({ cells }) => cells.includes(column))?.cells.indexOf(column) ?? -1;
  const values = rows.flatMap(({ path, line, cells }) => {
    const cell = cells[place] ?? '';
    return /^-?\d+(?:\.\d+)?$/.test(cell) ? [{ path, line, value: Number(cell) }] : [];
  });
  const outside = values.find(({ value }) => value < least || value > most);
  const shown = outside ?? values[0];
  if (shown === undefined) {
    return { id, verdict: 'not_met', reason: `No table has a column “${column}”.`, evidence: [] };
  }
  const evidence = [{ path: shown.path, quote: shown.line }];
  return outside === undefined
    ? { id, verdict: 'met', reason: `It is ${shown.value}.`, evidence }
    : { id, verdict: 'not_met', reason: `It is ${shown.value}, which cannot be.`, evidence };
}

function cellsOf(line: string): string[] {
  return line.split('|').map((cell) => cell.trim());
}

interface Line {
  readonly path: string;
  readonly line: string;
}

/** The line that shares most words with a criterion, and at least two. */
function speaking(text: string, lines: readonly Line[]): Line | undefined {
  const wanted = stems(text);
  const scored = lines.map((line) => ({
    ...line,
    score: [...stems(line.line)].filter((stem) => wanted.has(stem)).length,
  }));
  const best = scored.toSorted((a, b) => b.score - a.score)[0];
  return best !== undefined && best.score >= 2 ? best : undefined;
}

/** Words by their first four letters. */
function stems(text: string): Set<string> {
  return new Set((text.toLowerCase().match(/\p{L}{4,}/gu) ?? []).map((word) => word.slice(0, 4)));
}

function pathOf({ input }: Done): string {
  return String((input as { path?: unknown }).path);
}

/** What stands in a file, without the words and tags around it. */
function linesOf({ result }: Done): string[] {
  const inside = /<(deliverable-\w+)>\n([^]*)\n<\/\1>/.exec(result)?.[2] ?? '';
  return inside
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.length >= 4);
}

let calls = 0;

function call(name: string, input: object): ContentBlock {
  calls += 1;
  const id = `toolu_grader${calls}`;
  return { type: 'tool_use', id, name, input, caller: { type: 'direct' } };
}
