import { AwsJson } from '#shared/core/aws-json.ts';
import { isRefused } from '#shared/core/aws-caller.ts';
import { itemOf, type Item } from '#shared/core/items-dynamo.ts';
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
export function tablesOf(stack: Stack): (TableOfStack & { create: object })[] {
  return stack.all('AWS::DynamoDB::Table', 'AWS::DynamoDB::GlobalTable').map((resource) => {
    const { properties, name } = resource;
    const ttl = record(properties['TimeToLiveSpecification']);
    const key_schema = list(properties['KeySchema']);
    const keys = key_schema.map((key) => text(record(key)['AttributeName'], name));
    const indexes = list(properties['GlobalSecondaryIndexes']);
    return {
      name,
      keys,
      hash_key: keys[0] ?? '',
      ttl_attribute: ttl['Enabled'] === true ? text(ttl['AttributeName'], name) : undefined,
      create: {
        TableName: name,
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: key_schema,
        AttributeDefinitions: list(properties['AttributeDefinitions']),
        ...(indexes.length > 0 ? { GlobalSecondaryIndexes: indexes } : {}),
      },
    };
  });
}

export function clientOf(endpoint: string): AwsJson {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  return new AwsJson('dynamodb', { endpoint, region: place.region, credentials });
}

/** Create what is not there yet: a second start finds the tables of the first. */
export async function createTables(client: AwsJson, stack: Stack): Promise<TableOfStack[]> {
  const tables = tablesOf(stack);
  await Promise.all(
    tables.map(async ({ create }) => {
      try {
        await client.call('CreateTable', create);
      } catch (cause) {
        if (!isRefused(cause, 'ResourceInUseException')) throw cause;
      }
    }),
  );
  return tables;
}

/** Delete the items whose time has come, as DynamoDB does some time later. */
export async function sweepExpired(client: AwsJson, table: TableOfStack, now: Date): Promise<void> {
  if (table.ttl_attribute === undefined) return;
  const expired = {
    TableName: table.name,
    ExpressionAttributeNames: { '#ttl': table.ttl_attribute },
    ExpressionAttributeValues: itemOf({ ':now': Math.floor(now.getTime() / 1000) }),
  };
  let from: Item | undefined;
  do {
    const { Items = [], LastEvaluatedKey } = await client.call<Scanned>('Scan', {
      ...expired,
      FilterExpression: '#ttl < :now',
      ExclusiveStartKey: from,
    });
    const deleted = Items.map(async (item) => {
      const Key = Object.fromEntries(table.keys.map((key) => [key, item[key]]));
      // The item may have been given more time since it was read.
      await client.call('DeleteItem', { ...expired, Key, ConditionExpression: '#ttl < :now' });
    });
    await Promise.allSettled(deleted);
    from = LastEvaluatedKey;
  } while (from !== undefined);
}

interface Scanned {
  readonly Items?: Item[];
  readonly LastEvaluatedKey?: Item;
}
