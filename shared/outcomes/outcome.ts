import type { BetaManagedAgentsOutcomeEvaluationResource } from '@anthropic-ai/sdk/resources/beta/sessions/sessions';
import type { Blobs } from '../core/blobs.ts';
import { load, type Stored } from '../core/stored.ts';
import type { Key, Row, Table, Update } from '../core/table.ts';

/**
 * Where an outcome stands in its thread's head. `pending`: the model has not seen it. `work`: it
 * works on it. `grade`: the grader looks at the result. `acknowledge`: no evaluation is left, and
 * the model says its last word.
 */
export type Stage = 'pending' | 'work' | 'grade' | 'acknowledge';

/** The outcome that a thread works for; the rest of it stands in its row. */
export interface OpenOutcome {
  readonly outcome_id: string;
  readonly stage: Stage;
  /** Revisions so far. */
  readonly iteration: number;
  readonly max_iterations: number;
  /** The `span.outcome_evaluation_start` without an end, when there is one. */
  readonly evaluation_start_id: string | null;
}

/** `outcome_evaluations[].result` of a session. */
export type OutcomeResult =
  | 'pending'
  | 'running'
  | 'evaluating'
  | 'satisfied'
  | 'max_iterations_reached'
  | 'failed'
  | 'interrupted';

/** What an outcome asks for. */
export interface Definition {
  readonly description: string;
  /** Markdown or plain text. */
  readonly rubric: string;
}

/** `SESSION#<id>` / `OUTCOME#<outcome>`: changed only by the transactions that write the log. */
export interface OutcomeRow extends Row {
  readonly schema: 1;
  readonly outcome_id: string;
  readonly session_id: string;
  /** The `user.define_outcome` event. */
  readonly event_id: string;
  readonly definition: Stored<Definition>;
  readonly max_iterations: number;
  readonly defined_at: string;
  readonly iteration: number;
  readonly result: OutcomeResult;
  /** Of the newest evaluation. */
  readonly explanation: string | null;
  readonly completed_at: string | null;
}

export function outcomeKey(session_id: string, outcome_id: string): Key {
  return { pk: `SESSION#${session_id}`, sk: `OUTCOME#${outcome_id}` };
}

/** What a transaction changes of an outcome's row. */
export type OutcomePatch = Partial<
  Pick<OutcomeRow, 'result' | 'iteration' | 'explanation' | 'completed_at'>
>;

/** Part of the transaction that writes the log, whose condition on the head covers it. */
export function changeOutcome(session_id: string, outcome_id: string, patch: OutcomePatch): Update {
  const fields = Object.entries(patch);
  return {
    update: outcomeKey(session_id, outcome_id),
    expression: `SET ${fields.map(([name]) => `#${name} = :${name}`).join(', ')}`,
    condition: 'attribute_exists(pk)',
    names: Object.fromEntries(fields.map(([name]) => [`#${name}`, name])),
    values: Object.fromEntries(fields.map(([name, value]) => [`:${name}`, value])),
  };
}

/** Whether an outcome still waits for a result: only then another one is refused. */
export function isActive(outcome: OpenOutcome | null | undefined): outcome is OpenOutcome {
  return outcome != null && outcome.stage !== 'acknowledge';
}

export type OutcomeEvaluation = BetaManagedAgentsOutcomeEvaluationResource;

/**
 * A session's outcomes in the order in which they were defined.
 *
 * @param outcomes_count As the session's head has it: without any, nothing is read.
 */
export async function outcomesOf(
  { table, blobs }: { readonly table: Table; readonly blobs: Blobs },
  session_id: string,
  outcomes_count: number | undefined,
): Promise<OutcomeEvaluation[]> {
  if ((outcomes_count ?? 0) === 0) return [];
  const rows: OutcomeRow[] = [];
  const { pk } = outcomeKey(session_id, '');
  for (let from = 'OUTCOME#'; ;) {
    const page = await table.query({ pk, from, to: 'OUTCOME#~' });
    rows.push(...(page.rows as OutcomeRow[]));
    const last = page.rows.at(-1);
    if (!page.more || last === undefined) break;
    from = `${last.sk}!`;
  }
  return await Promise.all(rows.map(async (row) => await showOutcome(blobs, row)));
}

async function showOutcome(blobs: Blobs, row: OutcomeRow): Promise<OutcomeEvaluation> {
  const { description } = await load(blobs, row.definition);
  return {
    type: 'outcome_evaluation',
    outcome_id: row.outcome_id,
    description,
    iteration: row.iteration,
    result: row.result,
    explanation: row.explanation,
    completed_at: row.completed_at,
  };
}
