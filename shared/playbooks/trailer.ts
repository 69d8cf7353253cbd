import { limits } from '../core/limits.ts';

/** What code writes below a memory's own words: where they come from, and what they replaced. */
export interface Trailer {
  /** `sesn_…/sevt_… (2026-11-20)`, newest last. */
  readonly sources: readonly string[];
  /** What was believed before, with the day until which. */
  readonly history: readonly string[];
}

const MARK = '<!-- reverie:sources -->';
const SOURCES = 'Learned from: ';
const HISTORY = 'Superseded: ';

/** A memory's own words, and what code wrote below them. */
export function splitTrailer(text: string): { readonly body: string } & Trailer {
  const at = text.lastIndexOf(`${MARK}\n`);
  if (at === -1) return { body: text, sources: [], history: [] };
  const lines = text.slice(at + MARK.length + 1).split('\n');
  const after = (start: string): string[] =>
    lines.flatMap((line) => (line.startsWith(start) ? [line.slice(start.length)] : []));
  const body = text.slice(0, at).replace(/\n+$/, '\n');
  return { body, sources: after(SOURCES), history: after(HISTORY) };
}

/** The newest sources up to a bound; history is never shortened. */
export function withTrailer(body: string, { sources, history }: Trailer): string {
  const own = body.replaceAll(MARK, '').replace(/\s*$/, '\n');
  const newest = [...new Set(sources)].slice(-limits.evidence_max);
  const lines = [
    ...newest.map((source) => `${SOURCES}${source}`),
    ...[...new Set(history)].map((line) => `${HISTORY}${line}`),
  ];
  return lines.length === 0 ? own : `${own}\n${MARK}\n${lines.join('\n')}\n`;
}
