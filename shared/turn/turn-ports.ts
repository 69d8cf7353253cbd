import type { Ports } from '../core/ports.ts';
import type { Model, RequestUsage } from '../models/model.ts';
import type { PriceOverrides } from '../models/prices.ts';
import type { JudgedCall, Judgement } from '../permissions/judge.ts';
import type { BringRepository } from '../resources/bring-repository.ts';
import type { Runs } from '../sessions/runs.ts';
import type { ToolRunner } from '../tools/tools.ts';
import type { SpanExport } from '../traces/export-spans.ts';
import type { ManifestCache } from '../transcripts/manifest-cache.ts';
import type { ContextCache } from './context.ts';
import type { SourceCache } from './file-sources.ts';

/** What happened in a step, for metrics and logs; ids and numbers, never content. */
export type Observation =
  | { readonly type: 'first_delta'; readonly latency_ms: number }
  | {
      readonly type: 'model_request';
      readonly usage: RequestUsage;
      readonly cost_microcents: number | null;
    }
  | {
      readonly type: 'model_error';
      readonly kind: string;
      readonly message: string;
      readonly behind?: string;
    }
  | {
      readonly type: 'tool';
      readonly name: string;
      readonly ms: number;
      readonly is_error: boolean;
    }
  | { readonly type: 'settled'; readonly reason: string }
  | { readonly type: 'verdict'; readonly result: string; readonly iteration: number }
  | { readonly type: 'report'; readonly state: string }
  | { readonly type: 'start_lost'; readonly message: string }
  | { readonly type: 'transcript_lost'; readonly message: string }
  | { readonly type: 'spans_lost'; readonly message: string };

/** What every work on a thread acts upon: that of a step, and that of the grader. */
export interface ThreadPorts extends Ports {
  readonly prices: PriceOverrides;
  readonly contexts: ContextCache;
  readonly random: () => number;
  readonly observe: (observation: Observation) => void;
}

/** Of the two functions that run steps: how much memory it has. */
export type StepSize = 'small' | 'large';

/** What a turn acts upon. */
export interface TurnPorts extends ThreadPorts {
  readonly runs: Pick<Runs, 'start' | 'startThreads'>;
  readonly model: Model;
  readonly tools: ToolRunner;
  readonly bringRepository: BringRepository;
  /** Judge a call. Never throws for the model's failure: what cannot be judged is asked. */
  readonly judge: (call: JudgedCall, signal: AbortSignal) => Promise<Judgement>;
  /** Whether `web_search` can be offered: the provider's own tool or a search API. */
  readonly search: boolean;
  readonly manifests: ManifestCache;
  /** How long the bucket keeps transcripts; 0 means for ever. */
  readonly transcript_days: number;
  readonly sources: SourceCache;
  /** Whether this is the large step: the other hands over to it what needs more memory than it has. */
  readonly is_large: boolean;
  /** Where spans of what threads do are sent. @default - nowhere */
  readonly spans?: SpanExport;
}
