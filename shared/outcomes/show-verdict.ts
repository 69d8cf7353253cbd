import type { Blobs } from '../core/blobs.ts';
import { load } from '../core/stored.ts';
import { shownUsage } from '../models/model.ts';
import { centsText } from '../models/prices.ts';
import type { Usage } from '../threads/thread.ts';
import type { Judged } from './explanation.ts';
import type { VerdictKind, VerdictRow } from './verdict-row.ts';

/** What gradings have used. */
export interface GradingUsage {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_input_tokens: number;
  readonly cache_creation_input_tokens: number;
  readonly web_fetch_requests: number;
  /** US cents as decimal text, exact: one grading often costs less than one. Null without a price. */
  readonly list_cost: { readonly amount: string; readonly currency: 'USD' } | null;
}

/** One evaluation with its verdict. */
export interface VerdictView {
  readonly type: 'verdict';
  /** Of the `span.outcome_evaluation_start` that it answers. */
  readonly id: string;
  readonly kind: VerdictKind;
  readonly agent: { readonly id: string; readonly version: number };
  readonly session_id: string;
  readonly session_thread_id: string;
  readonly outcome_id: string;
  /** Revisions before it. */
  readonly iteration: number;
  readonly result: VerdictRow['result'];
  /** What the agent was told. */
  readonly explanation: string;
  readonly criteria: readonly Judged[];
  readonly usage: GradingUsage;
  /** What judged: the agent's own model, in a context of its own. */
  readonly model: string;
  readonly grader_prompt_version: string;
  /** When the grading began that gave the verdict. */
  readonly started_at: string;
  readonly created_at: string;
}

export async function showVerdict(blobs: Blobs, row: VerdictRow): Promise<VerdictView> {
  const [explanation, criteria] = await Promise.all([
    load(blobs, row.explanation),
    load(blobs, row.criteria),
  ]);
  return {
    type: 'verdict',
    id: row.verdict_id,
    kind: kindOf(row),
    agent: { id: row.agent_id, version: row.agent_version },
    session_id: row.session_id,
    session_thread_id: row.thread_id,
    outcome_id: row.outcome_id,
    iteration: row.iteration,
    result: row.result,
    explanation,
    criteria,
    usage: showGradingUsage(row.usage),
    model: row.model_id,
    grader_prompt_version: row.grader_prompt_version,
    started_at: row.started_at,
    created_at: row.created_at,
  };
}

export function kindOf({ kind = 'outcome' }: VerdictRow): VerdictKind {
  return kind;
}

export function showGradingUsage(usage: Usage): GradingUsage {
  const { cost_microcents } = usage;
  return {
    ...shownUsage(usage),
    web_fetch_requests: usage.web_fetch_requests,
    list_cost:
      cost_microcents === null ? null : { amount: centsText(cost_microcents), currency: 'USD' },
  };
}
