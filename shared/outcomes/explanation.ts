import { limits } from '../core/limits.ts';
import { upToUnits } from '../core/text.ts';
import type { Evidence, Judgement } from './submission.ts';

/** What became of one criterion. */
export interface Judged {
  readonly id: string;
  readonly text: string;
  readonly verdict: Judgement;
  readonly reason: string;
  /** Only what code has found to hold. */
  readonly evidence: readonly Evidence[];
}

const words: Readonly<Record<Judgement, string>> = {
  met: 'Met',
  not_met: 'Not met',
  cannot_tell: 'Cannot tell',
};

/** What a verdict says in prose: first what is missing and why, for the agent works on by it. */
export function explain(criteria: readonly Judged[]): string {
  const met = criteria.filter(({ verdict }) => verdict === 'met');
  const open = criteria.filter(({ verdict }) => verdict !== 'met');
  const lines = [
    `${met.length} of ${criteria.length} criteria are met.`,
    ...open.map(
      ({ id, text, verdict, reason, evidence }) =>
        `- ${words[verdict]}: ${id} "${short(text, TEXT_CHARS)}". ${short(reason, REASON_CHARS)}${placesOf(evidence)}`,
    ),
    ...met.map(({ id, text }) => `- Met: ${id} "${short(text, TEXT_CHARS)}".`),
  ];
  return bounded(lines);
}

const TEXT_CHARS = 200;
const REASON_CHARS = 800;

function placesOf(evidence: readonly Evidence[]): string {
  const paths = [...new Set(evidence.map(({ path }) => path))].slice(0, 3);
  return paths.length === 0 ? '' : ` (${paths.join(', ')})`;
}

/** One line of a text. */
function short(text: string, chars_max: number): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= chars_max ? line : `${upToUnits(line, chars_max - 1)}…`;
}

function bounded(lines: readonly string[]): string {
  let left: number = limits.explanation_chars_max - 100;
  const fitting = lines.filter((line) => (left -= line.length + 1) >= 0);
  const rest = lines.length - fitting.length;
  return [
    ...fitting,
    ...(rest > 0 ? [`And ${rest} more criteria; see the verdict itself.`] : []),
  ].join('\n');
}
