/**
 * Rule: whatever a client sends, it is told what is wrong with it and changes nothing by it; of another
 * workspace it learns nothing, and no secret comes out. All of it on one host with two workspaces in
 * which there is something of everything.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADMIN_KEY, MODEL_KEY } from '../rig.ts';
import { IDEMPOTENCY_KEY, leaksOf, OTLP_HEADER, useSecrets } from './canaries.ts';
import { asSent } from './mutations.ts';
import { Random } from './random.ts';
import { isMade, refused, repository, routeNames, sampleOf } from './samples.ts';
import { Sender } from './send.ts';
import { besiege, openField, type Field } from './siege.ts';
import { strangersOf } from './strangers.ts';

const SEED = Number(process.env['HOSTILE_SEED'] ?? 20_261_128);

let field: Field;
beforeAll(async () => {
  field = await openField();
}, 240_000);
afterAll(async () => await field.close());

test('the requests that are made worse are good ones', async () => {
  const sender = new Sender(field.rig.host.base_url);
  const statuses: Record<string, number> = {};
  for (const route of routeNames.filter(isMade)) {
    const { status } = await sender.send(asSent(await sampleOf(route, field.own), field.own.key));
    if (status >= 300) statuses[route] = status;
  }
  sender.close();
  const expected = Object.entries(refused).filter(([route]) => isMade(route));
  expect(statuses).toEqual(Object.fromEntries(expected));
}, 240_000);

test('a thing of another workspace is as unknown as one that there is not', async () => {
  expect(await strangersOf(field, new Random(SEED))).toEqual([]);
}, 240_000);

test(`what is wrong is refused in time, by name, and changes nothing (seed ${SEED})`, async () => {
  const { fallen, changed, statuses } = await besiege(field, { seed: SEED, count: 400 });
  expect(fallen).toEqual([]);
  expect(changed).toEqual([]);
  expect(statuses['400']).toBeGreaterThan(100);
}, 240_000);

test('no secret stands in a row, an object, a name, a log or a model request', async () => {
  // Whoever is asked may refuse, and quote what it was sent.
  field.spans.status = 403;
  const id = await useSecrets(field);
  const sent = async () => field.spans.spansOf(id).length;
  await expect.poll(sent, { timeout: 20_000 }).toBeGreaterThan(0);
  expect(field.spans.requests.at(-1)?.headers.authorization).toContain(OTLP_HEADER);
  const secrets = {
    'the key of the model': MODEL_KEY,
    'the admin key': ADMIN_KEY,
    'a key of a workspace': field.own.key.slice(0, 30),
    'the token of a repository': repository.authorization_token,
    'an idempotency key': IDEMPOTENCY_KEY,
    'a header of the spans': OTLP_HEADER,
  };
  expect(await leaksOf(field, secrets)).toEqual([]);
}, 240_000);
