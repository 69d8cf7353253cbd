import type { IResource, Integration } from 'aws-cdk-lib/aws-apigateway';
import { routes } from '#shared/routes.ts';

export interface Targets {
  readonly api: Integration;
  readonly memory: Integration;
  readonly stream: Integration;
}

/** What the memory function serves, with everything below; the rest is the api's. */
const memory_homes = [
  '/v1/memory_stores',
  '/v1/reverie/memory_stores',
  '/v1/dreams',
  '/v1/reverie/dreams',
  '/v1/reverie/dream_schedules',
];

interface Place {
  readonly resource: IResource;
  readonly parts: Set<string>;
}

/**
 * The resources: what is served by another function than the api stands by its path, all else falls
 * to greedy ones. Every resource has a method and every parent a greedy child: API Gateway settles
 * on the deepest resource that matches and does not come back for `/{proxy+}` when that one has no
 * method. A parent of a `{parameter}` needs none, and may have none.
 */
export function addRoutes(root: IResource, targets: Targets): void {
  const places = new Map<string, Place>();
  const targetOf = (path: string): Integration =>
    memory_homes.some((home) => `${path}/`.startsWith(`${home}/`)) ? targets.memory : targets.api;
  const put = (path: string, resource: IResource): Place => {
    const place = { resource, parts: new Set<string>() };
    resource.addMethod('ANY', targetOf(path));
    places.set(path, place);
    return place;
  };
  const at = (path: string): Place => {
    const known = places.get(path);
    if (known) return known;
    const cut = path.lastIndexOf('/');
    const parent = at(path.slice(0, cut));
    const part = path.slice(cut + 1);
    parent.parts.add(part);
    return put(path, parent.resource.addResource(part));
  };
  put('', root);
  for (const [name, rule] of Object.entries(routes)) {
    const [method = '', path = ''] = name.split(' ');
    const streams = 'served_by' in rule && rule.served_by === 'stream';
    if (streams) at(path).resource.addMethod(method, targets.stream);
  }
  for (const home of memory_homes) at(home);
  for (const [path, { resource, parts }] of places) {
    const has_parameter = [...parts].some((part) => part.startsWith('{'));
    const is_parent = parts.size > 0 || memory_homes.includes(path);
    if (!is_parent || has_parameter) continue;
    resource.addResource('{proxy+}').addMethod('ANY', targetOf(path));
  }
}
