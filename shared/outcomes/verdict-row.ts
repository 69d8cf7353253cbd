import type { Key, Row } from '../core/table.ts';
import type { Stored } from '../core/stored.ts';
import { sessionPrefix } from '../sessions/session.ts';
import type { Usage } from '../threads/thread.ts';
import type { Judged } from './explanation.ts';

export type VerdictKind = 'outcome' | 'report';

/**
 * `VERDICTS#<workspace>#<agent>` / `<time>#<id>`: what one evaluation found, with all that verdicts
 * are asked for by. It goes with its session.
 */
export interface VerdictRow extends Row {
  readonly schema: 1;
  /** An evaluation of a defined outcome, or a report by the agent's outcome model. @default outcome */
  readonly kind?: VerdictKind;
  /** The `span.outcome_evaluation_start` that it answers. */
  readonly verdict_id: string;
  readonly workspace_id: string;
  readonly agent_id: string;
  readonly agent_version: number;
  readonly session_id: string;
  readonly thread_id: string;
  readonly outcome_id: string;
  readonly iteration: number;
  readonly result: 'satisfied' | 'needs_revision' | 'max_iterations_reached' | 'failed';
  readonly explanation: Stored<string>;
  readonly criteria: Stored<readonly Judged[]>;
  readonly usage: Usage;
  readonly model_id: string;
  readonly grader_prompt_version: string;
  /** Key of the object that holds what the grader was asked and answered, line by line. */
  readonly transcript_key: string;
  /** When the grading began that gave the verdict; one that was lost before it does not count. */
  readonly started_at: string;
  readonly created_at: string;
}

export function verdictKey(
  { workspace_id, agent_id }: { readonly workspace_id: string; readonly agent_id: string },
  created_at: string,
  verdict_id: string,
): Key {
  return { pk: `VERDICTS#${workspace_id}#${agent_id}`, sk: `${created_at}#${verdict_id}` };
}

/**
 * `SESSION#<id>` / `VERDICT#<time>#<id>`: where a session's verdicts are, for its own list and for
 * whoever deletes it.
 */
export interface VerdictPointer extends Row {
  readonly verdict_pk: string;
  readonly verdict_sk: string;
}

export function verdictPointerKey(session_id: string, created_at: string, id: string): Key {
  return { pk: `SESSION#${session_id}`, sk: `VERDICT#${created_at}#${id}` };
}

/**
 * Where a grading's objects are. By its fence, too: an invocation that was taken for dead may still
 * write, and must not change what a verdict points at.
 */
export function gradePrefix(session_id: string, verdict_id: string, lease_fence: number): string {
  return `${sessionPrefix(session_id)}grades/${verdict_id}-${lease_fence}`;
}
