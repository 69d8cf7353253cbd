/**
 * Rows that others' transactions hold for long, and partitions that are too busy for a whole batch. Method: a
 * server with DynamoDB's own answers, because the engine of the tests does one thing after the other.
 */
import { createServer, type Server } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { thrownBy } from '#shared/core/aws-failure.ts';
import { Fault } from '#shared/core/fault.ts';
import { errorReply } from '#shared/core/http.ts';
import { DynamoTable } from '#shared/core/table-dynamo.ts';

const refusals = {
  TransactWriteItems: {
    __type: 'com.amazonaws.dynamodb.v20120810#TransactionCanceledException',
    CancellationReasons: [{ Code: 'TransactionConflict' }],
  },
  UpdateItem: { __type: 'com.amazonaws.dynamodb.v20120810#TransactionConflictException' },
} as const;

/** What DynamoDB leaves of a batch, which is no error. */
const left = {
  BatchGetItem: { UnprocessedKeys: { reverie: { Keys: [{ pk: { S: 'A' }, sk: { S: 'B' } }] } } },
  BatchWriteItem: { UnprocessedItems: { reverie: [{}] } },
} as const;

let server: Server;
let table: DynamoTable;
let refused_count = 0;
let refusals_max = 0;
let tokens: unknown[] = [];

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const asked = JSON.parse((await buffer(request)).toString('utf8')) as Record<string, unknown>;
    tokens.push(asked['ClientRequestToken']);
    const target = String(request.headers['x-amz-target']).split('.')[1];
    const is_refused = refused_count < refusals_max;
    if (is_refused) refused_count += 1;
    const body = is_refused ? { ...refusals, ...left }[target as keyof typeof refusals] : {};
    const status = is_refused && String(target) in refusals ? 400 : 200;
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  table = new DynamoTable('reverie', {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
});
beforeEach(() => {
  refused_count = 0;
  tokens = [];
});
afterAll(() => {
  server.close();
});

const key = { pk: 'A', sk: 'B' };
const batches = {
  getMany: async () => await table.getMany([key]),
  deleteMany: async () => await table.deleteMany([key]),
};
const writes = {
  transact: async () => await table.transact([{ put: key }]),
  update: async () => await table.update({ update: key, expression: 'SET a = :a' }),
};

test.each(['transact', 'update'] as const)('%s waits until others are done', async (name) => {
  refusals_max = 3;
  await writes[name]();
  expect(refused_count).toBe(3);
});

test('whatever a transaction meets, it stays the same one: what was written before a lost reply is its own', async () => {
  refusals_max = 3;
  await writes.transact();
  expect(tokens).toHaveLength(4);
  expect(new Set(tokens).size).toBe(1);
  expect(tokens[0]).toMatch(/^[0-9a-f-]{36}$/);
  await writes.transact();
  expect(new Set(tokens).size).toBe(2);
});

test.each(['transact', 'update'] as const)(
  'when others are never done, who asked for %s is told to try again',
  { timeout: 30_000 },
  async (name) => {
    refusals_max = Number.POSITIVE_INFINITY;
    const error: unknown = await writes[name]().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: 'busy', name: 'RetryableFault' });
    const reply = errorReply(error, 'req_1');
    expect(reply).toMatchObject({ status: 429, headers: { 'x-should-retry': 'true' } });
  },
);

test.each(['getMany', 'deleteMany'] as const)('%s asks again for what was left', async (name) => {
  refusals_max = 3;
  await batches[name]();
  expect(tokens).toHaveLength(4);
});

test.each(['getMany', 'deleteMany'] as const)(
  'when a partition stays too busy for %s, that is no fault of ours: a machine repeats it',
  { timeout: 30_000 },
  async (name) => {
    refusals_max = Number.POSITIVE_INFINITY;
    const error: unknown = await batches[name]().catch((thrown: unknown) => thrown);
    expect(thrownBy(error)).toMatchObject({ kind: 'overloaded', name: 'RetryableFault' });
    expect(error).not.toBeInstanceOf(Fault);
  },
);
