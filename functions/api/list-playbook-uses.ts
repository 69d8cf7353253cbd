import { parseId } from '#shared/core/id.ts';
import { parseQuery } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { Route } from '#shared/door/route.ts';
import { listUses, PlaybookUseQuery } from '#shared/playbooks/list-uses.ts';

/** GET /v1/reverie/sessions/{session_id}/playbook_uses: 200 with a page, 400 or 404. */
export function listPlaybookUses(ports: Ports): Route {
  return async ({ path, query, call }) => {
    const id = parseId('session', path['session_id']);
    return {
      status: 200,
      body: await listUses(ports, call, id, parseQuery(PlaybookUseQuery, query)),
    };
  };
}
