import { createHash } from 'node:crypto';
import { encodeTime } from 'ulid';
import { prefixes } from '../core/id.ts';
import type { Key, Row } from '../core/table.ts';
import type { Processing } from '../dreams/dream.ts';

export type RunTrigger =
  | 'schedule'
  /** A fire that did not come, made good. */
  | 'catch_up'
  | 'manual';

/**
 * `starting`: what a run does before its dream. `dreaming`: its dream runs. All others are ends, of which
 * `awaiting_review` goes on to `applied` or `review_expired`, and `applied` to `rolled_back`.
 */
export type RunState =
  | 'starting'
  | 'dreaming'
  | 'skipped'
  | 'failed'
  | 'canceled'
  /** The dream has found nothing to change. */
  | 'unchanged'
  | 'awaiting_review'
  | 'not_recommended'
  | 'applied'
  | 'rolled_back'
  | 'review_expired';

export const run_reasons = [
  'nothing_new',
  'overlapping',
  'memory_store_unavailable',
  'schedule_archived',
  'dream_failed',
  'dream_canceled',
  'gate',
  'apply_refused',
  'conflicts',
] as const;

/** Why a run ended as it did: a code to tell by, and a sentence for people. */
export interface RunReason {
  readonly type: (typeof run_reasons)[number];
  readonly message: string;
}

/** What a run's retention did. */
export interface Retained {
  readonly notes_retired_count: number;
  readonly playbooks_retired_count: number;
  /** Dreams whose undecided changes were rejected for their age. */
  readonly reviews_expired_count: number;
  /** Stores of earlier dreams that were put away. @default - none, in rows from before they could be */
  readonly copies_archived_count?: number;
}

/** What became of the copies of shared playbooks in other stores. */
export interface Federated {
  readonly copied_count: number;
  readonly updated_count: number;
  /** Taken away, because the playbook has gone, or is not shared any more. */
  readonly withdrawn_count: number;
  /** Left alone: others have changed or deleted the copy, or something else is in its place. */
  readonly kept_count: number;
  /** Stores that are gone or archived. */
  readonly unavailable: readonly string[];
}

/** `DSCHED#<schedule>` / `R#<run>`: one run, once, whoever begins it and how often. */
export interface RunRow extends Row {
  readonly schema: 1;
  readonly run_id: string;
  readonly dream_schedule_id: string;
  readonly trigger: RunTrigger;
  /** The time that was due; null of a manual run. */
  readonly scheduled_at: string | null;
  readonly started_at: string;
  readonly ended_at: string | null;
  readonly state: RunState;
  readonly reason: RunReason | null;
  /** Id of the dream that it starts, chosen at the beginning: who starts it twice starts it once. */
  readonly dream_id: string;
  readonly dream_started: boolean;
  /** Of its dream. @default - not told, of runs without one and from before it was */
  readonly processing?: Processing;
  readonly sessions_count: number;
  /** Sessions that are left for the next time: at least so many. */
  readonly sessions_left_count: number;
  /** Fires before this one that did not come; this run takes what they would have taken. */
  readonly missed_count: number;
  readonly missed_since: string | null;
  readonly apply_id: string | null;
  readonly applied_count: number;
  readonly conflict_count: number;
  readonly retention: Retained | null;
  readonly federation: Federated | null;
  /** When what nobody had decided of its dream was rejected for its age. @default - never */
  readonly review_expired_at?: string;
}

export function runKey(schedule_id: string, run_id: string): Key {
  return { pk: `DSCHED#${schedule_id}`, sk: `R#${run_id}` };
}

/** Digits of a ULID, as {@link encodeTime} has them. */
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/**
 * The id of the run of a time that was due: the same for whoever fires it, and in the order of time
 * like every other.
 */
export function runIdAt(schedule_id: string, scheduled_at: string): string {
  const hash = createHash('sha256').update(`${schedule_id} ${scheduled_at}`).digest();
  const tail = [...hash.subarray(0, 16)].map((byte) => DIGITS[byte % 32]).join('');
  return `${prefixes.dream_schedule_run}_${encodeTime(Date.parse(scheduled_at))}${tail}`;
}
