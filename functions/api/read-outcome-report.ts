import { parseId } from '#shared/core/id.ts';
import { NoQuery, parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { readReport } from '#shared/outcome-reports/read-reports.ts';

/** GET /v1/reverie/sessions/{session_id}/outcome_reports/{outcome_report_id}: 200, 400 or 404. */
export function readOutcomeReport(ports: Ports): Route {
  return async ({ path, query, call }) => {
    const session_id = parseId('session', path['session_id']);
    const report_id = parseId('outcome_report', path['outcome_report_id']);
    parseQuery(NoQuery, query);
    return { status: 200, body: await readReport(ports, call, session_id, report_id) };
  };
}
