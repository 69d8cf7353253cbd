import { afterAll, beforeAll, expect, test } from 'vitest';
import { prefixes, type Noun } from '#shared/core/id.ts';
import { routes, type RouteName } from '#shared/routes.ts';
import { admin_key, startDoor, type StartedDoor } from './door.ts';

/** What the door does for every route: keys, methods, bodies, errors, ids, the log. Plain HTTP. */

let door: StartedDoor;

beforeAll(async () => {
  door = await startDoor();
});

afterAll(async () => {
  await door.stop();
});

interface Sent {
  readonly key?: string | undefined;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  readonly text?: string | Uint8Array<ArrayBuffer>;
}

async function send(method: string, path: string, sent: Sent = {}) {
  const { key = admin_key, body, text } = sent;
  const payload = body === undefined ? text : JSON.stringify(body);
  const response = await fetch(door.baseURL + path, {
    method,
    headers: {
      'x-api-key': key,
      ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
      ...sent.headers,
    },
    ...(payload === undefined ? {} : { body: payload }),
  });
  const answer = (await response.json()) as {
    error?: { type: string; message: string; details?: unknown };
    request_id?: string;
    [key: string]: unknown;
  };
  return { status: response.status, headers: response.headers, answer };
}

const agent = { name: 'a', model: 'claude-opus-5-5' };

/** A path of a route, with ids of the right form that nothing has. */
function pathOf(name: RouteName): string {
  // The others are named as their nouns are.
  const nouns: Readonly<Record<string, Noun>> = {
    evaluation_id: 'event',
    change_id: 'event',
    run_id: 'dream_schedule_run',
  };
  const path = name.slice(name.indexOf(' ') + 1);
  return path.replaceAll(/\{(\w+)\}/g, (_, id: string) => {
    const noun = nouns[id] ?? (id.slice(0, -'_id'.length) as Noun);
    return `${prefixes[noun]}_${'0'.repeat(26)}`;
  });
}

const served = (Object.keys(routes) as RouteName[]).filter(
  (name) => !('served_by' in routes[name]),
);

test.each(served)('%s: no key is 401, a key without its scope is 403', async (name) => {
  const [method = ''] = name.split(' ');
  const none = await send(method, pathOf(name), { key: '' });
  expect(none.status).toBe(401);
  expect(none.answer.error?.type).toBe('authentication_error');

  const { scope } = routes[name];
  const others = ['read', 'write', 'admin'].filter((other) => other !== scope);
  const made = await send('POST', '/v1/reverie/api_keys', { body: { name: 'k', scopes: others } });
  const key = String(made.answer['secret']);
  const refused = await send(method, pathOf(name), { key });
  expect(refused.status).toBe(403);
  expect(refused.answer.error?.message).toContain(`'${scope}'`);
});

test('every answer has a request id, the same in header, body and log', async () => {
  const good = await send('POST', '/v1/agents', { body: agent });
  expect(good.status).toBe(200);
  expect(good.headers.get('request-id')).toMatch(/^req_[0-9A-Z]{26}$/);
  const bad = await send('GET', '/v1/agents/agent_x');
  expect(bad.headers.get('request-id')).toBe(bad.answer.request_id);
  expect(bad.headers.get('x-should-retry')).toBe('false');
  expect(good.headers.get('access-control-allow-origin')).toBe('*');
  expect(door.log).toContainEqual(
    expect.objectContaining({ request_id: bad.answer.request_id, status: 404 }),
  );
});

test('a line of the log says who, what and how long, and never a key or a body', async () => {
  door.log.length = 0;
  await send('POST', '/v1/agents?beta=true', { body: { ...agent, system: 'SECRET-PROMPT' } });
  const line = door.log.find(({ message }) => message === 'request');
  expect(line).toMatchObject({
    level: 'INFO',
    route: 'POST /v1/agents',
    workspace_id: 'wrkspc_default0000000000000000',
    api_key_id: 'apikey_admin',
    status: 200,
    duration_ms: expect.any(Number),
  });
  expect(JSON.stringify(door.log)).not.toMatch(/SECRET-PROMPT|the-admin-key/);
});

