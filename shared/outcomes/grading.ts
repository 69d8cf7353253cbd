import type { BetaManagedAgentsModelConfig } from '@anthropic-ai/sdk/resources/beta/agents/agents';
import type { Clock } from '../core/clock.ts';
import type { Model } from '../models/model.ts';
import type { PriceOverrides } from '../models/prices.ts';
import type { Usage } from '../threads/thread.ts';
import type { Dialer } from '../tools/public-fetch.ts';
import type { WebRules } from '../tools/web-rules.ts';
import type { Judged } from './explanation.ts';
import type { OpenGradedFiles } from './graded-files.ts';

/** One evaluation of an outcome. */
export interface Grading {
  readonly session_id: string;
  /** Opaque to the provider. */
  readonly thread_id: string;
  readonly outcome_id: string;
  /** The `span.outcome_evaluation_start` that this evaluation is recorded under. */
  readonly start_event_id: string;
  readonly iteration: number;
  readonly description: string;
  /** Markdown. */
  readonly rubric: string;
  /** The agent's own model. */
  readonly model: BetaManagedAgentsModelConfig;
  /** The agent's rules of web_fetch; null where the agent has none, and so the grader neither. */
  readonly web: WebRules | null;
}

export interface GradePorts {
  readonly model: Model;
  readonly files: OpenGradedFiles;
  readonly dialer: Dialer;
  readonly clock: Clock;
  /** A name that nobody can guess: it marks where data begins and ends. */
  readonly newName: () => string;
  readonly prices: PriceOverrides;
}

export interface GradeOptions {
  readonly signal: AbortSignal;
  /** Epoch milliseconds at which the grading must have ended. */
  readonly deadline_ms: number;
  /** Called every `limits.grader_heartbeat_ms`; what it throws ends the grading and is thrown on. */
  readonly heartbeat: () => Promise<void>;
  /**
   * Called after each request with all that was used until then: what a grading that is thrown away
   * has cost is known too. @default - only the verdict says it
   */
  readonly spent?: (usage: Usage) => void;
}

/** A line of what the grader was asked, said and was told: for audit, never for the agent. */
export interface TranscriptLine {
  readonly at: string;
  readonly type: 'begin' | 'asked' | 'answered' | 'told' | 'checked' | 'end';
  readonly [field: string]: unknown;
}

export interface Verdict {
  readonly result: 'satisfied' | 'needs_revision' | 'failed';
  readonly explanation: string;
  readonly criteria: readonly Judged[];
  /** Of all requests together, with their list cost: what the session is charged. */
  readonly usage: Usage;
  readonly grader_prompt_version: string;
  readonly transcript: readonly TranscriptLine[];
}
