import { parseId } from '#shared/core/id.ts';
import { parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { listReports, ReportListQuery } from '#shared/outcome-reports/read-reports.ts';

/** GET /v1/reverie/sessions/{session_id}/outcome_reports: 200 with a page, newest first, 400 or 404. */
export function listOutcomeReports(ports: Ports): Route {
  return async ({ path, query, call }) => {
    const id = parseId('session', path['session_id']);
    return {
      status: 200,
      body: await listReports(ports, call, id, parseQuery(ReportListQuery, query)),
    };
  };
}
