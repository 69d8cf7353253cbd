import { wordsOf } from './words.ts';

/** A place of a text that a query met. */
export interface Snippet {
  readonly field: 'path' | 'content';
  /** The words met and what stands around them. */
  readonly text: string;
  /** Where the snippet begins in the field, in UTF-16 units as JavaScript counts. */
  readonly start: number;
  /** Of the snippet's beginning, counted from 1. */
  readonly line: number;
  /** The words met, in the same units of the whole field. */
  readonly positions: readonly { readonly start: number; readonly end: number }[];
}

const AROUND_CHARS = 60;
const SNIPPETS_MAX = 3;
const POSITIONS_MAX = 20;

/** The first places of a text that hold words that a query met; neighbours share one snippet. */
export function snippetsOf(
  field: Snippet['field'],
  text: string,
  terms: ReadonlySet<string>,
): Snippet[] {
  const groups: { start: number; end: number }[][] = [];
  for (const { term, start, end } of wordsOf(text)) {
    if (!terms.has(term)) continue;
    const group = groups.at(-1);
    const is_near = group !== undefined && start - (group.at(-1)?.end ?? 0) <= AROUND_CHARS;
    if (is_near && group.length < POSITIONS_MAX) group.push({ start, end });
    else if (groups.length === SNIPPETS_MAX) break;
    else groups.push([{ start, end }]);
  }
  return groups.map((positions) => snippetOf(field, text, positions));
}

function snippetOf(
  field: Snippet['field'],
  text: string,
  positions: Snippet['positions'],
): Snippet {
  const start = whole(text, Math.max(0, (positions[0]?.start ?? 0) - AROUND_CHARS));
  const end = whole(text, Math.min(text.length, (positions.at(-1)?.end ?? 0) + AROUND_CHARS));
  const line = text.slice(0, start).split('\n').length;
  return { field, text: text.slice(start, end), start, line, positions };
}

/** Not between the halves of a surrogate pair. */
function whole(text: string, index: number): number {
  const code = text.charCodeAt(index);
  return code >= 0xdc00 && code <= 0xdfff ? index - 1 : index;
}