test.each<[string, string, number, RegExp]>([
  ['GET', '/v1/nothing', 404, /There is nothing at \/v1\/nothing/],
  ['GET', '/v1/constructor', 404, /There is nothing at \/v1\/constructor\.$/],
  ['POST', '/v1/messages', 404, /models are not served here. Use a second client/],
  ['GET', '/v1/vaults/vlt_1/credentials', 404, /vaults are not built yet\.$/],
  ['GET', '/', 404, /There is nothing at/],
  ['GET', '/v1/agents/', 404, /./],
  ['GET', '/v1/v1/agents', 404, /Leave it out of the base URL\.$/],
  ['GET', '/v1/environments/env_1/work/poll', 404, /self_hosted environments are not built yet\.$/],
  ['GET', '/v1/sessions/sesn_1/threads/sthr_1/events/stream', 404, /There is nothing at/],
  ['GET', '/v1/agents/agent_x/versions/1', 404, /There is nothing/],
  ['GET', '/v1/agents/sesn_00000000000000000000000000', 404, /agent 'sesn_/],
  ['GET', '/v1/agents/%2e%2e', 404, /./],
  ['GET', `/v1/agents/${'x'.repeat(5_000)}`, 404, /./],
  ['DELETE', '/v1/agents', 405, /Use GET, POST\./],
  ['PUT', '/v1/agents/agent_1', 405, /Use GET, POST\./],
  ['PATCH', '/v1/environments/env_1', 405, /Use GET, POST, DELETE\./],
])('%s %s is %i', async (method, path, status, message) => {
  const got = await send(method, path);
  expect(got.status).toBe(status);
  expect(got.headers.has('allow')).toBe(status === 405);
  expect(got.answer.error?.message).toMatch(message);
});

test.each<[string, Sent, number, RegExp]>([
  ['no body', {}, 400, /has no body/],
  ['an empty object', { body: {} }, 400, /name: is required/],
  ['a list', { body: [] }, 400, /JSON object is expected/],
  ['broken JSON', { text: '{' }, 400, /not valid JSON/],
  ['a field twice', { text: '{"name":"a","name":"b","model":"m"}' }, 400, /'name' twice/],
  ['bytes that are no UTF-8', { text: new Uint8Array([0x22, 0xff, 0x22]) }, 400, /not valid UTF-8/],
  [
    'nesting without end',
    { text: '['.repeat(100_000) + ']'.repeat(100_000) },
    400,
    /nested deeper/,
  ],
  ['a form', { text: 'a=1', headers: { 'content-type': 'text/plain' } }, 415, /application\/json/],
  ['an unknown field', { body: { ...agent, colour: 1 } }, 400, /^colour: unknown field/],
  [
    'an unknown version',
    { body: agent, headers: { 'anthropic-version': '1' } },
    400,
    /anthropic-version/,
  ],
  [
    'an unusable idempotency key',
    { body: agent, headers: { 'idempotency-key': 'a b' } },
    400,
    /Idempotency-Key/,
  ],
])('POST /v1/agents with %s is %i', async (_, sent, status, message) => {
  const got = await send('POST', '/v1/agents', sent);
  expect(got.status).toBe(status);
  expect(got.answer.error?.message).toMatch(message);
});

test.each<[string, Record<string, string>]>([
  ['2023-06-01', { 'anthropic-version': '2023-06-01' }],
  ['2026-10-21', { 'anthropic-version': '2026-10-21' }],
  ['unknown betas', { 'anthropic-beta': 'never-heard-of, managed-agents-2026-04-01' }],
  ['its own workspace', { 'anthropic-workspace-id': 'wrkspc_default0000000000000000' }],
])('a request with %s is accepted', async (_, headers) => {
  expect((await send('GET', '/v1/agents', { headers })).status).toBe(200);
});

test.each([
  '',
  '?beta=true&limit=1&page=',
  '?created_at%5Bgte%5D=2026-01-01T00:00:00Z',
  '?created_at[gte]=2026-01-01T00:00:00Z',
])('GET /v1/agents%s is 200', async (query) => {
  expect((await send('GET', `/v1/agents${query}`)).status).toBe(200);
});

test.each<[string, RegExp]>([
  ['?colour=1', /^colour: unknown field/],
  ['?limit=0', /^limit: must be at least 1/],
  ['?limit=101', /^limit: must be at most 100/],
  ['?page=nonsense', /^page: /],
  ['?include_archived=1', /^include_archived: must be 'true' or 'false'/],
  ['?created_at[gte]=now', /^created_at\[gte\]: must be an RFC 3339 time/],
])('GET /v1/agents%s is 400', async (query, message) => {
  const got = await send('GET', `/v1/agents${query}`);
  expect(got.status).toBe(400);
  expect(got.answer.error?.message).toMatch(message);
});

test.each(Object.keys(routes) as RouteName[])(
  '%s refuses a parameter of its query that it does not know',
  async (name) => {
    const [method = ''] = name.split(' ');
    const got = await send(method, `${pathOf(name)}?dry_run=true`);
    expect(got.status).toBe(400);
    // What is missing is said first.
    expect(got.answer.error?.message).toMatch(/^(dry_run: unknown field|\w+: is required)/);
  },
);

test.each<[string, string]>([
  ['POST', '/archive'],
  ['POST', `/threads/sthr_${'0'.repeat(26)}/archive`],
])('%s of a session%s refuses a field that it does not know', async (method, rest) => {
  const body = { colour: 1 };
  const got = await send(method, `/v1/sessions/sesn_${'0'.repeat(26)}${rest}`, { body });
  expect(got.answer.error?.message).toMatch(/^colour: unknown field/);
});

test('an error that nobody expected is a 500 without its text, logged with its stack', async () => {
  const { table } = door.ports;
  const get = table.get.bind(table);
  door.log.length = 0;
  Object.assign(table, {
    get: async () => {
      throw new Error('the table says: password 42');
    },
  });
  const got = await send('GET', `/v1/agents/agent_${'0'.repeat(26)}`);
  Object.assign(table, { get });
  expect(got.status).toBe(500);
  expect(JSON.stringify(got.answer)).not.toContain('password');
  expect(got.headers.get('x-should-retry')).toBe('true');
  const line = door.log.find(({ level }) => level === 'ERROR');
  expect(line).toMatchObject({ request_id: got.answer.request_id });
  expect(JSON.stringify(line)).toMatch(/password 42.*serve|stack/);
});

test('GET and DELETE take no idempotency key, and are never replayed', async () => {
  const headers = { 'idempotency-key': 'get' };
  const before = await send('GET', '/v1/agents?limit=1', { headers });
  await send('POST', '/v1/agents', { body: agent });
  const after = await send('GET', '/v1/agents?limit=1', { headers });
  expect(after.answer['data']).not.toEqual(before.answer['data']);
});
