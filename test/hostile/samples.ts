import { routes, type RouteName } from '#shared/routes.ts';
import type { Ids, World } from './world.ts';

/** A good request. */
export interface Sample {
  readonly route: RouteName;
  readonly ids: Ids;
  readonly query: Readonly<Record<string, string>>;
  /** Undefined: the route takes none, or a form. */
  readonly body: unknown;
}

type Parts = Partial<Pick<Sample, 'query' | 'body' | 'ids'>>;

/** What a route needs beside its path, and what of its own it may destroy. */
type Make = (world: World) => Parts | Promise<Parts>;

const model = { id: 'claude-sonnet-5-5', speed: 'standard' } as const;
const message = { type: 'user.message', content: [{ type: 'text', text: 'Hello.' }] };

const agent = {
  name: 'Sample',
  model,
  system: 'You work.',
  description: 'Of a test',
  metadata: { team: 'test' },
  tools: [
    {
      type: 'agent_toolset_20260401',
      configs: [{ name: 'write', enabled: true, permission_policy: { type: 'always_ask' } }],
    },
    {
      type: 'custom',
      name: 'lookup',
      description: 'Looks up.',
      input_schema: { type: 'object', properties: { id: { type: 'string' } } },
    },
  ],
};

async function newAgent({ client }: World): Promise<Ids> {
  const { id } = await client.beta.agents.create({ name: 'Short-lived', model: model.id });
  return { agent_id: id };
}

async function newEnvironment({ client }: World): Promise<Ids> {
  const { id } = await client.beta.environments.create({ name: `short-lived ${Date.now()}` });
  return { environment_id: id };
}

async function newSession({ client, ids }: World): Promise<Ids> {
  const { agent_id = '', environment_id = '' } = ids;
  const { id } = await client.beta.sessions.create({ agent: agent_id, environment_id });
  return { session_id: id };
}

async function newStore({ client }: World): Promise<Ids> {
  const store = await client.beta.memoryStores.create({ name: 'Short-lived' });
  const content = 'Short-lived.';
  const memory = await client.beta.memoryStores.memories.create(store.id, { path: '/a', content });
  await client.beta.memoryStores.memories.update(memory.id, {
    memory_store_id: store.id,
    content: 'Changed.',
  });
  return {
    memory_store_id: store.id,
    memory_id: memory.id,
    memory_version_id: memory.memory_version_id,
  };
}

async function newFile({ client }: World): Promise<Ids> {
  const { id } = await client.beta.files.upload({ file: new File(['x'], 'short.txt') });
  return { file_id: id };
}

/** A repository that is not there: whoever fetches it is told so. */
export const repository = {
  type: 'github_repository',
  url: 'https://github.com/reverie-nobody/there-is-no-such-repository-0',
  authorization_token: 'ghp_canaryOfARepository0123456789',
} as const;

async function newRepository(world: World): Promise<Ids> {
  const { agent_id = '', environment_id = '' } = world.ids;
  const session = await world.client.beta.sessions.create({
    agent: agent_id,
    environment_id,
    resources: [repository],
  });
  const { data } = await world.client.beta.sessions.resources.list(session.id);
  const [first] = data;
  return {
    session_id: session.id,
    resource_id: first !== undefined && 'id' in first ? first.id : '',
  };
}

async function newResource(world: World): Promise<Ids> {
  const session = await newSession(world);
  const { file_id } = await newFile(world);
  const added = await world.client.beta.sessions.resources.add(session['session_id'] ?? '', {
    type: 'file',
    file_id: file_id ?? '',
  });
  return { ...session, resource_id: added.id };
}

async function newKey({ own }: World): Promise<Ids> {
  const { id } = await own.apiKeys.create({ name: 'short-lived' });
  return { api_key_id: id };
}

