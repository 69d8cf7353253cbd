/** The host refuses what DynamoDB refuses of a query, and its engine does not. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AwsJson } from '#shared/core/aws-json.ts';
import { DynamoTable } from '#shared/core/table-dynamo.ts';
import { startRig, storage, type Rig } from './fixture.ts';

const TableName = 'Rows';
let rig: Rig;

beforeAll(async () => {
  rig = await startRig({ ...storage });
});
afterAll(() => rig.stop());

const query = async (pk: string, from: string, to: string): Promise<unknown> => {
  return await new AwsJson('dynamodb', rig.host.aws).call('Query', {
    TableName,
    KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
    ExpressionAttributeValues: { ':pk': { S: pk }, ':from': { S: from }, ':to': { S: to } },
  });
};

test.each<[what: string, of: string, asked: Parameters<typeof query>]>([
  ['an upper bound', 'range keys', ['A', 'a', 'b'.repeat(1_025)]],
  ['a lower bound', 'range keys', ['A', 'ä'.repeat(513), 'ö']],
  ['a partition', 'hashkey', ['A'.repeat(2_049), 'a', 'b']],
])('%s of a query that is longer than such a key can be is refused', async (_, of, asked) => {
  const message = expect.stringContaining(of) as unknown;
  await expect(query(...asked)).rejects.toMatchObject({ name: 'ValidationException', message });
});

test('as long as a key can be they are taken, and a page may go on behind such a key', async () => {
  const full = 'k'.repeat(1_024);
  await expect(query('A'.repeat(2_048), 'a', full)).resolves.toMatchObject({ Count: 0 });
  const table = new DynamoTable(TableName, rig.host.aws);
  await table.transact([full, 'l'].map((sk) => ({ put: { pk: 'A', sk } })));
  const { rows } = await table.query({ pk: 'A', from: `${full}\0`, to: '~' });
  expect(rows.map(({ sk }) => sk)).toEqual(['l']);
});
