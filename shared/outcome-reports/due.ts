import { invariant } from '../core/invariant.ts';
import type { Table, Write } from '../core/table.ts';
import type { Line } from '../events/event.ts';
import { noUsage, type ThreadHead } from '../threads/thread.ts';
import { reportDue, reportId, reportKey, type ReportRow } from './report.ts';

/**
 * The row by which a run's report is due, for the transaction that brings the run to rest. That one
 * holds the thread's head and happens once a run, so the row needs no condition of its own.
 *
 * @param lines Of the rest.
 */
export function dueReport(
  { session_id, thread_id, run }: ThreadHead,
  lines: readonly Line[],
  at: string,
): Write {
  const idle = lines.find(({ event }) => event.type === 'session.status_idle');
  invariant(idle !== undefined, 'a rest says that the session is idle');
  const key = reportKey(session_id, run);
  const put: ReportRow = {
    ...key,
    ...reportDue(key, new Date(at)),
    schema: 1,
    report_id: reportId(session_id, run),
    session_id,
    thread_id,
    run,
    idle_event_id: idle.event.id,
    state: 'pending',
    attempts: 0,
    reason: null,
    model_version: null,
    result: null,
    findings: null,
    grader_prompt_version: null,
    usage: noUsage,
    created_at: at,
    completed_at: null,
    restarts_count: 0,
  };
  return { put };
}

/** Whether a run's report waits to be made. */
export async function isReportDue(
  table: Table,
  { session_id, run }: { readonly session_id: string; readonly run: number },
): Promise<boolean> {
  const row = await table.get(reportKey(session_id, run));
  return (row as ReportRow | undefined)?.state === 'pending';
}
