import { limits } from '../core/limits.ts';
import { noUsage, type Usage } from '../threads/thread.ts';
import type { Judged } from './explanation.ts';
import { kindOf, showGradingUsage, type GradingUsage } from './show-verdict.ts';
import type { VerdictRow } from './verdict-row.ts';

/**
 * What a set of verdicts comes to. An outcome is counted by its last verdict, so by when it was
 * decided: `satisfied`, `max_iterations_reached` or `failed`. Outcomes that are still worked for or
 * were interrupted have none and are not counted. Every report is a last verdict.
 */
export interface VerdictStatistics {
  /** `created_at` of the oldest and the newest verdict; null when there is none. */
  readonly from: string | null;
  readonly to: string | null;
  /** All verdicts, those that sent work back among them. */
  readonly verdicts_count: number;
  readonly outcomes_count: number;
  /** Last verdicts by what they say; they add up to `outcomes_count`. */
  readonly results: Readonly<Record<VerdictRow['result'], number>>;
  /** Satisfied outcomes of all counted ones, 0 to 1; null when there are none. */
  readonly pass_rate: number | null;
  /** Evaluations that satisfied outcomes took, the passing one included; null without any. */
  readonly iterations_to_pass: { readonly mean: number; readonly median: number } | null;
  /** Of all verdicts; gradings that were thrown away are in their session's usage alone. */
  readonly usage: GradingUsage;
}

export interface VersionStatistics extends VerdictStatistics {
  readonly agent_version: number;
}

/** A criterion and how often it was not met. */
export interface FailedCriterion {
  /** As one of them has it. */
  readonly text: string;
  /** Verdicts in which it was `not_met` or could not be told. */
  readonly count: number;
  readonly cannot_tell_count: number;
  readonly example: {
    readonly evaluation_id: string;
    readonly session_id: string;
    readonly reason: string;
  };
}

/** Counts of one set of verdicts, whatever the order in which they come. */
class Counts {
  #from: string | null = null;
  #to: string | null = null;
  #verdicts_count = 0;
  #usage: Usage = noUsage;
  readonly #results = { satisfied: 0, needs_revision: 0, max_iterations_reached: 0, failed: 0 };
  readonly #iterations: number[] = [];

  add(row: VerdictRow): void {
    const { created_at } = row;
    if (this.#from === null || created_at < this.#from) this.#from = created_at;
    if (this.#to === null || created_at > this.#to) this.#to = created_at;
    this.#verdicts_count += 1;
    this.#usage = sum(this.#usage, row.usage);
    if (!isLast(row)) return;
    this.#results[row.result] += 1;
    if (row.result === 'satisfied') this.#iterations.push(row.iteration + 1);
  }

  show(): VerdictStatistics {
    const outcomes_count = Object.values(this.#results).reduce((total, n) => total + n, 0);
    return {
      from: this.#from,
      to: this.#to,
      verdicts_count: this.#verdicts_count,
      outcomes_count,
      results: { ...this.#results },
      pass_rate: outcomes_count === 0 ? null : this.#results.satisfied / outcomes_count,
      iterations_to_pass: middleOf(this.#iterations),
      usage: showGradingUsage(this.#usage),
    };
  }
}

function isLast(row: VerdictRow): boolean {
  return row.result !== 'needs_revision' || kindOf(row) === 'report';
}

function sum(a: Usage, b: Usage): Usage {
  const summed = Object.entries(a).map(([name, value]) => {
    const more = b[name as keyof Usage];
    return [name, value === null || more === null ? null : value + more];
  });
  return Object.fromEntries(summed) as Usage;
}

function middleOf(numbers: readonly number[]): VerdictStatistics['iterations_to_pass'] {
  if (numbers.length === 0) return null;
  const sorted = numbers.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? 0;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? 0) + upper) / 2;
  return { mean: sorted.reduce((total, n) => total + n, 0) / sorted.length, median };
}

/** Everything that is asked of verdicts, gathered one verdict after the other. */
export class Tally {
  readonly #all = new Counts();
  readonly #versions = new Map<number, Counts>();
  readonly #failed = new Map<string, FailedCriterion>();

  /** Criteria that are told apart so far: what a tally weighs. */
  get criteria_count(): number {
    return this.#failed.size;
  }

  add(row: VerdictRow, criteria: readonly Judged[]): void {
    this.#all.add(row);
    const version = this.#versions.get(row.agent_version) ?? new Counts();
    version.add(row);
    this.#versions.set(row.agent_version, version);
    for (const criterion of criteria) {
      if (criterion.verdict !== 'met') this.#fail(row, criterion);
    }
  }

  #fail(row: VerdictRow, { text, verdict, reason }: Judged): void {
    const key = normalised(text);
    const known = this.#failed.get(key);
    this.#failed.set(key, {
      text: known?.text ?? text.slice(0, limits.summary_text_chars_max),
      count: (known?.count ?? 0) + 1,
      cannot_tell_count: (known?.cannot_tell_count ?? 0) + Number(verdict === 'cannot_tell'),
      example: known?.example ?? {
        evaluation_id: row.verdict_id,
        session_id: row.session_id,
        reason: reason.slice(0, limits.summary_text_chars_max),
      },
    });
  }

  show(): VerdictStatistics & {
    readonly by_version: readonly VersionStatistics[];
    readonly failed_criteria: readonly FailedCriterion[];
  } {
    const versions = [...this.#versions].toSorted(([a], [b]) => b - a);
    const failed = [...this.#failed.values()].toSorted(
      (a, b) => b.count - a.count || (a.text < b.text ? -1 : 1),
    );
    return {
      ...this.#all.show(),
      by_version: versions
        .slice(0, limits.summary_versions_max)
        .map(([agent_version, counts]) => ({ agent_version, ...counts.show() })),
      failed_criteria: failed.slice(0, limits.summary_criteria_max),
    };
  }
}

/** Texts that differ in case, spaces, emphasis or the stop at their end are one criterion. */
export function normalised(text: string): string {
  const plain = text.normalize('NFKC').toLowerCase().replaceAll(/[*`]/g, '');
  const line = plain.replaceAll(/\s+/g, ' ').trim();
  return line.replace(/[\s.:;,!]+$/, '') || line;
}
