// Goal: an agent's outcome model over HTTP: versions, the lock, refusals by name. Method: the typed
// client over the door, and a real table.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ReverieClient } from '#shared/client/reverie-client.ts';
import { limits } from '#shared/core/limits.ts';
import { checkedClient, type CheckedClient } from '../../wire/checked-client.ts';
import { admin_key, startDoor, type StartedDoor } from './door.ts';

let door: StartedDoor;
let client: CheckedClient['client'];
let models: ReverieClient['outcomeModels'];
beforeAll(async () => {
  door = await startDoor();
  ({ client } = checkedClient(door.baseURL, admin_key, { maxRetries: 0 }));
  models = new ReverieClient(client).outcomeModels;
});
afterAll(async () => {
  await door.stop();
});

async function agent(): Promise<string> {
  const { id } = await client.beta.agents.create({ name: 'Ada', model: 'claude-sonnet-5-5' });
  return id;
}

const criteria = (...texts: string[]) => ({ success_criteria: texts.map((text) => ({ text })) });
const pathOf = (id: string) => `/v1/reverie/agents/${id}/outcome_model`;

test('each real change is a version; the same again is none; all of them can be read', async () => {
  const id = await agent();
  await expect(models.retrieve(id)).rejects.toThrow(/404.*has no outcome model/);
  await expect(models.versions(id)).rejects.toThrow(/404/);
  const first = await models.put(id, criteria('Totals are right.'));
  expect(first).toEqual({
    type: 'outcome_model',
    agent_id: id,
    version: 1,
    success_criteria: [{ id: 'c1', text: 'Totals are right.', weight: 'must' }],
    failure_modes: [],
    signals: [],
    report: true,
    created_at: expect.any(String),
    deleted_at: null,
  });
  expect(await models.put(id, criteria('Totals are right.'))).toEqual(first);
  const second = await models.put(id, {
    ...criteria('Totals are right.'),
    report: false,
    version: 1,
  });
  expect(second).toMatchObject({ version: 2, report: false });
  expect(await models.retrieve(id)).toEqual(second);
  expect(await models.retrieve(id, { version: 1 })).toEqual(first);
  await expect(models.retrieve(id, { version: 3 })).rejects.toThrow(/404.*no version 3/);
  const page = await models.versions(id, { limit: 1 });
  expect(page.data).toEqual([second]);
  expect((await models.versions(id, { page: page.next_page })).data).toEqual([first]);
});

test('a version that is not the newest is refused with 409 and changes nothing', async () => {
  const id = await agent();
  await models.put(id, { ...criteria('A'), version: 0 });
  await expect(models.put(id, { ...criteria('B'), version: 0 })).rejects.toMatchObject({
    status: 409,
    error: { error: { details: { error_code: 'outcome_model_version_mismatch' } } },
  });
  expect((await models.retrieve(id)).version).toBe(1);
});

test('of racing changes each is a version of its own', async () => {
  const id = await agent();
  const made = await Promise.all(
    ['A', 'B', 'C', 'D'].map(async (text) => await models.put(id, criteria(text))),
  );
  expect(new Set(made.map(({ version }) => version))).toEqual(new Set([1, 2, 3, 4]));
  expect((await models.versions(id)).data).toHaveLength(4);
});

test('a large model is read back whole', async () => {
  const id = await agent();
  const texts = Array.from({ length: limits.outcome_model_items_max }, (_, n) =>
    `${n} ${'ä'.repeat(limits.outcome_model_text_chars_max)}`.slice(
      0,
      limits.outcome_model_text_chars_max,
    ),
  );
  const made = await models.put(id, criteria(...texts));
  expect(await models.retrieve(id)).toEqual(made);
  expect(made.success_criteria.map(({ text }) => text)).toEqual(texts);
});

test('what was deleted stays readable, is not changed again, and is deleted once', async () => {
  const id = await agent();
  await expect(models.delete(id)).rejects.toThrow(/404/);
  await models.put(id, criteria('A'));
  const deleted = await models.delete(id);
  expect(deleted).toMatchObject({ version: 1, deleted_at: expect.any(String) });
  expect(await models.delete(id)).toEqual(deleted);
  expect(await models.retrieve(id, { version: 1 })).toEqual(deleted);
  await expect(models.put(id, criteria('B'))).rejects.toMatchObject({ status: 400 });
});

test('an archived agent’s model is read and not changed', async () => {
  const id = await agent();
  const made = await models.put(id, criteria('A'));
  await client.beta.agents.archive(id);
  await expect(models.put(id, criteria('B'))).rejects.toThrow(/400.*is archived/);
  await expect(models.delete(id)).rejects.toThrow(/400.*is archived/);
  expect(await models.retrieve(id)).toEqual(made);
});

const long = 'x'.repeat(limits.outcome_model_text_chars_max + 1);
const many = Array.from({ length: limits.outcome_model_items_max + 1 }, (_, n) => String(n));

test.each<[object, string]>([
  [{}, 'success_criteria: is required (array).'],
  [criteria(), 'success_criteria: must have at least 1 item.'],
  [criteria(...many), 'success_criteria: must have at most 30 items.'],
  [criteria(' '), 'success_criteria.0.text: must not be blank.'],
  [criteria(long), 'success_criteria.0.text: must have at most 2000 characters.'],
  [{ success_criteria: [{ text: 'A', weight: 'may' }] }, 'success_criteria.0.weight: must be'],
  [{ success_criteria: [{ text: 'A', id: 'A b' }] }, 'success_criteria.0.id: must be 1 to 64'],
  [
    { ...criteria('A'), signals: [{ text: 'S', weight: 'must' }] },
    'signals.0.weight: unknown field',
  ],
  [{ ...criteria('A'), reports: true }, 'reports: unknown field'],
  [{ ...criteria('A'), version: -1 }, 'version: must be at least 0.'],
])('%# is refused by its field', async (body, says) => {
  const id = await agent();
  await expect(client.post(pathOf(id), { body })).rejects.toThrow(says);
  await expect(models.retrieve(id)).rejects.toThrow(/404/);
});

test('reading takes a key that reads, writing one that writes, and each its own workspace', async () => {
  const id = await agent();
  await models.put(id, criteria('A'));
  const keys = new ReverieClient(client).apiKeys;
  const reader = await keys.create({ name: 'reader', scopes: ['read'] });
  const other = await keys.create({ name: 'other', workspace_id: `wrkspc_${'7'.repeat(24)}` });
  const as = (secret: string) =>
    new ReverieClient(checkedClient(door.baseURL, secret, { maxRetries: 0 }).client).outcomeModels;
  expect((await as(reader.secret ?? '').retrieve(id)).version).toBe(1);
  await expect(as(reader.secret ?? '').put(id, criteria('B'))).rejects.toMatchObject({
    status: 403,
  });
  await expect(as(reader.secret ?? '').delete(id)).rejects.toMatchObject({ status: 403 });
  await expect(as(other.secret ?? '').retrieve(id)).rejects.toMatchObject({ status: 404 });
  await expect(as(other.secret ?? '').put(id, criteria('B'))).rejects.toMatchObject({
    status: 404,
  });
});
