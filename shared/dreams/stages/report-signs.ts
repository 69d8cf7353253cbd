import type { Table } from '../../core/table.ts';
import { reportKey, type ReportResult, type ReportRow } from '../../outcome-reports/report.ts';
import { rowsBetween } from './session-log.ts';
import type { UseSign } from '../use-verdict.ts';

const outcomes: Readonly<Record<ReportResult, UseSign['outcome']>> = {
  satisfied: 'success',
  needs_revision: 'failure',
};

/** What outcome reports say of a session; they stand in its rows and not in its log. */
export async function reportSigns(table: Table, session_id: string): Promise<UseSign[]> {
  return (await readReports(table, session_id)).flatMap(({ row, text }) =>
    row.result === null
      ? []
      : [
          {
            event_id: row.report_id,
            at: row.created_at,
            speaker: 'grader',
            outcome: outcomes[row.result],
            quote: text,
          },
        ],
  );
}

/** The texts that reports are quoted by, by their ids. */
export async function reportTexts(table: Table, session_id: string): Promise<Map<string, string>> {
  const reports = await readReports(table, session_id);
  return new Map(reports.map(({ row, text }) => [row.report_id, text]));
}

async function readReports(table: Table, session_id: string) {
  const { pk } = reportKey(session_id, 1);
  const rows = (await rowsBetween(table, pk, 'REPORT#')) as ReportRow[];
  return rows
    .filter(({ state }) => state === 'done')
    .map((row) => {
      const { run, model_version: outcome_model_version, result } = row;
      return { row, text: JSON.stringify({ run, outcome_model_version, result }) };
    });
}
