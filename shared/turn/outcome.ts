import { newId } from '../core/id.ts';
import { interruptedOutcome } from '../outcomes/interrupted.ts';
import { changeOutcome, isActive } from '../outcomes/outcome.ts';
import type { ThreadHead } from '../threads/thread.ts';
import type { Change } from '../threads/change.ts';

const nothing: Change = { lines: [] };

/** A model request begins: from now on the model knows of the outcome. */
export function startWork({ session_id, outcome }: ThreadHead): Change {
  if (outcome?.stage !== 'pending') return nothing;
  return {
    lines: [],
    patch: { outcome: { ...outcome, stage: 'work' } },
    writes: [changeOutcome(session_id, outcome.outcome_id, { result: 'running' })],
  };
}

/** The model has nothing left to do: what it made is looked at, and no idle is said before that. */
export function beginEvaluation({ session_id, outcome }: ThreadHead): Change {
  if (outcome?.stage !== 'work') return nothing;
  const { outcome_id, iteration } = outcome;
  const id = newId('event');
  return {
    lines: [{ event: { id, type: 'span.outcome_evaluation_start', outcome_id, iteration } }],
    patch: { phase: 'take', outcome: { ...outcome, stage: 'grade', evaluation_start_id: id } },
    writes: [changeOutcome(session_id, outcome_id, { result: 'evaluating' })],
  };
}

/** The turn ends before there is a verdict: an interrupt, or an error that nothing goes on after. */
export function giveOutcomeUp(head: ThreadHead, now: Date, explanation?: string): Change {
  if (!isActive(head.outcome)) return { lines: [], patch: { outcome: null } };
  const at = now.toISOString();
  const ended = interruptedOutcome(head, head.outcome, {
    at,
    ...(explanation === undefined ? {} : { explanation }),
  });
  return { ...ended, patch: { outcome: null } };
}
