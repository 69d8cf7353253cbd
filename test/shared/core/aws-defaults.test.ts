/** Goal: a process with many calls to AWS at once does not take its own queue for a lost connection. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { awsDefaults } from '#shared/core/aws-defaults.ts';
import { DynamoTable } from '#shared/core/table-dynamo.ts';

const CALLS = 120;

test('a hundred calls and more are with the service at once', async () => {
  let waiting = 0;
  const all = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    request.resume();
    waiting += 1;
    if (waiting === CALLS) all.resolve();
    // None is answered before all have come.
    void all.promise.then(() => response.end('{}'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new DynamoDBClient({
    ...awsDefaults,
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 's' },
    maxAttempts: 1,
  });
  try {
    const table = new DynamoTable('table', client);
    const calls = Array.from({ length: CALLS }, async (_, n) =>
      table.get({ pk: `p${n}`, sk: 's' }),
    );
    expect(await Promise.all(calls)).toEqual(Array.from({ length: CALLS }, () => undefined));
  } finally {
    client.destroy();
    server.close();
  }
});
