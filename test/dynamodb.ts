import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CreateTableCommand, DeleteTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { AwsPlace } from '#shared/core/aws-caller.ts';
import { DynamoTable } from '#shared/core/table-dynamo.ts';
import { freePort, launcher } from '../infra/local/dynamodb/engine.ts';
import { keepMemory } from '../infra/local/dynamodb/keep-memory.ts';

export interface StartedTable {
  readonly table: DynamoTable;
  /** For tests that look at what is stored. */
  readonly client: DynamoDBClient;
  readonly name: string;
  readonly place: AwsPlace & { readonly endpoint: string };
  stop(): Promise<void>;
}

const NAME = 'reverie';
const BINARY = fileURLToPath(
  new URL('../node_modules/@dynoxide/linux-x64/dynoxide', import.meta.url),
);

/** The engine of this worker, and how many tables it has had. */
let engine: Promise<string> | undefined;
let count = 0;

/**
 * An empty table with the keys and indexes of the stack, of a name of its own: tests share nothing but the
 * engine, which is in memory. `AWS_ENDPOINT_URL_DYNAMODB` names another one where this does not exist.
 */
export async function startTable(): Promise<StartedTable> {
  const endpoint = process.env['AWS_ENDPOINT_URL_DYNAMODB'] ?? (await (engine ??= startEngine()));
  count += 1;
  const name = `${NAME}-${process.pid}-${Date.now()}-${count}`;
  const place = {
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  };
  const client = new DynamoDBClient(place);
  await createTable(client, name);
  return {
    table: new DynamoTable(name, place),
    client,
    name,
    place,
    async stop() {
      await client.send(new DeleteTableCommand({ TableName: name }));
      client.destroy();
    },
  };
}

async function startEngine(): Promise<string> {
  const port = await freePort();
  const { prefix, env } = await launcher();
  const [command, ...args] = [...prefix, BINARY, 'serve', '--port', String(port)];
  const child = spawn(command, args, { stdio: 'ignore', env });
  // Without this a worker would wait for its engine for ever.
  child.unref();
  process.once('exit', () => child.kill('SIGKILL'));
  await canBeAsked(port);
  await keepMemory(port);
  return `http://127.0.0.1:${port}`;
}

/** The engine takes some 20 ms to listen. */
async function canBeAsked(port: number): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await fetch(`http://127.0.0.1:${port}`);
      return;
    } catch (error) {
      if (attempt === 100) throw error;
      await sleep(20);
    }
  }
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
  await client.send(command);
}
