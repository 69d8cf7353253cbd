import { TrieRouter } from 'hono/router/trie-router';
import { Fault } from '../core/fault.ts';
import type { HttpRequest } from '../core/http.ts';
import { routes, type RouteName, type RouteRule } from '../routes.ts';

/** One route, its rule, and what serves it. */
export interface Entry<Served> {
  readonly name: RouteName;
  readonly rule: RouteRule;
  readonly route: Served;
}

/** The methods of one path. */
type Methods<Served> = Map<string, Entry<Served>>;

export type Router<Served> = TrieRouter<Methods<Served>>;

export function routerOf<Served>(
  table: Readonly<Partial<Record<RouteName, Served>>>,
): Router<Served> {
  const paths = new Map<string, Methods<Served>>();
  for (const [name, route] of Object.entries(table) as [RouteName, Served][]) {
    const [method = '', path = ''] = name.split(' ');
    const methods: Methods<Served> = paths.get(path) ?? new Map();
    paths.set(path, methods.set(method, { name, rule: routes[name], route }));
  }
  const router: Router<Served> = new TrieRouter();
  for (const [path, methods] of paths) {
    router.add('ALL', path.replaceAll(/\{(\w+)\}/g, ':$1'), methods);
  }
  return router;
}

/** As the methods of a path are named to who used another one, in whichever order they were loaded. */
const order = ['GET', 'POST', 'PATCH', 'DELETE'];

const no_models =
  'models are not served here. Use a second client, with the address of your provider';

/** What clients of the hosted API look for and do not find, by the part of the path behind `/v1/`. */
const why_not: ReadonlyMap<string | undefined, string> = new Map([
  ['messages', no_models],
  ['models', no_models],
  ['vaults', 'vaults are not built yet'],
  ['skills', 'skills are not built yet'],
  ['deployments', 'deployments are not built yet'],
  ['deployment_runs', 'deployments are not built yet'],
  ['user_profiles', 'user profiles are not built yet'],
  ['tunnels', 'tunnels are not built yet'],
]);

/** Why a path leads nowhere, and what to do; undefined where there is nothing to tell. */
function whyNot(path: string): string | undefined {
  const [, version, noun, , part] = path.split('/');
  if (version === 'v1' && noun === 'v1') {
    return 'clients put /v1 before each path themselves. Leave it out of the base URL';
  }
  if (noun === 'environments' && part === 'work')
    return 'self_hosted environments are not built yet';
  return why_not.get(noun);
}

/** @throws Fault `missing` for a path that nobody serves; Fault `method` for a method of it. */
export function find<Served>(
  router: Router<Served>,
  http: HttpRequest,
): { readonly entry: Entry<Served>; readonly path: Readonly<Record<string, string>> } {
  const match = router.match('ALL', http.path)[0][0];
  if (match === undefined) {
    const why = whyNot(http.path);
    const where = `There is nothing at ${http.path.slice(0, 200)}`;
    throw new Fault('missing', why === undefined ? `${where}.` : `${where}: ${why}.`);
  }
  const [methods, path] = match as [Methods<Served>, Record<string, string>];
  const entry = methods.get(http.method);
  if (entry === undefined) {
    const allowed = order.filter((method) => methods.has(method)).join(', ');
    throw new Fault('method', `${http.method} is not allowed at this path. Use ${allowed}.`, {
      headers: { allow: allowed },
    });
  }
  return { entry, path };
}
