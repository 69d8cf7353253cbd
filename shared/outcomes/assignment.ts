import type { Criterion } from './criteria.ts';
import type { Fit } from './fit.ts';
import type { Grading } from './grading.ts';
import type { Brief } from './prompts.ts';
import type { Judgement } from './submission.ts';

/** What a grader judges and by what: an outcome by its rubric, or a session by its agent's model. */
export interface Assignment extends Pick<Grading, 'session_id' | 'model' | 'web'> {
  /** Recorded under it. */
  readonly event_id: string;
  /** What the audit keeps of where it belongs. */
  readonly noted: object;
  readonly criteria: readonly Criterion[];
  /** Texts of who set the task: the files and pages that they name may be read. */
  readonly task_texts: readonly string[];
  /** What the brief shows and evidence may name, by its path there. */
  readonly pages: ReadonlyMap<string, string>;
  readonly instructions: string;
  /** The first message. */
  readonly brief: (boundary: string, seen: Pick<Brief, 'folders' | 'listing'>) => string;
  /** What a criterion without a usable verdict counts as. */
  readonly unjudged: Judgement;
  /** A second look at whether the criteria can be applied at all. */
  readonly fit: (signal: AbortSignal) => Promise<Fit>;
  readonly grader_prompt_version: string;
}