/** Routes that need more than their path; what destroys is given something of its own. */
const makers: Readonly<Partial<Record<RouteName, Make>>> = {
  'POST /v1/agents': () => ({ body: agent }),
  'GET /v1/agents': () => ({ query: { limit: '2' } }),
  'POST /v1/agents/{agent_id}': async (world) => ({
    ids: await newAgent(world),
    body: { version: 1, description: 'changed', metadata: { a: 'b' } },
  }),
  'POST /v1/agents/{agent_id}/archive': async (world) => ({ ids: await newAgent(world), body: {} }),
  'POST /v1/environments': () => ({
    body: {
      name: 'sample',
      description: 'Of a test',
      metadata: { team: 'test' },
      config: {
        type: 'cloud',
        networking: {
          type: 'limited',
          allowed_hosts: ['example.com'],
          allow_mcp_servers: false,
          allow_package_managers: true,
        },
        packages: { type: 'packages', pip: ['numpy==2.0.0'] },
      },
    },
  }),
  'POST /v1/environments/{environment_id}': async (world) => ({
    ids: await newEnvironment(world),
    body: { description: 'changed' },
  }),
  'DELETE /v1/environments/{environment_id}': async (world) => ({
    ids: await newEnvironment(world),
  }),
  'POST /v1/environments/{environment_id}/archive': async (world) => ({
    ids: await newEnvironment(world),
    body: {},
  }),
  'POST /v1/sessions': ({ ids }) => ({
    body: {
      agent: { type: 'agent', id: ids['agent_id'], version: 1 },
      environment_id: ids['environment_id'],
      title: 'Sample',
      metadata: { team: 'test' },
      budget: { type: 'limit', max_list_cost: { amount: '5000', currency: 'USD' } },
      resources: [
        { type: 'file', file_id: ids['file_id'], mount_path: '/mnt/session/uploads/a.csv' },
        {
          type: 'memory_store',
          memory_store_id: ids['memory_store_id'],
          access: 'read_only',
          instructions: 'Read them.',
        },
      ],
    },
  }),
  'GET /v1/sessions': ({ ids }) => ({
    query: { limit: '2', order: 'desc', agent_id: ids['agent_id'] ?? '', 'statuses[]': 'idle' },
  }),
  'POST /v1/sessions/{session_id}': async (world) => ({
    ids: await newSession(world),
    body: { title: 'Changed', metadata: { a: 'b' } },
  }),
  'DELETE /v1/sessions/{session_id}': async (world) => ({ ids: await newSession(world) }),
  'POST /v1/sessions/{session_id}/archive': async (world) => ({
    ids: await newSession(world),
    body: {},
  }),
  'POST /v1/sessions/{session_id}/events': async (world) => ({
    ids: await newSession(world),
    body: { events: [message] },
  }),
  'GET /v1/sessions/{session_id}/events': () => ({ query: { limit: '5', order: 'desc' } }),
  'POST /v1/sessions/{session_id}/resources': async (world) => ({
    ids: await newSession(world),
    body: {
      type: 'file',
      file_id: world.ids['file_id'],
      mount_path: '/mnt/session/uploads/added.csv',
    },
  }),
  'POST /v1/sessions/{session_id}/resources/{resource_id}': async (world) => ({
    ids: await newRepository(world),
    body: { authorization_token: repository.authorization_token },
  }),
  'DELETE /v1/sessions/{session_id}/resources/{resource_id}': async (world) => ({
    ids: await newResource(world),
  }),
  'POST /v1/sessions/{session_id}/threads/{thread_id}/archive': () => ({ body: {} }),
  'POST /v1/memory_stores': () => ({
    body: { name: 'Sample', description: 'Of a test', metadata: { team: 'test' } },
  }),
  'POST /v1/memory_stores/{memory_store_id}': async (world) => ({
    ids: await newStore(world),
    body: { description: 'changed' },
  }),
  'DELETE /v1/memory_stores/{memory_store_id}': async (world) => ({ ids: await newStore(world) }),
  'POST /v1/memory_stores/{memory_store_id}/archive': async (world) => ({
    ids: await newStore(world),
    body: {},
  }),
  'POST /v1/memory_stores/{memory_store_id}/memories': async (world) => ({
    ids: await newStore(world),
    query: { view: 'full' },
    body: { path: '/b/c', content: 'Sample.' },
  }),
  'GET /v1/memory_stores/{memory_store_id}/memories': () => ({
    query: { view: 'full', limit: '5', depth: '1', path_prefix: '/notes/' },
  }),
  'POST /v1/memory_stores/{memory_store_id}/memories/{memory_id}': async (world) => ({
    ids: await newStore(world),
    body: { content: 'Again.', path: '/renamed' },
  }),
  'PATCH /v1/memory_stores/{memory_store_id}/memories/{memory_id}': async (world) => ({
    ids: await newStore(world),
    body: { content: 'Again.' },
  }),
  'DELETE /v1/memory_stores/{memory_store_id}/memories/{memory_id}': async (world) => ({
    ids: await newStore(world),
  }),
  'POST /v1/memory_stores/{memory_store_id}/memory_versions/{memory_version_id}/redact': async (
    world,
  ) => ({ ids: await newStore(world), body: {} }),
  'POST /v1/dreams': async (world) => ({
    body: {
      inputs: [
        { type: 'memory_store', memory_store_id: (await newStore(world))['memory_store_id'] },
        { type: 'sessions', session_ids: [world.ids['session_id']] },
      ],
      model,
      instructions: 'Keep it short.',
    },
  }),
  'GET /v1/dreams': () => ({ query: { 'statuses[]': 'completed', limit: '1' } }),
  'GET /v1/files': ({ ids }) => ({ query: { limit: '2', scope_id: ids['session_id'] ?? '' } }),
  'DELETE /v1/files/{file_id}': async (world) => ({ ids: await newFile(world) }),
  'POST /v1/reverie/files': () => ({
    body: { filename: 'a.txt', size_bytes: 1, sha256: 'a'.repeat(64) },
  }),
  'POST /v1/reverie/memory_stores/{memory_store_id}/memories/{memory_id}/restore': async (
    world,
  ) => {
    const ids = await newStore(world);
    return { ids, body: { memory_version_id: ids['memory_version_id'] } };
  },
  'POST /v1/reverie/memory_stores/{memory_store_id}/restore': async (world) => {
    const ids = await newStore(world);
    // The host's clock has been put forward: a time of ours would lie before the store's.
    const store = await world.client.beta.memoryStores.retrieve(ids['memory_store_id'] ?? '');
    return { ids, body: { at: store.created_at, dry_run: true } };
  },
  'GET /v1/reverie/memory_stores/{memory_store_id}/diff': () => ({
    query: { from: new Date(0).toISOString(), format: 'unified' },
  }),
  'GET /v1/reverie/memory_stores/{memory_store_id}/search': () => ({
    query: { query: 'ports', limit: '5' },
  }),
  'POST /v1/reverie/memory_stores/import': ({ ids }) => ({
    body: { file_id: ids['file_id'], name: 'Imported' },
  }),
  'POST /v1/reverie/agents/{agent_id}/outcome_model': async (world) => ({
    ids: await newAgent(world),
    body: {
      success_criteria: [{ id: 'total', text: 'It names the total.', weight: 'must' }],
      failure_modes: [{ id: 'asks', text: 'It asks.' }],
      signals: [{ id: 'reads', text: 'It reads.' }],
      report: true,
    },
  }),
  'DELETE /v1/reverie/agents/{agent_id}/outcome_model': async (world) => {
    const ids = await newAgent(world);
    const success_criteria = [{ id: 'total', text: 'It names the total.' }];
    await world.own.outcomeModels.put(ids['agent_id'] ?? '', { success_criteria });
    return { ids };
  },
  'POST /v1/reverie/dreams/{dream_id}/changes/{change_id}': () => ({
    body: { decision: 'accept' },
  }),
  'POST /v1/reverie/dreams/{dream_id}/apply': ({ ids }) => ({
    body: { memory_store_id: ids['memory_store_id'] },
  }),
  'GET /v1/reverie/sessions/{session_id}/transcript': () => ({ query: { format: 'markdown' } }),
  'POST /v1/reverie/api_keys': () => ({
    body: { name: 'sample', scopes: ['read'], expires_at: '2099-01-01T00:00:00Z' },
  }),
  'DELETE /v1/reverie/api_keys/{api_key_id}': async (world) => ({ ids: await newKey(world) }),
};

