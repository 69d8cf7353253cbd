import { parseId } from '#shared/core/id.ts';
import { parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import { readReport as read } from '#shared/reviews/read-report.ts';
import { ReportQuery } from '#shared/reviews/review-wire.ts';
import type { StreamRoute } from './stream-route.ts';

/** GET /v1/reverie/dreams/{dream_id}/report: 200 with JSON or Markdown, 400 or 404. */
export function readReport(ports: Ports): StreamRoute {
  return async ({ path, query, call }) => {
    const id = parseId('dream', path['dream_id']);
    return await read(ports, call, id, parseQuery(ReportQuery, query));
  };
}
