import type { Colour } from './event-line.ts';

/** One criterion for a person: its mark, what it asks for, and why where it is not met. */
export interface VerdictLine {
  readonly text: string;
  readonly colour: Colour;
}

const marks: Readonly<Record<string, { readonly mark: string; readonly colour: Colour }>> = {
  Met: { mark: '✓', colour: 'green' },
  'Not met': { mark: '✗', colour: 'red' },
  'Cannot tell': { mark: '?', colour: 'yellow' },
};

/** The criteria of a grader's explanation, as `span.outcome_evaluation_end` carries it, by number. */
export function verdictLines(explanation: string): VerdictLine[] {
  const found = [...explanation.matchAll(/^- (Met|Not met|Cannot tell): c(\d+) "(.*)"\.(.*)$/gm)];
  const numbered = found.map(([, verdict = '', n, text = '', why = '']) => {
    const { mark = '', colour = 'dim' } = marks[verdict] ?? {};
    const line: VerdictLine = { text: `${mark} ${text}${why === '' ? '' : ` →${why}`}`, colour };
    return { n: Number(n), line };
  });
  return numbered.toSorted((a, b) => a.n - b.n).map(({ line }) => line);
}
