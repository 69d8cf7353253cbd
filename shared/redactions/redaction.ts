import { madeAtMs } from '../core/id.ts';
import { listByTime } from '../core/listing.ts';
import type { Ports } from '../core/ports.ts';
import type { Key, Row, Table, Write } from '../core/table.ts';
import { dreamKey, type DreamHead } from '../dreams/dream.ts';
import { isByHand } from '../memory/by-hand.ts';
import type { VersionRow } from '../memory/memory.ts';

/** What dreams are to forget, as far as it must be known to be found. */
export type Gone =
  | ({ readonly type: 'version' } & GoneVersion)
  | { readonly type: 'store'; readonly memory_store_id: string }
  | { readonly type: 'session'; readonly session_id: string };

/** Of a version that is redacted: path and sum are as they were, and go with this row. */
export type GoneVersion = Pick<
  VersionRow,
  | 'memory_store_id'
  | 'memory_version_id'
  | 'memory_id'
  | 'created_by'
  | 'dreamt_by'
  | 'path'
  | 'content_sha256'
>;

/**
 * `REDACTION#<version, store or session>` / `HEAD`: something that dreams must not keep any longer. Written
 * with what makes it so, and found by reconcile under `DELETED` until no dream has it.
 */
export interface RedactionRow extends Row {
  readonly workspace_id: string;
  readonly gone: Gone;
  readonly gone_at: string;
  /** No dream that began before this has it any more. @default - nobody has looked yet */
  readonly since?: string;
  readonly gsi2pk: 'DELETED';
  /** `<since>#<id>` */
  readonly gsi2sk: string;
}

export function redactionKey(id: string): Key {
  return { pk: `REDACTION#${id}`, sk: 'HEAD' };
}

/** Unconditional: whoever makes it gone does so once, under a condition of its own. */
export function redactionOf(workspace_id: string, gone: Gone, gone_at: string): Write {
  const id = idOf(gone);
  const place = { gsi2pk: 'DELETED', gsi2sk: `${gone_at}#${id}` } as const;
  const put: RedactionRow = { ...redactionKey(id), workspace_id, gone, gone_at, ...place };
  return { put };
}

function idOf(gone: Gone): string {
  if (gone.type === 'version') return gone.memory_version_id;
  return gone.type === 'store' ? gone.memory_store_id : gone.session_id;
}

export function goneVersion(version: VersionRow): Gone {
  const { memory_store_id, memory_version_id, memory_id, created_by, dreamt_by } = version;
  const { path, content_sha256 } = version;
  const by = dreamt_by === undefined ? {} : { dreamt_by };
  const which = { memory_store_id, memory_version_id, memory_id };
  return { type: 'version', ...which, created_by, ...by, path, content_sha256 };
}

/** Whether these are the words of this dream: it wrote them itself, or they were applied as they were. */
export function isAuthor({ dream_id, pipeline_session_id }: DreamHead, gone: GoneVersion): boolean {
  const { created_by, dreamt_by } = gone;
  if (dreamt_by !== undefined) return dreamt_by === dream_id;
  return created_by.type === 'session_actor' && created_by.session_id === pipeline_session_id;
}

/** Whether they may be what an operator has put in the place of a dream's words. */
export function isOwnText(gone: GoneVersion): boolean {
  return gone.content_sha256 !== null && isByHand(gone as VersionRow);
}

/** Whether a dream has read, or written, in the place that it is gone from. */
export function mayHaveRead(head: DreamHead, gone: Gone): boolean {
  if (gone.type === 'session') return head.session_ids.includes(gone.session_id);
  const is_of_input = head.memory_store_id === gone.memory_store_id;
  return is_of_input || (gone.type === 'version' && isAuthor(head, gone));
}

/** What one look at the list of dreams brings. */
interface Found {
  readonly dreams: readonly DreamHead[];
  readonly next_page: string | null;
}

/**
 * Dreams that may have it, those that began first before others: what began after its end cannot, nor what
 * began before it was there, but for a version, which a dream may have written. Its end is a little later
 * than `gone_at`, which is told before it is written.
 */
export async function findDreams(
  table: Table,
  { workspace_id, gone, gone_at, since = thereSince(gone) }: RedactionRow,
  page: string | undefined,
): Promise<Found> {
  const list = { noun: 'dream', key: dreamKey, order: 'asc', limit: TOGETHER, page } as const;
  const lte = new Date(Date.parse(gone_at) + WRITTEN_WITHIN_MS).toISOString();
  const of = { ...list, workspace_id, gte: since, lte };
  const found = await listByTime(table, of, async (row) => {
    const head = row as DreamHead;
    const may_hold = mayHaveRead(head, gone) || (gone.type === 'version' && isOwnText(gone));
    return may_hold ? head : undefined;
  });
  return { dreams: found.data, next_page: found.next_page };
}

/** By its id, with a day for clocks that differ: who deletes what is old does not go through years of dreams. */
function thereSince(gone: Gone): string {
  const at_ms = gone.type === 'version' ? 0 : madeAtMs(idOf(gone)) - DAY_MS;
  return new Date(Math.max(0, at_ms)).toISOString();
}

const DAY_MS = 86_400_000;

/** Longer than a request takes, with its repeats, and clocks differ. */
const WRITTEN_WITHIN_MS = 60_000;

/** Dreams of one page, which are held together; their objects one by one. */
const TOGETHER = 20;

export type RedactionPorts = Pick<Ports, 'table' | 'blobs' | 'clock'>;
