import type { BetaManagedAgentsModelConfig } from '@anthropic-ai/sdk/resources/beta/agents/agents';
import type { Model, RequestUsage } from '../models/model.ts';
import type { PriceOverrides } from '../models/prices.ts';
import type { Candidate } from './candidate.ts';
import type { Ledger } from './ledger.ts';
import type { Operation } from './operation.ts';
import type { Dropped, GateResult, SkippedPiece } from './report.ts';

/** What the stages think with. */
export interface ThinkPorts {
  readonly model: Model;
  readonly prices: PriceOverrides;
  readonly config: BetaManagedAgentsModelConfig;
  /** Opaque to the provider: the pipeline session's thread. */
  readonly thread_id: string;
  /** Random, of this dream: strangers' texts stand between tags that they cannot know. */
  readonly boundary: string;
}

/** What a stage has used; the cost is null when the model has no price. */
export interface ThinkUsage extends RequestUsage {
  readonly requests_count: number;
  readonly cost_microcents: number | null;
}

export interface Reflection {
  readonly candidates: readonly Candidate[];
  readonly dropped: readonly Dropped[];
  /** Null when the model gave a usable answer. */
  readonly skipped: SkippedPiece | null;
  readonly usage: ThinkUsage;
}

export interface Consolidation {
  readonly operations: readonly Operation[];
  /** Counts that move within an operation of the model, for the case that it falls. */
  readonly counts: readonly Operation[];
  /** What the operations would make of the store. */
  readonly ledger: Ledger;
  readonly dropped: readonly Dropped[];
  readonly usage: ThinkUsage;
}

export interface Verification {
  readonly operations: readonly Operation[];
  readonly dropped: readonly Dropped[];
  readonly usage: ThinkUsage;
}

export interface Gating {
  readonly gate: GateResult;
  readonly usage: ThinkUsage;
}
