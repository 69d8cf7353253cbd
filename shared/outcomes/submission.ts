import * as z from 'zod';
import { limits } from '../core/limits.ts';
import { upToUnits } from '../core/text.ts';
import type { Criterion } from './criteria.ts';

/** What a verdict on a criterion rests on. */
export interface Evidence {
  /** A file, a folder, or the address of a fetched page. */
  readonly path: string;
  /** Word for word from it. */
  readonly quote?: string;
}

export const judgements = ['met', 'not_met', 'cannot_tell'] as const;
export type Judgement = (typeof judgements)[number];

const Evidence = z.object({ path: z.string().min(1), quote: z.string().nullish() });

const Entry = z.object({
  id: z.string(),
  verdict: z.enum(judgements),
  reason: z.string().trim().min(1),
  evidence: z.array(Evidence).max(limits.evidence_max).default([]),
});

/** What the grader says of one criterion. */
export interface Entry {
  readonly id: string;
  readonly verdict: Judgement;
  readonly reason: string;
  readonly evidence: readonly Evidence[];
}

const Submission = z.object({ criteria: z.array(z.unknown()), misfit: z.string().nullish() });

/** The verdicts that have come so far. A later one on a criterion replaces the earlier one. */
export class Ballot {
  readonly #criteria: readonly Criterion[];
  readonly #entries = new Map<string, Entry>();
  /** Why rubric and task do not fit, when the last submission says so. */
  misfit: string | undefined;

  constructor(criteria: readonly Criterion[]) {
    this.#criteria = criteria;
  }

  /** Take in what was submitted. @returns what is wrong with it, each in a sentence for the grader */
  take(input: unknown): string[] {
    const submission = Submission.safeParse(input);
    if (!submission.success) return ['It must be an object with the array "criteria".'];
    this.misfit = submission.data.misfit?.trim() || undefined;
    const seen = new Map<string, number>();
    const entries: Entry[] = [];
    const faults: string[] = [];
    for (const [index, one] of submission.data.criteria.entries()) {
      const entry = Entry.safeParse(one);
      if (!entry.success) {
        faults.push(`criteria[${index}]: ${z.prettifyError(entry.error).slice(0, 300)}`);
      } else if (!this.#criteria.some(({ id }) => id === entry.data.id)) {
        faults.push(`There is no criterion ${JSON.stringify(entry.data.id.slice(0, 40))}.`);
      } else {
        seen.set(entry.data.id, (seen.get(entry.data.id) ?? 0) + 1);
        entries.push(entryOf(entry.data));
      }
    }
    for (const entry of entries) {
      // Two verdicts on one criterion are none.
      if (seen.get(entry.id) === 1) this.#entries.set(entry.id, entry);
      else this.#entries.delete(entry.id);
    }
    const twice = [...seen].flatMap(([id, count]) => (count > 1 ? [id] : []));
    if (twice.length > 0) faults.push(`More than one verdict: ${twice.join(', ')}.`);
    return faults;
  }

  /** Ids of criteria that have no verdict yet. */
  get open(): string[] {
    return this.#criteria.flatMap(({ id }) => (this.#entries.has(id) ? [] : [id]));
  }

  get judged_count(): number {
    return [...this.#entries.values()].filter(({ verdict }) => verdict !== 'cannot_tell').length;
  }

  of(id: string): Entry | undefined {
    return this.#entries.get(id);
  }
}

function entryOf({ evidence, reason, ...rest }: z.output<typeof Entry>): Entry {
  return {
    ...rest,
    reason: upToUnits(reason, limits.reason_chars_max),
    evidence: evidence.map(({ path: named, quote }) => {
      const path = /^\/.+\/$/.test(named) ? named.slice(0, -1) : named;
      return (quote ?? '').trim() === '' ? { path } : { path, quote: quote ?? '' };
    }),
  };
}
