import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Call } from '#shared/core/call.ts';
import { default_workspace_id } from '#shared/keys/api-key.ts';
import {
  environmentForSession,
  referEnvironment,
  unreferEnvironment,
} from '#shared/environments/environments.ts';
import { checkedClient, type CheckedClient } from '../../wire/checked-client.ts';
import { admin_key, collect, startDoor, type StartedDoor } from './door.ts';

/** Environments over HTTP, through the official SDK, with every answer held against its own types. */

let door: StartedDoor;
let environments: CheckedClient['client']['beta']['environments'];

beforeAll(async () => {
  door = await startDoor();
  ({ environments } = checkedClient(door.baseURL, admin_key).client.beta);
});

afterAll(async () => {
  await door.stop();
});

const call: Call = {
  request_id: 'req_1',
  workspace_id: default_workspace_id,
  api_key_id: 'apikey_1',
  scopes: ['write'],
};

test('an environment is created, read, changed, archived and deleted', async () => {
  const made = await environments.create({ name: 'life', metadata: { a: '1' } });
  expect(await environments.retrieve(made.id)).toEqual(made);
  const changed = await environments.update(made.id, { description: 'Now', metadata: { a: null } });
  expect(changed).toMatchObject({ id: made.id, description: 'Now', metadata: {} });
  const archived = await environments.archive(made.id);
  expect(archived.archived_at).not.toBeNull();
  expect(await environments.archive(made.id)).toEqual(archived);
  await expect(environments.update(made.id, { name: 'x' })).rejects.toBeInstanceOf(
    Anthropic.Beta.Environments.BetaEnvironmentArchivedError,
  );
  expect(await environments.delete(made.id)).toEqual({ id: made.id, type: 'environment_deleted' });
  await expect(environments.retrieve(made.id)).rejects.toThrow(/404.*was not found/);
  await expect(environments.delete(made.id)).rejects.toThrow(/404/);
});

test('errors come as the classes that the SDK has for them', async () => {
  const { id } = await environments.create({ name: 'errors' });
  await expect(environments.update(id, { config: { type: 'self_hosted' } })).rejects.toBeInstanceOf(
    Anthropic.Beta.Environments.BetaInvalidConfigTypeChangeError,
  );
  await expect(
    environments.create({ name: 'x', metadata: { ['k'.repeat(65)]: 'v' } }),
  ).rejects.toBeInstanceOf(Anthropic.Beta.Environments.BetaInvalidMetadataError);
});

test('a name is held by one environment at a time, until it is changed, archived or deleted', async () => {
  const first = await environments.create({ name: 'one' });
  await expect(environments.create({ name: 'one' })).rejects.toThrow(/409.*'one' exists already/);
  const second = await environments.create({ name: 'two' });
  await expect(environments.update(second.id, { name: 'one' })).rejects.toThrow(/409/);
  expect(await environments.retrieve(second.id)).toMatchObject({ name: 'two' });

  await environments.update(first.id, { name: 'three' });
  await environments.update(second.id, { name: 'one' });
  await environments.archive(second.id);
  const third = await environments.create({ name: 'one' });
  // The archived one must not give away what is no longer its own.
  await environments.delete(second.id);
  await expect(environments.create({ name: 'one' })).rejects.toThrow(/409/);
  await environments.delete(third.id);
  await environments.create({ name: 'one' });
});

test('of 20 racing creations of one name one wins', async () => {
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, () => environments.create({ name: 'raced' })),
  );
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

test('racing updates are all kept', async () => {
  const { id } = await environments.create({ name: 'merged' });
  const keys = Array.from({ length: 16 }, (_, n) => `k${n}`);
  await Promise.all(keys.map((key) => environments.update(id, { metadata: { [key]: 'v' } })));
  expect(Object.keys((await environments.retrieve(id)).metadata).toSorted()).toEqual(
    keys.toSorted(),
  );
});

test('an environment is deleted only when the last session that refers to it is', async () => {
  const { table } = door.ports;
  const { id } = await environments.create({ name: 'used' });
  await environmentForSession(door.ports, call, id);
  await table.transact([referEnvironment(id)]);
  await table.transact([referEnvironment(id)]);
  await expect(environments.delete(id)).rejects.toThrow(/409.*is used by sessions/);
  await table.transact([unreferEnvironment(id)]);
  await expect(environments.delete(id)).rejects.toThrow(/409/);
  await table.transact([unreferEnvironment(id)]);
  await expect(table.transact([unreferEnvironment(id)])).rejects.toThrow(/conditions failed/);
  await environments.delete(id);
  await expect(table.transact([referEnvironment(id)])).rejects.toThrow(/conditions failed/);
});

test('an archived environment takes no new session', async () => {
  const { id } = await environments.create({ name: 'closed' });
  await environments.archive(id);
  await expect(environmentForSession(door.ports, call, id)).rejects.toThrow(/is archived/);
  await expect(door.ports.table.transact([referEnvironment(id)])).rejects.toThrow(/conditions/);
});

test('the list is newest first, in pages, without what is archived unless asked', async () => {
  const before = (await collect(environments.list())).map(({ id }) => id);
  const made: string[] = [];
  for (let n = 0; n < 5; n++) made.unshift((await environments.create({ name: `list${n}` })).id);
  await environments.archive(made[2] ?? '');
  const left = made.filter((_, index) => index !== 2);

  const first = await environments.list({ limit: 2 });
  expect(first.data.map(({ id }) => id)).toEqual(left.slice(0, 2));
  const all = await collect(environments.list({ limit: 2 }));
  expect(all.map(({ id }) => id)).toEqual([...left, ...before]);
  const whole = await environments.list({ include_archived: true, limit: 5 });
  expect(whole.data.map(({ id }) => id)).toEqual(made);
});

test('a large environment goes through the bucket', async () => {
  const allowed_hosts = Array.from(
    { length: 400 },
    (_, n) => `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}${n}.com`,
  );
  const config = {
    type: 'cloud' as const,
    networking: { type: 'limited' as const, allowed_hosts },
  };
  const made = await environments.create({ name: 'large', config });
  expect([...door.ports.blobs.objects.keys()].some((key) => key.includes(made.id))).toBe(true);
  expect(await environments.retrieve(made.id)).toEqual(made);
});
