import type { Call } from '../core/call.ts';
import { requestOf } from '../core/commit.ts';
import { Fault } from '../core/fault.ts';
import { checkVersion, readJson, type HttpRequest } from '../core/http.ts';
import { NoQuery, parseQuery } from '../core/parse.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { RouteRule } from '../routes.ts';
import { no_form, readForm, summaryOf, type Form } from './form.ts';
import type { Request } from './route.ts';
import { find, type Entry, type Router } from './router.ts';

/** What the log may know of a request: never a body, a query or a key. */
export interface Seen {
  readonly request_id: string;
  route?: string;
  workspace_id?: string;
  api_key_id?: string;
  replayed?: boolean;
}

export interface Admitted<Served> {
  readonly entry: Entry<Served>;
  readonly request: Request;
}

/**
 * Everything that is checked of every request before its route sees it.
 *
 * @param seen Told what becomes known on the way.
 * @throws Fault
 */
export async function admit<Served>(
  http: HttpRequest,
  router: Router<Served>,
  keyring: Keyring,
  seen: Seen,
): Promise<Admitted<Served>> {
  // Who asks comes first: a caller without a key learns nothing of what exists.
  const caller = await keyring.identify(http.headers);
  Object.assign(seen, { workspace_id: caller.workspace_id, api_key_id: caller.api_key_id });
  checkVersion(http.headers);
  const { entry, path } = find(router, http);
  // The ids of the path: session_id, agent_id and so on.
  Object.assign(seen, { route: entry.name, ...path });
  const { scope } = entry.rule;
  if (!caller.scopes.includes(scope)) {
    throw new Fault('forbidden', `This key lacks the scope '${scope}' that ${entry.name} needs.`);
  }
  // A field of the body that was written behind the path would else be left out in silence.
  if (writes.has(http.method) && entry.rule.query !== true) parseQuery(NoQuery, http.query);
  const { body, form } = await contentOf(http, entry.rule);
  const base: Call = { ...caller, request_id: seen.request_id };
  const key = writes.has(http.method) ? http.headers['idempotency-key'] : undefined;
  const asked = entry.rule.body === 'form' ? summaryOf(form) : body;
  const call =
    key === undefined
      ? base
      : { ...base, idempotency: requestOf(caller.workspace_id, http.path, key, asked) };
  const request = { path, query: http.query, body, form, betas: betasOf(http), call };
  return { entry, request };
}

/** The methods that carry a body, and may be safe to repeat by their `Idempotency-Key`. */
const writes: ReadonlySet<string> = new Set(['POST', 'PATCH']);

async function contentOf(
  http: HttpRequest,
  rule: RouteRule,
): Promise<{ readonly body: unknown; readonly form: Form }> {
  if (!writes.has(http.method)) return { body: undefined, form: no_form };
  if (rule.body === 'form') return { body: undefined, form: await readForm(http) };
  return { body: readJson(http), form: no_form };
}

function betasOf({ headers }: HttpRequest): ReadonlySet<string> {
  const betas = (headers['anthropic-beta'] ?? '').split(',').map((text) => text.trim());
  return new Set(betas.filter((beta) => beta !== '').map((beta) => beta.toLowerCase()));
}
