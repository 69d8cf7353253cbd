import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkedClient, type CheckedClient } from '../../wire/checked-client.ts';
import { ReverieClient } from '#shared/client/reverie-client.ts';
import { admin_key, collect, startDoor, type StartedDoor } from './door.ts';

/** Idempotency-Key through the SDK: same key and body, same answer, once done. */

let door: StartedDoor;
let checked: CheckedClient;
let beta: CheckedClient['client']['beta'];

beforeAll(async () => {
  door = await startDoor();
  checked = checkedClient(door.baseURL, admin_key);
  ({ beta } = checked.client);
});

afterAll(async () => {
  await door.stop();
});

const keyed = (key: string) => ({ headers: { 'idempotency-key': key } });
const body = { name: 'Same', model: 'claude-opus-5-5' };

test('20 racing creations with one key make one agent, and all get it', async () => {
  const before = (await collect(beta.agents.list())).length;
  const made = await Promise.all(
    Array.from({ length: 20 }, () => beta.agents.create(body, keyed('raced'))),
  );
  for (const agent of made) expect(agent).toEqual(made[0]);
  expect(await collect(beta.agents.list())).toHaveLength(before + 1);
});

test('racing creations of one name with one key are all answered, none by a conflict', async () => {
  const made = await Promise.all(
    Array.from({ length: 20 }, () => beta.environments.create({ name: 'raced' }, keyed('env'))),
  );
  expect(new Set(made.map(({ id }) => id)).size).toBe(1);
});

test('racing updates of one version with one key are all answered by the one that won', async () => {
  const { id } = await beta.agents.create(body);
  const made = await Promise.all(
    Array.from({ length: 10 }, () =>
      beta.agents.update(id, { name: 'Next', version: 1 }, keyed('update')),
    ),
  );
  expect(made.every(({ version, name }) => version === 2 && name === 'Next')).toBe(true);
});

test('a repeat gets the answer of then, whatever has happened since', async () => {
  const { id } = await beta.agents.create(body);
  const first = await beta.agents.update(id, { name: 'First' }, keyed('then'));
  await beta.agents.update(id, { name: 'Second' });
  expect(await beta.agents.update(id, { name: 'First' }, keyed('then'))).toEqual(first);
  expect((await beta.agents.retrieve(id)).name).toBe('Second');
  const archived = await beta.agents.archive(id, {}, keyed('archive'));
  expect(await beta.agents.archive(id, {}, keyed('archive'))).toEqual(archived);
});

test('the same key with another body is a 409 that is not repeated', async () => {
  await beta.agents.create(body, keyed('changed'));
  const calls = checked.calls.length;
  await expect(beta.agents.create({ ...body, name: 'Other' }, keyed('changed'))).rejects.toThrow(
    /409.*was used with another body/,
  );
  expect(checked.calls).toHaveLength(calls + 1);
});

test('what was refused is not remembered: the same key may be used once it is put right', async () => {
  const bad = { ...body, name: '' };
  await expect(beta.agents.create(bad, keyed('mended'))).rejects.toThrow(/400/);
  expect(await beta.agents.create(body, keyed('mended'))).toMatchObject({ name: 'Same' });
});

test('another workspace has its own keys', async () => {
  const elsewhere = { headers: { 'anthropic-workspace-id': `wrkspc_${'7'.repeat(24)}` } };
  const first = await beta.agents.create(body, keyed('shared'));
  const second = await beta.agents.create(body, {
    headers: { ...keyed('shared').headers, ...elsewhere.headers },
  });
  expect(second.id).not.toBe(first.id);
});

test('a repeat of the creation of a key gets the key without its secret', async () => {
  const { apiKeys } = new ReverieClient(checked.client);
  const first = await apiKeys.create({ name: 'once' }, { idempotencyKey: 'key' });
  const again = await apiKeys.create({ name: 'once' }, { idempotencyKey: 'key' });
  expect(first.secret).toMatch(/^rvr_/);
  expect(again).toEqual({ ...first, secret: null });
});
