import { spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoTable } from '#shared/core/table-dynamo.ts';

export interface StartedTable {
  readonly table: DynamoTable;
  /** For tests that look at what is stored. */
  readonly client: DynamoDBClient;
  readonly name: string;
  readonly endpoint: string;
  stop(): Promise<void>;
}

const NAME = 'reverie';
const BINARY = fileURLToPath(
  new URL('../node_modules/@dynoxide/linux-x64/dynoxide', import.meta.url),
);

/**
 * An empty table in memory, with the keys and indexes of the stack, in an engine of its own: tests
 * that share nothing can run at the same time. `AWS_ENDPOINT_URL_DYNAMODB` names another engine
 * where this one does not exist; its table is then made under a new name.
 */
export async function startTable(): Promise<StartedTable> {
  const given = process.env['AWS_ENDPOINT_URL_DYNAMODB'];
  const port = given === undefined ? await freePort() : 0;
  const engine = given === undefined ? spawnEngine(port) : undefined;
  const endpoint = given ?? `http://127.0.0.1:${port}`;
  const name = given === undefined ? NAME : `${NAME}-${process.pid}-${Date.now()}`;
  const client = new DynamoDBClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  try {
    await createTable(client, name);
  } catch (error) {
    engine?.kill('SIGKILL');
    throw error;
  }
  return {
    table: new DynamoTable(name, client),
    client,
    name,
    endpoint,
    async stop() {
      client.destroy();
      if (engine !== undefined) await ended(engine);
    },
  };
}

function spawnEngine(port: number): ChildProcess {
  const engine = spawn(BINARY, ['serve', '--port', String(port)], { stdio: 'ignore' });
  // Without this a worker that fails would wait for its engine for ever.
  engine.unref();
  return engine;
}

async function ended(engine: ChildProcess): Promise<void> {
  if (engine.exitCode !== null) return;
  const exit = new Promise((resolve) => engine.once('exit', resolve));
  engine.ref();
  engine.kill('SIGKILL');
  await exit;
}

async function createTable(client: DynamoDBClient, name: string): Promise<void> {
  const index = (IndexName: string, pk: string, sk: string) => ({
    IndexName,
    KeySchema: [
      { AttributeName: pk, KeyType: 'HASH' as const },
      { AttributeName: sk, KeyType: 'RANGE' as const },
    ],
    Projection: { ProjectionType: 'KEYS_ONLY' as const },
  });
  const attributes = ['pk', 'sk', 'gsi1pk', 'gsi1sk', 'gsi2pk', 'gsi2sk'];
  const command = new CreateTableCommand({
    TableName: name,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: attributes.map((AttributeName) => ({
      AttributeName,
      AttributeType: 'S' as const,
    })),
    KeySchema: index('', 'pk', 'sk').KeySchema,
    GlobalSecondaryIndexes: [
      index('list', 'gsi1pk', 'gsi1sk'),
      index('running', 'gsi2pk', 'gsi2sk'),
    ],
  });
  // The engine takes some 20 ms to listen.
  for (let attempt = 1; ; attempt++) {
    try {
      await client.send(command);
      return;
    } catch (error) {
      if (attempt === 100) throw error;
      await sleep(20);
    }
  }
}

async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
