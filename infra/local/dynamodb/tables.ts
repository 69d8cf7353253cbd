import {
  CreateTableCommand,
  DynamoDBClient,
  ResourceInUseException,
  type AttributeDefinition,
  type GlobalSecondaryIndex,
  type KeySchemaElement,
} from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, DeleteCommand, paginateScan } from '@aws-sdk/lib-dynamodb';
import { place } from '../place.ts';
import type { Stack } from '../template/stack.ts';
import { list, record, text } from '../template/template.ts';

export interface TableOfStack {
  readonly name: string;
  readonly keys: readonly string[];
  readonly hash_key: string;
  /** The attribute whose time, in seconds, ends an item. */
  readonly ttl_attribute: string | undefined;
}

/** The tables that the template asks for. */
export function tablesOf(stack: Stack): (TableOfStack & { create: CreateTableCommand })[] {
  return stack.all('AWS::DynamoDB::Table', 'AWS::DynamoDB::GlobalTable').map((resource) => {
    const { properties, name } = resource;
    const ttl = record(properties['TimeToLiveSpecification']);
    const key_schema = list(properties['KeySchema']) as KeySchemaElement[];
    const keys = key_schema.map(({ AttributeName }) => text(AttributeName, name));
    const indexes = list(properties['GlobalSecondaryIndexes']) as GlobalSecondaryIndex[];
    return {
      name,
      keys,
      hash_key: keys[0] ?? '',
      ttl_attribute: ttl['Enabled'] === true ? text(ttl['AttributeName'], name) : undefined,
      create: new CreateTableCommand({
        TableName: name,
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: key_schema,
        AttributeDefinitions: list(properties['AttributeDefinitions']) as AttributeDefinition[],
        ...(indexes.length > 0 ? { GlobalSecondaryIndexes: indexes } : {}),
      }),
    };
  });
}

export function clientOf(endpoint: string): DynamoDBClient {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  return new DynamoDBClient({ endpoint, region: place.region, credentials });
}

/** Create what is not there yet: a second start finds the tables of the first. */
export async function createTables(client: DynamoDBClient, stack: Stack): Promise<TableOfStack[]> {
  const tables = tablesOf(stack);
  await Promise.all(
    tables.map(async ({ create }) => {
      try {
        await client.send(create);
      } catch (cause) {
        if (!(cause instanceof ResourceInUseException)) throw cause;
      }
    }),
  );
  return tables;
}

/** Delete the items whose time has come, as DynamoDB does some time later. */
export async function sweepExpired(
  client: DynamoDBClient,
  table: TableOfStack,
  now: Date,
): Promise<void> {
  if (table.ttl_attribute === undefined) return;
  const documents = DynamoDBDocumentClient.from(client);
  const expired = {
    TableName: table.name,
    ExpressionAttributeNames: { '#ttl': table.ttl_attribute },
    ExpressionAttributeValues: { ':now': Math.floor(now.getTime() / 1000) },
  };
  const scan = { ...expired, FilterExpression: '#ttl < :now' };
  for await (const { Items = [] } of paginateScan({ client: documents }, scan)) {
    const deleted = Items.map(async (item) => {
      const Key = Object.fromEntries(table.keys.map((key) => [key, item[key]]));
      // The item may have been given more time since it was read.
      await documents.send(
        new DeleteCommand({ ...expired, Key, ConditionExpression: '#ttl < :now' }),
      );
    });
    await Promise.allSettled(deleted);
  }
}
