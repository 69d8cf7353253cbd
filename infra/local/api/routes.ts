import { BootError } from '../boot-error.ts';
import type { Stack } from '../template/stack.ts';
import { list, record, text, type Located } from '../template/template.ts';

/** A method that calls a function. */
export interface FunctionRoute {
  readonly type: 'function';
  readonly resource_path: string;
  readonly resource_id: string;
  readonly function_arn: string;
  readonly streams: boolean;
  readonly timeout_ms: number;
}

/** A method that the gateway answers itself: what browsers ask before they call. */
export interface MockRoute {
  readonly type: 'mock';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

export type Route = FunctionRoute | MockRoute;

interface Node {
  readonly path: string;
  readonly id: string;
  readonly children: Map<string, Node>;
  readonly methods: Map<string, Route>;
}

export interface Matched {
  readonly route: Route;
  readonly parameters: Readonly<Record<string, string>>;
}

/** Source: API Gateway quotas: 29 s for an integration, 15 minutes for one that streams. */
const timeout_ms_default = 29_000;
const stream_timeout_ms_max = 900_000;

/** The API's resources as a tree: a static part wins over `{name}`, and that over `{name+}`. */
export class Routes {
  readonly #root: Node;

  /** @throws BootError for an integration that the host does not run. */
  constructor(stack: Stack, api: Located) {
    this.#root = { path: '/', id: `${api.id}-root`, children: new Map(), methods: new Map() };
    const nodes = new Map([[this.#root.id, this.#root]]);
    const resources = stack.all('AWS::ApiGateway::Resource');
    const place = (resource: Located): Node => {
      const found = nodes.get(resource.id);
      if (found !== undefined) return found;
      const parent_id = text(resource.properties['ParentId'], resource.id);
      const above = resources.find(({ id }) => id === parent_id);
      const parent = above === undefined ? this.#root : place(above);
      const part = text(resource.properties['PathPart'], resource.id);
      const path = `${parent.path === '/' ? '' : parent.path}/${part}`;
      const node = { path, id: resource.id, children: new Map(), methods: new Map() };
      parent.children.set(part, node);
      nodes.set(resource.id, node);
      return node;
    };
    for (const resource of resources) place(resource);
    for (const method of stack.all('AWS::ApiGateway::Method')) {
      const node = nodes.get(text(method.properties['ResourceId'], method.id));
      if (node === undefined) throw new BootError(`${method.id} stands on no known resource.`);
      const http_method = text(method.properties['HttpMethod'], method.id);
      node.methods.set(http_method, routeOf(method, node));
    }
  }

  match(method: string, path: string): Matched | undefined {
    return walk(this.#root, path.split('/').filter(Boolean), method, {});
  }

  /** Every function that the API calls. */
  functions(): Set<string> {
    const found = new Set<string>();
    const visit = ({ methods, children }: Node): void => {
      for (const route of methods.values()) {
        if (route.type === 'function') found.add(route.function_arn);
      }
      for (const child of children.values()) visit(child);
    };
    visit(this.#root);
    return found;
  }
}

function walk(
  node: Node,
  parts: readonly string[],
  method: string,
  parameters: Record<string, string>,
): Matched | undefined {
  const [part, ...rest] = parts;
  if (part === undefined) {
    const route = node.methods.get(method) ?? node.methods.get('ANY');
    return route === undefined ? undefined : { route, parameters };
  }
  const child = node.children.get(part);
  const found = child === undefined ? undefined : walk(child, rest, method, parameters);
  if (found !== undefined) return found;
  for (const [pattern, next] of node.children) {
    if (!pattern.startsWith('{')) continue;
    const greedy = pattern.endsWith('+}');
    const name = pattern.slice(1, greedy ? -2 : -1);
    const value = (greedy ? parts : [part]).map(decode).join('/');
    const below = walk(next, greedy ? [] : rest, method, { ...parameters, [name]: value });
    if (below !== undefined) return below;
  }
  return undefined;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function routeOf(method: Located, node: Node): Route {
  const integration = record(method.properties['Integration']);
  if (integration['Type'] === 'MOCK') return mockOf(integration);
  const uri = String(integration['Uri']);
  const [, version, function_arn] = /:lambda:path\/([\d-]+)\/functions\/(.+?)\/\w/.exec(uri) ?? [];
  if (integration['Type'] !== 'AWS_PROXY' || function_arn === undefined) {
    throw new BootError(
      `The local host runs Lambda proxy and mock integrations, and ${method.id} has another.`,
    );
  }
  if (method.properties['AuthorizationType'] !== 'NONE') {
    throw new BootError(`The local host has no authorizers, and ${method.id} asks for one.`);
  }
  const streams = integration['ResponseTransferMode'] === 'STREAM';
  if (streams !== (version === '2021-11-15')) {
    throw new BootError(`${method.id} streams by its mode or by its path, and not by both.`);
  }
  const longest = streams ? stream_timeout_ms_max : timeout_ms_default;
  const timeout_ms = Number(integration['TimeoutInMillis'] ?? longest);
  const { path: resource_path, id: resource_id } = node;
  return { type: 'function', resource_path, resource_id, function_arn, streams, timeout_ms };
}

function mockOf(integration: Record<string, unknown>): MockRoute {
  const [response] = list(integration['IntegrationResponses']).map(record);
  const parameters = Object.entries(record(response?.['ResponseParameters']));
  const headers = parameters.map(([name, value]) => [
    name.replace('method.response.header.', '').toLowerCase(),
    String(value).replace(/^'(.*)'$/, '$1'),
  ]);
  const status = Number(response?.['StatusCode'] ?? 200);
  return { type: 'mock', status, headers: Object.fromEntries(headers) };
}

/** Media types that pass as bytes, `*` in either half included. */
export function binaryTypes(api: Located): (media_type: string | undefined) => boolean {
  const patterns = list(api.properties['BinaryMediaTypes']).map(String);
  return (media_type) => {
    const [bare = ''] = (media_type ?? '').split(';');
    return patterns.some((pattern) => {
      const [type, subtype] = pattern.split('/');
      const [of_type, of_subtype] = bare.trim().toLowerCase().split('/');
      return (type === '*' || type === of_type) && (subtype === '*' || subtype === of_subtype);
    });
  };
}
