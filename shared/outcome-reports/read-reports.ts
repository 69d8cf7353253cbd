import * as z from 'zod';
import type { Call } from '../core/call.ts';
import { Fault } from '../core/fault.ts';
import { limits } from '../core/limits.ts';
import { forwardOnly, readPage, type Page } from '../core/page.ts';
import { queryInt } from '../core/parse.ts';
import type { Ports } from '../core/ports.ts';
import { load } from '../core/stored.ts';
import { readParts } from '../sessions/read-session.ts';
import { usageSnapshot } from '../sessions/session-usage.ts';
import type { SessionConfig } from '../sessions/session.ts';
import { reportKey, runOf, type Findings, type OutcomeReport, type ReportRow } from './report.ts';

export const ReportListQuery = z.strictObject({
  limit: queryInt(1, limits.page_max).default(limits.page_default),
  page: z.string().optional(),
});
export type ReportListQuery = z.output<typeof ReportListQuery>;

const RUN_MAX = 9_999_999_999;

/** Newest first; one that is being made is `pending`. @throws Fault `missing` */
export async function listReports(
  ports: Ports,
  call: Call,
  session_id: string,
  query: ReportListQuery,
): Promise<Page<OutcomeReport>> {
  const { config } = await readParts(ports.table, call, session_id);
  const { pk, sk: from } = reportKey(session_id, 1);
  const { sk: to } = reportKey(session_id, RUN_MAX);
  const kind = `outcome reports of ${session_id}`;
  const page = await readPage({ kind, order: 'desc', from, to, ...query }, async (stretch) => {
    const { rows, more } = await ports.table.query({ pk, ...stretch });
    const entries = rows.map(async (row) => ({
      position: row.sk,
      item: await shown(ports, config, row as ReportRow),
    }));
    return { entries: await Promise.all(entries), more };
  });
  return forwardOnly(page);
}

/** @throws Fault `missing` */
export async function readReport(
  ports: Ports,
  call: Call,
  session_id: string,
  report_id: string,
): Promise<OutcomeReport> {
  const { config } = await readParts(ports.table, call, session_id);
  const row = await ports.table.get(reportKey(session_id, runOf(report_id)));
  if (row?.['report_id'] !== report_id) {
    throw new Fault('missing', `outcome_report '${report_id}' was not found.`);
  }
  return await shown(ports, config, row as ReportRow);
}

async function shown(
  { blobs }: Pick<Ports, 'blobs'>,
  { agent_id, agent_version, agent }: SessionConfig,
  row: ReportRow,
): Promise<OutcomeReport> {
  const [{ model }, findings] = await Promise.all([
    load(blobs, agent),
    row.findings === null ? nothing : load(blobs, row.findings),
  ]);
  return {
    id: row.report_id,
    type: 'outcome_report',
    session_id: row.session_id,
    agent_id,
    agent_version,
    run: row.run,
    state: row.state,
    reason: row.reason,
    outcome_model_version: row.model_version,
    result: row.result,
    ...findings,
    model: model.id,
    grader_prompt_version: row.grader_prompt_version,
    usage: usageSnapshot(row.usage),
    created_at: row.created_at,
    completed_at: row.completed_at,
  };
}

const nothing: Omit<Findings, 'facts'> & { readonly facts: null } = {
  success_criteria: [],
  failure_modes: [],
  signals: [],
  facts: null,
};
