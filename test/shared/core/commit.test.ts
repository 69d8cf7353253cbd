import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Call } from '#shared/core/call.ts';
import { commit, recall, requestOf, type Request } from '#shared/core/commit.ts';
import { newId } from '#shared/core/id.ts';
import { limits } from '#shared/core/limits.ts';
import { ConditionFailed, type Write } from '#shared/core/table.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';
import { MemoryBlobs } from '../../memory-blobs.ts';

/** A POST with an Idempotency-Key: its effect and its remembered answer are there together or not. */

let started: StartedTable;
const clock = { shift_ms: 0, now: () => new Date(1_800_000_000_000 + clock.shift_ms) };

beforeAll(async () => {
  started = await startTable();
});

afterAll(async () => {
  await started.stop();
});

const portsOf = () => ({ table: started.table, blobs: new MemoryBlobs(), clock, newId });

const callOf = (idempotency?: Request): Call => ({
  request_id: 'req_1',
  workspace_id: 'wrkspc_1',
  api_key_id: 'apikey_1',
  scopes: ['write'],
  ...(idempotency && { idempotency }),
});

const requestFor = (key: string, body: unknown = {}): Request =>
  requestOf('wrkspc_1', '/v1/things', key, body);

const putOf = (pk: string): Write => ({
  put: { pk, sk: 'HEAD' },
  condition: 'attribute_not_exists(pk)',
});

test('without a key nothing is remembered, and a POST without effect writes nothing', async () => {
  const ports = portsOf();
  expect(await commit(ports, callOf(), [], { answer: 1 })).toBe(1);
  expect(await commit(ports, callOf(), [putOf('plain')], { answer: 2 })).toBe(2);
  expect(await started.table.get({ pk: 'plain', sk: 'HEAD' })).toBeDefined();
});

test('the first answer is what a repeat gets, also when the first changed nothing', async () => {
  const ports = portsOf();
  const request = requestFor('no-effect');
  expect(await recall(ports, request)).toBeUndefined();
  await commit(ports, callOf(request), [], { answer: { n: 1 } });
  expect(await recall(ports, request)).toEqual({ answer: { n: 1 } });
  expect(await commit(ports, callOf(request), [putOf('never')], { answer: { n: 2 } })).toEqual({
    n: 1,
  });
  expect(await started.table.get({ pk: 'never', sk: 'HEAD' })).toBeUndefined();
});

test('an answer that may not be kept is remembered as the caller says', async () => {
  const ports = portsOf();
  const request = requestFor('secret');
  const answers = { answer: { secret: 'x' as string | null }, kept: { secret: null } };
  expect(await commit(ports, callOf(request), [], answers)).toEqual({ secret: 'x' });
  expect(await recall(ports, request)).toEqual({ answer: { secret: null } });
});

test('the same key with another body is a conflict, and one with its fields in another order is none', async () => {
  const ports = portsOf();
  await commit(ports, callOf(requestFor('body', { a: 1 })), [], { answer: 1 });
  const [one, same] = [
    { a: [{ b: 1, c: 2 }, null], d: 'x' },
    { d: 'x', a: [{ c: 2, b: 1 }, null] },
  ];
  expect(requestFor('order', same)).toEqual(requestFor('order', one));
  expect(requestFor('order', { ...one, a: one.a.toReversed() })).not.toEqual(
    requestFor('order', one),
  );
  await expect(recall(ports, requestFor('body', { a: 2 }))).rejects.toMatchObject({
    kind: 'conflict',
    details: { error_code: 'idempotency_key_reused' },
  });
});

test.each<[string, Request]>([
  ['another path', requestOf('wrkspc_1', '/v1/others', 'scoped', {})],
  ['another workspace', requestOf('wrkspc_2', '/v1/things', 'scoped', {})],
])('the same key at %s is another request', async (_, other) => {
  const ports = portsOf();
  await commit(ports, callOf(requestFor('scoped')), [], { answer: 1 });
  expect(await recall(ports, other)).toBeUndefined();
});

test('after a day the key is free again, whether or not the row has gone', async () => {
  const ports = portsOf();
  const request = requestFor('old');
  await commit(ports, callOf(request), [], { answer: 'first' });
  clock.shift_ms = 86_399_000;
  expect(await recall(ports, request)).toEqual({ answer: 'first' });
  clock.shift_ms = 86_400_000;
  expect(await recall(ports, request)).toBeUndefined();
  expect(await commit(ports, callOf(request), [], { answer: 'second' })).toBe('second');
  expect(await recall(ports, request)).toEqual({ answer: 'second' });
  clock.shift_ms = 0;
});

test('a large answer stands in the bucket and comes back whole', async () => {
  const ports = portsOf();
  const request = requestFor('large');
  const answer = { text: 'x'.repeat(limits.inline_bytes_max) };
  await commit(ports, callOf(request), [], { answer });
  expect([...ports.blobs.objects.keys()]).toEqual([
    expect.stringMatching(/^idempotency\/[0-9a-f]{64}\/[0-9a-f]{64}\.json$/),
  ]);
  expect(await recall(ports, request)).toEqual({ answer });
});

test('of 20 racing requests one takes effect and all get its answer', async () => {
  const ports = portsOf();
  const request = requestFor('raced');
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      commit(ports, callOf(request), [putOf(`raced-${n}`)], { answer: n }),
    ),
  );
  expect(new Set(answers).size).toBe(1);
  const keys = Array.from({ length: 20 }, (_, n) => ({ pk: `raced-${n}`, sk: 'HEAD' }));
  const rows = await started.table.getMany(keys);
  expect(rows.map(({ pk }) => pk)).toEqual([`raced-${answers[0]}`]);
});

test('a condition of the use case fails as itself, and nothing is remembered', async () => {
  const ports = portsOf();
  const request = requestFor('refused');
  await commit(ports, callOf(), [putOf('taken')], { answer: 1 });
  const again = commit(ports, callOf(request), [putOf('free'), putOf('taken')], { answer: 2 });
  await expect(again).rejects.toThrow(ConditionFailed);
  await expect(again).rejects.toMatchObject({ failed: [1] });
  expect(await recall(ports, request)).toBeUndefined();
});

test.each(['', ' ', 'a b', 'ü', 'k'.repeat(256), 'a\n'])('the key %j is refused', (key) => {
  expect(() => requestFor(key)).toThrow(/Idempotency-Key: must be/);
});

test('a key of 255 visible characters is accepted', () => {
  expect(requestFor('k'.repeat(255)).id).toMatch(/^[0-9a-f]{64}$/);
});
