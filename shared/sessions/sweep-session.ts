import { primaryThreadId } from '../core/id.ts';
import type { Ports } from '../core/ports.ts';
import type { Key, Row } from '../core/table.ts';
import { fileKey, scopeKey } from '../api-files/api-file.ts';
import { filesKey, type StoredEntry } from '../files/entry.ts';
import { outputKeys } from '../files/outputs.ts';
import type { MemberRow } from '../threads/member.ts';
import { listenKey, threadKey } from '../threads/thread.ts';
import { transcriptPrefix } from '../transcripts/segment.ts';
import { partPrefix, sessionKey, sessionPrefix } from './session.ts';

/** Rows of one round: they are read whole to know their keys, so a round is a few MB at most. */
const ROWS_PER_ROUND = 100;

/** Below and above every sort key that we make. */
const EVERY = { from: ' ', to: '~' };

/**
 * Remove everything that a deleted session has left, its head last; safe to repeat and to run twice
 * at once. Not for the moment of the deletion: see {@link sweepContents}.
 *
 * @param is_time_up Asked between rounds.
 * @returns whether it came to the end
 */
export async function sweepSession(
  ports: Pick<Ports, 'table' | 'blobs'>,
  session_id: string,
  is_time_up: () => boolean,
): Promise<boolean> {
  if (!(await sweepContents(ports, session_id, is_time_up))) return false;
  await ports.table.deleteMany([sessionKey(session_id)]);
  return true;
}

/**
 * Remove all but the head, by which reconcile finds what is left and sweeps again: a writer that saw
 * the session before it was deleted (a transcript, a large event) may still be about to put down an
 * object or a row.
 *
 * @returns whether it came to the end
 */
export async function sweepContents(
  { table, blobs }: Pick<Ports, 'table' | 'blobs'>,
  session_id: string,
  is_time_up: () => boolean,
): Promise<boolean> {
  const head = sessionKey(session_id);
  // First the logs of its children: the session's own rows are all that leads to them.
  if (!(await sweepChildren(table, session_id, is_time_up))) return false;
  const partitions = [filesKey(session_id), head.pk];
  for (const pk of partitions) {
    for (let more = true; more;) {
      if (is_time_up()) return false;
      const page = await table.query({ pk, ...EVERY, limit: ROWS_PER_ROUND });
      // First, for these rows are all that leads to them.
      await table.deleteMany(page.rows.flatMap(hangsOn));
      await table.deleteMany(page.rows.filter(({ sk }) => pk !== head.pk || sk !== head.sk));
      more = page.more && page.rows.length > 1;
    }
  }
  // Last of the rows: streams may still be reading the log to its end.
  if (!(await sweepThread(table, primaryThreadId(session_id), is_time_up))) return false;
  const prefixes = [sessionPrefix, partPrefix, transcriptPrefix].map((of) => of(session_id));
  for (const prefix of prefixes) {
    if (!(await blobs.deletePrefix(prefix, is_time_up))) return false;
  }
  return true;
}

async function sweepChildren(
  table: Ports['table'],
  session_id: string,
  is_time_up: () => boolean,
): Promise<boolean> {
  const range = { pk: sessionKey(session_id).pk, from: 'T#', to: 'T#~', limit: ROWS_PER_ROUND };
  for (let more = true; more;) {
    const page = await table.query(range);
    for (const { thread_id } of page.rows as MemberRow[]) {
      if (!(await sweepThread(table, thread_id, is_time_up))) return false;
    }
    if (page.rows.length > 0) await table.deleteMany(page.rows);
    more = page.more;
  }
  return true;
}

/** The rows of one thread: who listens to it, and its log. */
async function sweepThread(
  table: Ports['table'],
  thread_id: string,
  is_time_up: () => boolean,
): Promise<boolean> {
  for (const { pk } of [listenKey(thread_id), threadKey(thread_id)]) {
    for (let more = true; more;) {
      if (is_time_up()) return false;
      const page = await table.query({ pk, ...EVERY, limit: ROWS_PER_ROUND });
      await table.deleteMany(page.rows);
      more = page.more;
    }
  }
  return true;
}

/**
 * What elsewhere hangs on a row of a session: files of the Files API, and a verdict. Rows are not parsed: one that is
 * odd would stop every sweep of its session, for good.
 */
function hangsOn(row: Row): Key[] {
  const { pk, sk, kind, version, type, file_id } = row;
  if (sk.startsWith('VERDICT#')) return verdictsOf(row);
  if (pk.startsWith('FILES#') && sk.startsWith('F#') && typeof version === 'string') {
    return outputKeys({ kind: kind as StoredEntry['kind'], path: sk.slice('F#'.length), version });
  }
  if (!sk.startsWith('R#') || type !== 'file' || typeof file_id !== 'string') return [];
  return [fileKey(file_id), scopeKey(file_id)];
}

function verdictsOf({ verdict_pk: pk, verdict_sk: sk }: Row): Key[] {
  return typeof pk === 'string' && typeof sk === 'string' ? [{ pk, sk }] : [];
}
