import { newId } from '../core/id.ts';
import type { Write } from '../core/table.ts';
import type { Line } from '../events/event.ts';
import type { ThreadHead } from '../threads/thread.ts';
import { changeOutcome, type OpenOutcome } from './outcome.ts';

/** Tokens of a span that has used none. */
export const no_model_usage = {
  input_tokens: 0,
  output_tokens: 0,
  cache_read_input_tokens: 0,
  cache_creation_input_tokens: 0,
} as const;

export interface Interruption {
  readonly at: string;
  /** What its client reads. @default - that it was interrupted */
  readonly explanation?: string;
}

/**
 * End an outcome without a verdict: a client's interrupt, or an error that its turn does not
 * survive. Who writes this takes the outcome out of the head with it.
 */
export function interruptedOutcome(
  { session_id }: ThreadHead,
  { outcome_id, iteration, evaluation_start_id }: OpenOutcome,
  { at, explanation = 'The work was interrupted before it was judged.' }: Interruption,
): { readonly lines: Line[]; readonly writes: Write[] } {
  return {
    lines: [
      {
        event: {
          id: newId('event'),
          type: 'span.outcome_evaluation_end',
          outcome_id,
          outcome_evaluation_start_id: evaluation_start_id ?? '',
          iteration,
          result: 'interrupted',
          explanation,
          usage: no_model_usage,
        },
      },
    ],
    writes: [
      changeOutcome(session_id, outcome_id, {
        result: 'interrupted',
        explanation,
        completed_at: at,
      }),
    ],
  };
}
