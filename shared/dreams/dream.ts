import type {
  BetaDreamErrorObject,
  BetaDreamStatus,
  BetaDreamUsage,
  BetaOutputBehavior,
} from '@anthropic-ai/sdk/resources/beta/dreams';
import { limits } from '../core/limits.ts';
import type { Key, Row } from '../core/table.ts';

export type DreamStatus = BetaDreamStatus;
export type DreamUsage = BetaDreamUsage;

/** Where a dream's machine is, for whoever watches; what it does is decided by what is written. */
export type DreamStage =
  | 'gather'
  | 'reflect'
  | 'consolidate'
  | 'verify'
  | 'gate'
  | 'publish'
  | 'ended';

/** How a dream asks its model: at once, or by the Message Batches API at half the price. */
export const processings = ['standard', 'batch'] as const;
export type Processing = (typeof processings)[number];

/** `error.type` of a dream that failed. */
export type DreamErrorType =
  | 'timeout'
  | 'internal_error'
  | 'input_memory_store_too_large'
  | 'input_memory_store_unavailable'
  | 'input_session_unavailable';

export interface DreamError extends BetaDreamErrorObject {
  readonly type: DreamErrorType;
}

/**
 * `DREAM#<id>` / `HEAD`. A status is changed under the condition of the one before it, usage is only
 * added to: tasks that work side by side need not know of one another.
 */
export interface DreamHead extends Row {
  readonly schema: 1;
  readonly version: number;
  readonly dream_id: string;
  readonly workspace_id: string;
  readonly status: DreamStatus;
  readonly stage: DreamStage;
  readonly memory_store_id: string;
  /** Sorted. */
  readonly session_ids: readonly string[];
  readonly model: { readonly id: string; readonly speed: 'standard' };
  /** @default - standard, as of every dream from before there were others */
  readonly processing?: Processing;
  readonly instructions: string | null;
  readonly output_behavior: BetaOutputBehavior;
  /** The store that the copy will be, chosen at the beginning: who makes it twice makes it once. */
  readonly copy_store_id: string;
  /** Null until the store is recorded. */
  readonly output_store_id: string | null;
  /** The session that the dream runs as, chosen at the beginning. */
  readonly pipeline_session_id: string;
  /** Null until that session is there. */
  readonly session_id: string | null;
  /** Strangers' texts stand between tags of this name, which nobody is shown. */
  readonly boundary: string;
  readonly error: DreamError | null;
  readonly usage: DreamUsage;
  readonly cost_microcents: number;
  /** What the gate said; null until then, and where there was nothing to judge. */
  readonly recommended: boolean | null;
  /**
   * Changes that it could not write: others had changed their memories, or there was no room. Of one
   * that was stopped amid its writes into its own store: those that it had not come to.
   * @default - none; of one that was stopped, that it had written nothing
   */
  readonly unwritten?: readonly string[];
  readonly created_at: string;
  readonly ended_at: string | null;
  readonly archived_at: string | null;
  /** The schedule, and its run, that began this dream. @default - a client did */
  readonly scheduled?: { readonly dream_schedule_id: string; readonly run_id: string };
  /** Number of the newest run; an execution of another has nothing to do here. */
  readonly run: number;
  readonly gsi1pk: string;
  readonly gsi1sk: string;
  /** Present until the dream has fully stopped: the index that reconcile reads. */
  readonly gsi2pk?: 'DREAMING';
  /** `<since>#<dream id>` */
  readonly gsi2sk?: string;
}

export const no_dream_usage: DreamUsage = {
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  input_tokens: 0,
  output_tokens: 0,
};

export function dreamKey(dream_id: string): Key {
  return { pk: `DREAM#${dream_id}`, sk: 'HEAD' };
}

/** `DREAM#<id>` / `P#<session n>#<piece n>`: a piece that was read. Padded, so that they sort. */
export function pieceKey(dream_id: string, session_n: number, piece_n: number): Key {
  return {
    ...dreamKey(dream_id),
    sk: `${piecesBelow(session_n)}${String(piece_n).padStart(6, '0')}`,
  };
}

/** `DREAM#<id>` / `R#<session n>`: a session of a dream by batches that was read to its end. */
export function readKey(dream_id: string, session_n: number): Key {
  return { ...dreamKey(dream_id), sk: `R#${String(session_n).padStart(3, '0')}` };
}

/** Where the pieces of a session begin in the dream's partition. */
export function piecesBelow(session_n: number): string {
  return `P#${String(session_n).padStart(3, '0')}#`;
}

/** `MEMSTORE#<store>` / `DREAM`: the dream that writes into this store. */
export interface HoldRow extends Row {
  readonly dream_id: string;
}

export function holdKey(store_id: string): Key {
  return { pk: `MEMSTORE#${store_id}`, sk: 'DREAM' };
}

/** A dream's own object in the bucket: `snapshot.json`, `report.md`. */
export function dreamObject(dream_id: string, name: string): string {
  return `dreams/${dream_id}/${name}`;
}

/** Name of the machine's execution for one run: a second start of it is refused by Step Functions. */
export function dreamExecution(dream_id: string, run: number): string {
  return `${dream_id}-${run}`;
}

/** How long a dream may take before it fails as `timeout`. */
export function timeoutMs({ processing }: Pick<DreamHead, 'processing'>): number {
  return processing === 'batch' ? limits.dream_batch_timeout_ms : limits.dream_timeout_ms;
}

export function hasEnded({ status }: Pick<DreamHead, 'status'>): boolean {
  return status === 'completed' || status === 'failed' || status === 'canceled';
}