/** Good requests that are refused all the same, and why. */
export const refused: Readonly<Record<string, number>> = {
  // The primary thread goes with its session.
  'POST /v1/sessions/{session_id}/threads/{thread_id}/archive': 400,
  // It has completed.
  'POST /v1/dreams/{dream_id}/cancel': 400,
  // The sample is JSON; test/functions/api/files.test.ts sends forms.
  'POST /v1/files': 415,
  // What was uploaded is not downloaded.
  'GET /v1/files/{file_id}/content': 400,
  // The file of the sample is no archive.
  'POST /v1/reverie/memory_stores/import': 400,
  // Its change stands in a store already.
  'POST /v1/reverie/dreams/{dream_id}/changes/{change_id}': 409,
};

/** Whether a route's sample is made for it; of one that has just come in there is its path alone. */
export function isMade(route: string): boolean {
  return Object.hasOwn(makers, route);
}

/** A good request of a route; of one that has just come in, its path alone. */
export async function sampleOf(route: RouteName, world: World): Promise<Sample> {
  const { ids = {}, query = {}, body } = (await makers[route]?.(world)) ?? {};
  return { route, ids: { ...world.ids, ...ids }, query, body };
}

export const routeNames = Object.keys(routes) as RouteName[];

/** The path of a sample; an id that no world has is `none`. */
export function pathOf({ route, ids }: Pick<Sample, 'route' | 'ids'>): string {
  const [, path = ''] = route.split(' ');
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(ids[name] ?? 'none'),
  );
}

/** Names of the ids in a route's path. */
export function idNames(route: RouteName): string[] {
  return [...route.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
}
