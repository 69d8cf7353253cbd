import type { Table } from '../../core/table.ts';
import type { Key, Row } from '../../core/table.ts';
import { dreamKey, type DreamHead } from '../dream.ts';
import type { WaitingRow } from './requests.ts';
import { rowsBetween } from './session-log.ts';

/** `DREAM#<id>` / `B#<n>`: requests that go to the provider together. */
export interface BatchRow extends Row {
  /** Their ids in the batch: those of their spans. */
  readonly span_ids: readonly string[];
  readonly placed_at: string;
  /** How often it was sent. One whose answer was lost may be there, and cannot be found again. */
  readonly submits_count: number;
  readonly submitted_at: string | null;
  /** The provider's; absent until it is known. */
  readonly batch_id?: string;
  /** When all of its requests had an answer, or were left alone. */
  readonly ended_at?: string;
  readonly answered_count?: number;
  /** Requests that it left to be made by themselves. */
  readonly alone_count?: number;
  /** Why it did. */
  readonly reason?: string;
}

/** What has become of a batch, for its row. */
export type BatchEnd = Required<Pick<BatchRow, 'answered_count' | 'alone_count'>> & {
  readonly reason: string | undefined;
};

type Dream = Pick<DreamHead, 'dream_id'>;

export function batchKey({ dream_id }: Dream, n: number): Key {
  return { ...dreamKey(dream_id), sk: `B#${String(n).padStart(6, '0')}` };
}

export async function batchesOf(table: Table, { dream_id }: Dream): Promise<BatchRow[]> {
  return (await rowsBetween(table, dreamKey(dream_id).pk, 'B#')) as BatchRow[];
}

/** Requests that wait, of one batch or of any and none. */
export async function waitingOf(
  table: Table,
  { dream_id }: Dream,
  batch?: Pick<BatchRow, 'span_ids'>,
): Promise<WaitingRow[]> {
  const rows = (await rowsBetween(table, dreamKey(dream_id).pk, 'Q#')) as WaitingRow[];
  if (batch === undefined) return rows;
  const own = new Set(batch.span_ids);
  return rows.filter(({ span_id }) => own.has(span_id));
}

export function isOpen({ ended_at }: BatchRow): boolean {
  return ended_at === undefined;
}
