import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ReverieClient } from '#shared/client/reverie-client.ts';
import { limits } from '#shared/core/limits.ts';
import { admin_key, startDoor, type StartedDoor } from './door.ts';

/** Keys over HTTP, through the typed client; and what a key of another workspace sees: nothing. */

let door: StartedDoor;
let admin: Anthropic;
let apiKeys: ReverieClient['apiKeys'];

beforeAll(async () => {
  door = await startDoor();
  admin = clientOf(admin_key);
  ({ apiKeys } = new ReverieClient(admin));
});

afterAll(async () => {
  await door.stop();
});

const clientOf = (apiKey: string, headers = {}): Anthropic =>
  new Anthropic({ baseURL: door.baseURL, apiKey, maxRetries: 0, defaultHeaders: headers });

const other = `wrkspc_${'other'.repeat(5)}`;

test('a key is shown once with its secret, and after that without', async () => {
  const { secret, ...shown } = await apiKeys.create({ name: 'first' });
  expect(secret).toMatch(/^rvr_[A-Za-z0-9_-]{43}$/);
  expect(shown).toEqual({
    id: expect.stringMatching(/^apikey_/),
    type: 'api_key',
    name: 'first',
    workspace_id: 'wrkspc_default0000000000000000',
    scopes: ['read', 'write'],
    last_four: secret?.slice(-4),
    created_at: expect.any(String),
    created_by: 'apikey_admin',
    expires_at: null,
    revoked_at: null,
  });
  expect(await apiKeys.retrieve(shown.id)).toEqual(shown);
  expect((await apiKeys.list({ limit: 1 })).data).toEqual([shown]);
  expect((await clientOf(secret ?? '').beta.agents.list()).data).toEqual([]);
});

test('a revoked key stays in the records and opens nothing', async () => {
  const { id, secret } = await apiKeys.create({ name: 'revoked' });
  const client = clientOf(secret ?? '');
  await client.beta.agents.list();
  const revoked = await apiKeys.revoke(id);
  expect(revoked.revoked_at).not.toBeNull();
  expect(await apiKeys.revoke(id)).toEqual(revoked);
  door.ports.clock.shift_ms += limits.key_cache_ms;
  await expect(client.beta.agents.list()).rejects.toThrow(/401/);
  const ids = async (include_revoked: boolean) =>
    (await apiKeys.list({ include_revoked })).data.map((key) => key.id);
  expect(await ids(false)).not.toContain(id);
  expect(await ids(true)).toContain(id);
});

test('a key gives only what it has: its own workspace and its own scopes', async () => {
  const { secret } = await apiKeys.create({ name: 'sub-admin', scopes: ['admin', 'read'] });
  const own = new ReverieClient(clientOf(secret ?? '')).apiKeys;
  expect(await own.create({ name: 'a', scopes: ['read'] })).toMatchObject({ scopes: ['read'] });
  await expect(own.create({ name: 'b', scopes: ['write'] })).rejects.toThrow(/403.*'write'/);
  await expect(own.create({ name: 'c', scopes: ['read'], workspace_id: other })).rejects.toThrow(
    /403.*admin key makes keys for other workspaces/,
  );
});

test.each<[object, RegExp]>([
  [{}, /name: is required/],
  [{ name: 'a', scopes: [] }, /scopes: must have at least 1 item/],
  [{ name: 'a', scopes: ['root'] }, /scopes\.0: must be 'read' or 'write' or 'admin'/],
  [{ name: 'a', workspace_id: 'mine' }, /workspace_id: must be wrkspc_/],
  [{ name: 'a', expires_at: '2020-01-01T00:00:00Z' }, /expires_at: is in the past/],
  [{ name: 'a', expires_at: 'soon' }, /expires_at: must be an RFC 3339 time/],
])('the key %j is refused by name', async (body, message) => {
  await expect(apiKeys.create(body as never)).rejects.toThrow(message);
});

test('what one workspace has, another does not see, on any route', async () => {
  const agent = await admin.beta.agents.create({ name: 'mine', model: 'claude-opus-5-5' });
  const environment = await admin.beta.environments.create({ name: 'mine' });
  const key = await apiKeys.create({ name: 'mine' });
  const { secret } = await apiKeys.create({
    name: 'theirs',
    workspace_id: other,
    scopes: ['read', 'write', 'admin'],
  });
  for (const theirs of [
    clientOf(secret ?? ''),
    clientOf(admin_key, { 'anthropic-workspace-id': other }),
  ]) {
    const { agents, environments } = theirs.beta;
    const keys = new ReverieClient(theirs).apiKeys;
    const tries = [
      () => agents.retrieve(agent.id),
      () => agents.retrieve(agent.id, { version: 1 }),
      () => agents.update(agent.id, { name: 'stolen' }),
      () => agents.archive(agent.id),
      () => agents.versions.list(agent.id),
      () => environments.retrieve(environment.id),
      () => environments.update(environment.id, { name: 'stolen' }),
      () => environments.archive(environment.id),
      () => environments.delete(environment.id),
      () => keys.retrieve(key.id),
      () => keys.revoke(key.id),
    ];
    for (const attempt of tries) await expect(attempt()).rejects.toThrow(/404.*was not found/);
    expect((await agents.list()).data).toEqual([]);
    expect((await environments.list()).data).toEqual([]);
    expect((await keys.list()).data.map(({ id }) => id)).not.toContain(key.id);
  }
  // A name is unique in its workspace only.
  await clientOf(secret ?? '').beta.environments.create({ name: 'mine' });
  expect(await admin.beta.agents.retrieve(agent.id)).toEqual(agent);
  expect(await admin.beta.environments.retrieve(environment.id)).toEqual(environment);
  expect((await apiKeys.retrieve(key.id)).revoked_at).toBeNull();
});
