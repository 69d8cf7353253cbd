import { primaryThreadId } from '../../core/id.ts';
import type { Ports } from '../../core/ports.ts';
import { load } from '../../core/stored.ts';
import type { Row, Table } from '../../core/table.ts';
import type { SessionEvent } from '../../events/event.ts';
import { reportKey, type Findings, type ReportRow } from '../../outcome-reports/report.ts';
import { sessionKey } from '../../sessions/session.ts';
import { loadEvent, walkLog } from '../../threads/log.ts';
import type { SessionVerdict } from '../piece.ts';

/** A thread as it stood when the dream began: what comes later is for another dream. */
export interface GatheredThread {
  readonly thread_id: string;
  /** Number of the last event that is read. */
  readonly through: number;
}

/** The threads of a session, the primary one first, the others as they were started. */
export async function threadIds(table: Table, session_id: string): Promise<string[]> {
  const { pk } = sessionKey(session_id);
  const rows = await rowsBetween(table, pk, 'T#');
  return [primaryThreadId(session_id), ...rows.map(({ sk }) => sk.slice('T#'.length))];
}

/** Rows of a partition whose sort keys begin alike. */
export async function rowsBetween(table: Table, pk: string, below: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (let from = below, more = true; more;) {
    const page = await table.query({ pk, from, to: `${below}~` });
    rows.push(...page.rows);
    from = `${page.rows.at(-1)?.sk ?? below}!`;
    ({ more } = page);
  }
  return rows;
}

/** An event with the thread in whose log it stands. */
export interface ThreadEvent {
  readonly thread_id: string;
  readonly event: SessionEvent;
}

/** The events of a session's threads, one thread after the other, each up to a number, in order. */
export async function* eventsOf(
  { table, blobs }: Pick<Ports, 'table' | 'blobs'>,
  threads: readonly GatheredThread[],
): AsyncGenerator<ThreadEvent> {
  for (const { thread_id, through } of threads) {
    if (through === 0) continue;
    for await (const page of walkLog(table, thread_id, { through })) {
      for (const line of page) yield { thread_id, event: await loadEvent(blobs, line) };
    }
  }
}

const RESULTS = { satisfied: 'success', needs_revision: 'failure' } as const;

/** What the reports on a session's runs say, oldest first; those that are not done say nothing. */
export async function readReports(
  { table, blobs }: Pick<Ports, 'table' | 'blobs'>,
  session_id: string,
): Promise<SessionVerdict[]> {
  const { pk } = reportKey(session_id, 1);
  const rows = (await rowsBetween(table, pk, 'REPORT#')) as ReportRow[];
  const done = rows.filter(({ state }) => state === 'done');
  return await Promise.all(
    done.map(async ({ idle_event_id, created_at, result, findings }) => {
      const found = findings === null ? {} : await load(blobs, findings);
      const { success_criteria, failure_modes, signals } = { ...nothing, ...found };
      const said = [...success_criteria, ...failure_modes, ...signals];
      return {
        event_id: idle_event_id,
        at: created_at,
        result: result === null ? 'unsure' : RESULTS[result],
        text: said.map(({ text, verdict, reason }) => `${verdict}: ${text} (${reason})`).join('\n'),
      };
    }),
  );
}

const nothing: Omit<Findings, 'facts'> = { success_criteria: [], failure_modes: [], signals: [] };
