import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Call } from '#shared/core/call.ts';
import { newId } from '#shared/core/id.ts';
import { limits } from '#shared/core/limits.ts';
import { default_workspace_id, hashOf, isSecret, newSecret } from '#shared/keys/api-key.ts';
import { createApiKey, revokeApiKey } from '#shared/keys/api-keys.ts';
import { ApiKeyCreate } from '#shared/keys/api-key-wire.ts';
import { Keyring } from '#shared/keys/keyring.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';
import { MemoryBlobs } from '../../memory-blobs.ts';

/** Lengths of what has been compared in constant time. */
const compared: [number, number][] = [];
const { timingSafeEqual } = crypto;

/** Node's own, watched: whoever has imported it by name calls this one too. */
function watch(is_watched: boolean): void {
  const watched: typeof timingSafeEqual = (a, b) => {
    compared.push([a.byteLength, b.byteLength]);
    return timingSafeEqual(a, b);
  };
  crypto.timingSafeEqual = is_watched ? watched : timingSafeEqual;
  syncBuiltinESMExports();
}

/** Who may come in: the admin key, and the keys of the table for as long as they are valid. */

const clock = { at: Date.parse('2026-06-01T00:00:00Z'), now: () => new Date(clock.at) };
const other_workspace = 'wrkspc_0000000000000000000000other';
let started: StartedTable;
let keyring: Keyring;

beforeAll(async () => {
  watch(true);
  started = await startTable();
});

beforeEach(() => {
  keyring = new Keyring(started.table, clock, async () => 'the admin key');
});

afterAll(async () => {
  watch(false);
  await started.stop();
});

const portsOf = () => ({ table: started.table, blobs: new MemoryBlobs(), clock, newId });
const call: Call = {
  request_id: 'req_1',
  workspace_id: default_workspace_id,
  api_key_id: 'apikey_admin',
  scopes: ['read', 'write', 'admin'],
};

async function keyWith(body: object = {}): Promise<{ id: string; secret: string }> {
  const secret = newSecret();
  const parsed = ApiKeyCreate.parse({ name: 'test', ...body });
  return { id: (await createApiKey(portsOf(), call, parsed, secret)).id, secret };
}

test.each<[string, Record<string, string>]>([
  ['x-api-key', { 'x-api-key': 'the admin key' }],
  ['a bearer token', { authorization: 'Bearer the-admin-key' }],
  [
    'a bearer token beside an empty x-api-key',
    { 'x-api-key': '', authorization: 'Bearer the-admin-key' },
  ],
])('the admin key is known as %s and has every scope', async (_, headers) => {
  const known = new Keyring(started.table, clock, async () =>
    headers['authorization'] ? 'the-admin-key' : 'the admin key',
  );
  expect(await known.identify(headers)).toEqual({
    workspace_id: default_workspace_id,
    api_key_id: 'apikey_admin',
    scopes: ['read', 'write', 'admin'],
  });
});

test('the admin key acts for the workspace that the header names', async () => {
  const headers = { 'x-api-key': 'the admin key', 'anthropic-workspace-id': other_workspace };
  expect(await keyring.identify(headers)).toMatchObject({ workspace_id: other_workspace });
  await expect(
    keyring.identify({ ...headers, 'anthropic-workspace-id': 'wrkspc_x' }),
  ).rejects.toMatchObject({ kind: 'invalid' });
});

test.each<[string, Record<string, string>]>([
  ['no key', {}],
  ['an empty key', { 'x-api-key': '' }],
  ['a scheme other than bearer', { authorization: 'Basic YTpi' }],
  ['a key that is almost the admin key', { 'x-api-key': 'the admin kez' }],
  ['the beginning of the admin key', { 'x-api-key': 'the admin' }],
  ['a key of the right form that nobody has', { 'x-api-key': newSecret() }],
  ['a key of a wrong form', { 'x-api-key': 'rvr_short' }],
])('%s is refused', async (_, headers) => {
  await expect(keyring.identify(headers)).rejects.toMatchObject({ kind: 'unauthenticated' });
});

