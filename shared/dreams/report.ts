import type { HeldEvidence } from './candidate.ts';
import type { Ledger } from './ledger.ts';
import type { Processing } from './dream.ts';
import type { Operation } from './operation.ts';

/** What fell on the way, and at which stage. */
export interface Dropped {
  readonly stage: 'reflect' | 'consolidate' | 'verify' | 'publish';
  /** One of a fixed set, so that it can be counted. */
  readonly reason: DropReason;
  /** What it was, in a line; never the secret itself. */
  readonly what: string;
  readonly evidence: readonly HeldEvidence[];
}

export const drop_reasons = [
  'bad_answer',
  'no_evidence',
  'quote_not_found',
  'secret',
  'instruction',
  'stranger_only',
  'duplicate',
  'not_taken',
  'unknown_path',
  'conflicting_operation',
  'hand_edited',
  'older_evidence',
  'collapse',
  'too_large',
  'bad_path',
  'bad_playbook',
  'no_change',
  'too_many',
  'vetoed',
  'unverified',
  'changed_meanwhile',
  'store_full',
] as const;
export type DropReason = (typeof drop_reasons)[number];

/** A question of the gate, and how both stores answered it. */
export interface GateScore {
  readonly question: string;
  readonly expected: string;
  /** Where the question is from. */
  readonly from: 'evidence' | 'memory';
  readonly old_correct: boolean;
  readonly new_correct: boolean;
}

export interface GateResult {
  readonly recommended: boolean;
  readonly reason: string;
  readonly scores: readonly GateScore[];
  readonly old_correct_count: number;
  readonly new_correct_count: number;
}

/** One change of one memory, as it stands before and after. */
export interface Edit {
  readonly path: string;
  /** Null where there was none: then it is created. */
  readonly before: {
    readonly memory_id: string;
    readonly memory_version_id: string;
    readonly text: string;
  } | null;
  /** Null when it ends. */
  readonly after: string | null;
  /** The operations behind it; `index` for the index, which is rendered. */
  readonly change_ids: readonly string[];
}

/** A piece that the model could not be brought to answer for. */
export interface SkippedPiece {
  readonly session_id: string;
  readonly piece: number;
  readonly reason: string;
}

/** Tokens and money of a dream. */
export interface DreamSpending {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_input_tokens: number;
  readonly cache_creation_input_tokens: number;
  readonly cost_microcents: number | null;
  /** What the sessions had cost that it read; null when one of them has no price. */
  readonly sessions_cost_microcents: number | null;
}

/** How the model was asked. */
export interface ReportedProcessing {
  /** `standard` also where a dream by batches found that the provider has none any more. */
  readonly type: Processing;
  readonly batches_count: number;
  /** Requests that batches have answered, at half the price. */
  readonly batched_count: number;
  /** Requests that no batch has answered, and that were made by themselves at the full price. */
  readonly alone_count: number;
  /** Why, in words. */
  readonly reasons: readonly string[];
}

/** A session that was read, by the name that people know it by. */
export interface ReportedSession {
  readonly session_id: string;
  /** As it was when the dream ended; null where there was none, and where it held a secret. */
  readonly title: string | null;
}

/** Everything that a dream did, as `report.json` has it. */
export interface DreamReport {
  readonly type: 'dream_report';
  readonly dream_id: string;
  readonly dream_prompt_version: string;
  readonly model_id: string;
  readonly session_ids: readonly string[];
  /** The same with their titles. @default - ids alone, in reports from before they were told */
  readonly sessions?: readonly ReportedSession[];
  readonly memories_before_count: number;
  readonly memories_after_count: number;
  readonly candidates_count: number;
  readonly operations: readonly (Operation & { readonly edits: readonly EditDiff[] })[];
  readonly index: EditDiff | null;
  readonly ledger: Ledger;
  readonly dropped: readonly Dropped[];
  readonly dropped_counts: Readonly<Partial<Record<DropReason, number>>>;
  readonly skipped: readonly SkippedPiece[];
  /** Playbooks of the input store that the sessions have read, and what that has shown. */
  readonly playbook_uses: readonly ReportedUse[];
  /** Null when there was nothing to judge. */
  readonly gate: GateResult | null;
  /** @default - standard, in reports from before there were batches */
  readonly processing?: ReportedProcessing;
  readonly spending: DreamSpending;
  /** Dream's cost as a share of what its sessions had cost, e.g. 0.08; null when one is unknown. */
  readonly cost_share: number | null;
}

/** A playbook that a session has read. */
export interface ReportedUse {
  readonly path: string;
  readonly session_id: string;
  /** The tool call whose answer showed it. */
  readonly event_id: string;
  /** How the session went after that; null where nothing says so. */
  readonly verdict: HeldEvidence | null;
  /** `dropped`: its verdict did not move the counts, because that change has fallen. */
  readonly state: 'counted' | 'counted_before' | 'no_verdict' | 'dropped';
}

export interface EditDiff {
  readonly path: string;
  /** A unified diff. */
  readonly diff: string;
}
