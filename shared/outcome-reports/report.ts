import { prefixes } from '../core/id.ts';
import { limits } from '../core/limits.ts';
import type { Stored } from '../core/stored.ts';
import type { Key, Row } from '../core/table.ts';
import type { ModelItem, SuccessCriterion } from '../outcome-models/outcome-model.ts';
import type { Judgement } from '../outcomes/submission.ts';
import type { UsageSnapshot } from '../sessions/session-usage.ts';
import type { Usage } from '../threads/thread.ts';
import type { SessionFacts } from './facts.ts';

/** What a finding rests on: a passage of a deliverable or page, or an event of the session's log. */
export type ReportEvidence =
  | { readonly path: string; readonly quote?: string }
  | { readonly event_id: string; readonly quote?: string };

interface Finding {
  readonly reason: string;
  /** Only what code has found to hold. */
  readonly evidence: readonly ReportEvidence[];
}

export type CriterionFinding = SuccessCriterion & Finding & { readonly verdict: Judgement };

export type Observed = 'observed' | 'not_observed' | 'cannot_tell';

/** Of a failure mode or a signal. */
export type Observation = ModelItem & Finding & { readonly verdict: Observed };

/** What a report says, item by item. */
export interface Findings {
  readonly success_criteria: readonly CriterionFinding[];
  readonly failure_modes: readonly Observation[];
  readonly signals: readonly Observation[];
  readonly facts: SessionFacts;
}

/** `satisfied`: each `must` is met and no failure mode was observed. */
export type ReportResult = 'satisfied' | 'needs_revision';

export type ReportState = 'pending' | 'done' | 'failed' | 'skipped';

/**
 * `SESSION#<id>` / `REPORT#<run>`: written `pending` by the transaction that brings the run to its
 * rest, so that a report is due exactly when the log says so; ended once.
 */
export interface ReportRow extends Row {
  readonly schema: 1;
  readonly report_id: string;
  readonly session_id: string;
  readonly thread_id: string;
  readonly run: number;
  /** The `session.status_idle` at which the run ended: what came later is not looked at. */
  readonly idle_event_id: string;
  readonly state: ReportState;
  /** Tries so far: only the newest one may end it. */
  readonly attempts: number;
  /** Why there is none, where it was skipped or has failed. */
  readonly reason: string | null;
  readonly model_version: number | null;
  readonly result: ReportResult | null;
  readonly findings: Stored<Findings> | null;
  readonly grader_prompt_version: string | null;
  /** Of all tries together. */
  readonly usage: Usage;
  readonly created_at: string;
  readonly completed_at: string | null;
  /** Executions that it was given beside the run's own. */
  readonly restarts_count: number;
  /** While it is pending: when reconcile looks after it. */
  readonly gsi2pk?: 'EXPIRES';
  readonly gsi2sk?: string;
}

/** A report as the wire shows it. */
export interface OutcomeReport extends Omit<Findings, 'facts'> {
  readonly id: string;
  readonly type: 'outcome_report';
  readonly session_id: string;
  readonly agent_id: string;
  readonly agent_version: number;
  /** Number of the session's run that it is about. */
  readonly run: number;
  readonly state: ReportState;
  readonly reason: string | null;
  readonly outcome_model_version: number | null;
  readonly result: ReportResult | null;
  readonly facts: SessionFacts | null;
  readonly model: string;
  readonly grader_prompt_version: string | null;
  readonly usage: UsageSnapshot;
  readonly created_at: string;
  readonly completed_at: string | null;
}

const RUN_DIGITS = 10;

function padded(run: number): string {
  return String(run).padStart(RUN_DIGITS, '0');
}

export function reportKey(session_id: string, run: number): Key {
  return { pk: `SESSION#${session_id}`, sk: `REPORT#${padded(run)}` };
}

/** Where reconcile finds a report that is not ended in time. */
export function reportDue({ pk, sk }: Key, now: Date) {
  const due = new Date(now.getTime() + limits.report_due_ms).toISOString();
  return { gsi2pk: 'EXPIRES', gsi2sk: `${due}#${pk}|${sk}` } as const;
}

/** Made of session and run: one run has one report, and its row is found by its id alone. */
export function reportId(session_id: string, run: number): string {
  return `${prefixes.outcome_report}_${session_id.slice(prefixes.session.length + 1)}${padded(run)}`;
}

/** The run of a report's id. */
export function runOf(report_id: string): number {
  return Number(report_id.slice(-RUN_DIGITS));
}