test('a key of the table has its workspace and scopes, and works at once', async () => {
  const { id, secret } = await keyWith({ workspace_id: other_workspace, scopes: ['read'] });
  const expected = { workspace_id: other_workspace, api_key_id: id, scopes: ['read'] };
  expect(await keyring.identify({ 'x-api-key': secret })).toEqual(expected);
  expect(await keyring.identify({ authorization: `bearer ${secret}` })).toEqual(expected);
});

test('a key acts for no other workspace', async () => {
  const { secret } = await keyWith();
  const named = (workspace: string) =>
    keyring.identify({ 'x-api-key': secret, 'anthropic-workspace-id': workspace });
  await expect(named(other_workspace)).rejects.toMatchObject({ kind: 'forbidden' });
  expect(await named(default_workspace_id)).toMatchObject({ workspace_id: default_workspace_id });
});

test('a revoked key is refused within the time that the cache may keep it', async () => {
  const { id, secret } = await keyWith();
  await keyring.identify({ 'x-api-key': secret });
  await revokeApiKey(portsOf(), call, id);
  const elsewhere = new Keyring(started.table, clock, async () => 'admin');
  await expect(elsewhere.identify({ 'x-api-key': secret })).rejects.toThrow(/not valid/);
  clock.at += limits.key_cache_ms;
  await expect(keyring.identify({ 'x-api-key': secret })).rejects.toThrow(/not valid/);
});

test('a key is read from the table once in the time of the cache', async () => {
  const { secret } = await keyWith();
  let reads = 0;
  const counted = new Proxy(started.table, {
    get(table, name) {
      if (name === 'get') reads++;
      const member: unknown = Reflect.get(table, name);
      return typeof member === 'function' ? member.bind(table) : member;
    },
  });
  const counting = new Keyring(counted, clock, async () => 'admin');
  for (let n = 0; n < 5; n++) await counting.identify({ 'x-api-key': secret });
  expect(reads).toBe(1);
  clock.at += limits.key_cache_ms;
  await counting.identify({ 'x-api-key': secret });
  expect(reads).toBe(2);
});

test('an expired key is refused, also out of the cache', async () => {
  const expires_at = new Date(clock.at + 1_000).toISOString();
  const { secret } = await keyWith({ expires_at });
  await keyring.identify({ 'x-api-key': secret });
  clock.at += 1_000;
  await expect(keyring.identify({ 'x-api-key': secret })).rejects.toThrow(
    `expired at ${expires_at}`,
  );
});

test('the secret stands nowhere in the table', async () => {
  const { id, secret } = await keyWith();
  const rows = await started.table.getMany([
    { pk: `APIKEY#${id}`, sk: 'HEAD' },
    { pk: `SECRET#${hashOf(secret).toString('hex')}`, sk: 'KEY' },
  ]);
  expect(rows).toHaveLength(2);
  expect(JSON.stringify(rows)).not.toContain(secret);
  expect(JSON.stringify(rows)).not.toContain(secret.slice(4, -4));
});

const odd_keys = [
  't',
  'the admin ke',
  'the admin key ',
  'the admin key'.repeat(500),
  'THE ADMIN KEY',
  '\u0000',
  '\u00fc',
];

test.each(odd_keys)(
  'a key of any length is compared as a hash, in constant time: %j',
  async (key) => {
    compared.length = 0;
    await expect(keyring.identify({ 'x-api-key': key })).rejects.toMatchObject({
      kind: 'unauthenticated',
    });
    expect(compared).toEqual([[32, 32]]);
  },
);

test('secrets are 256 bits in a form of their own', () => {
  const secrets = Array.from({ length: 100 }, newSecret);
  expect(secrets.every(isSecret)).toBe(true);
  expect(new Set(secrets).size).toBe(100);
});
