import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AwsJson } from '#shared/core/aws-json.ts';
import { limits } from '#shared/core/limits.ts';
import { packed, unpacked } from '#shared/core/packing.ts';
import { itemOf } from '#shared/core/items-dynamo.ts';
import type { Row } from '#shared/core/table.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';

/** Rows that keep most of what they hold in one text. Rule: who reads them cannot tell. */

let started: StartedTable;
beforeAll(async () => {
  started = await startTable();
});
afterAll(() => started.stop());

const head = { pk: 'THREAD#sthr_1', sk: 'HEAD', schema: 1 };
const queue = [{ n: 1, id: 'sevt_1' }];

test('whatever JSON a row holds, it comes back as it went', () => {
  const keys = fc.constantFrom(
    'THREAD#a/HEAD',
    'THREAD#a/E#000000000001',
    'THREAD#a/I#1',
    'SESSION#a/CONFIG',
    'OTHER/x',
  );
  // As the table gives numbers: it knows no -0.
  const values = fc.dictionary(
    fc.constantFrom('version', 'status', 'seq', 'queue', 'usage', 'expires_at', 'lines'),
    fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown),
  );
  fc.assert(
    fc.property(keys, values, (key, rest) => {
      const [pk = '', sk = ''] = key.split('/');
      const row = { pk, sk, ...rest } as Row;
      expect(unpacked(packed(row))).toEqual(row);
    }),
  );
});

test('what conditions and updates name stands by itself, and is newer than the text', async () => {
  const { table } = started;
  await table.transact([{ put: { ...head, version: 1, status: 'idle', run: 1, queue } }]);
  const row = await table.update({
    update: head,
    expression: 'SET #status = :running, execution = :name, #version = #version + :one',
    condition: '#version = :one AND run = :one',
    names: { '#version': 'version', '#status': 'status' },
    values: { ':one': 1, ':running': 'running', ':name': 'sesn-1' },
  });
  const next = { ...head, version: 2, status: 'running', run: 1, queue, execution: 'sesn-1' };
  expect(row).toEqual(next);
  expect(await table.get(head)).toEqual(next);
  expect(await table.getMany([head], { attributes: ['pk', 'sk', 'queue'] })).toMatchObject([
    { queue },
  ]);
});

test.each([
  ['a condition', { check: head, condition: 'queue = :x', values: { ':x': [] } }],
  ['an alias in a condition', { put: { ...head }, condition: '#q = :x', names: { '#q': 'queue' } }],
  ['an update', { update: head, expression: 'SET version = :x, queue = :x', values: { ':x': 1 } }],
  ['an update of an entry', { update: { ...head, sk: 'E#1' }, expression: 'REMOVE lines' }],
] as const)('%s that names what stands in the text is refused', async (_, write) => {
  await expect(started.table.transact([write])).rejects.toThrow('stands by itself');
});

test('a row of before there was a text is read, and changed, as it stands', async () => {
  const { place, table, name } = started;
  const old = { ...head, pk: 'THREAD#sthr_old', version: 7, status: 'idle', run: 1, queue };
  const put = { TableName: name, Item: itemOf(old) };
  await new AwsJson('dynamodb', place).call('PutItem', put);
  expect(await table.get(old)).toEqual(old);
  const condition = { condition: 'version = :read', values: { ':read': 7 } };
  await table.transact([{ put: { ...old, version: 8 }, ...condition }]);
  expect(await table.get(old)).toEqual({ ...old, version: 8 });
});

test('an entry of the largest size fits, even of nothing but what JSON escapes', async () => {
  const json = JSON.stringify('"'.repeat(limits.inline_bytes_max / 2 - 1));
  const line = { id: 'sevt_1', type: 'user.message', event: { json }, hidden: { json } };
  const entry = { ...head, sk: 'E#000000000001', first_seq: 1, lines: [line] };
  await started.table.transact([{ put: entry }]);
  expect(await started.table.get(entry)).toEqual(entry);
});
