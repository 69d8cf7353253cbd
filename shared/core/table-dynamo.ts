import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from './fault.ts';
import { invariant } from './invariant.ts';
import { limits } from './limits.ts';
import { backoffMs } from './backoff.ts';
import { AwsJson } from './aws-json.ts';
import { isRefused, type AwsPlace } from './aws-caller.ts';
import { itemOf, valuesOf, type Item } from './items-dynamo.ts';
import { checkNamed, packed, PACKED, unpacked } from './packing.ts';
import { boundsOf } from './query-bounds.ts';
import {
  ConditionFailed,
  keyOfWrite,
  ROW_SCHEMA,
  type Key,
  type Query,
  type QueryPage,
  type ReadOptions,
  type Row,
  type Table,
  type Update,
  type Write,
} from './table.ts';

/** Names of the index's own key attributes; the table's are `pk` and `sk`. */
const indexKeys = {
  list: { pk: 'gsi1pk', sk: 'gsi1sk' },
  running: { pk: 'gsi2pk', sk: 'gsi2sk' },
} as const;

/** Reasons that say "not now", not "not so": the same transaction may be sent again. */
const passing = new Set([
  'TransactionConflict',
  'ThrottlingError',
  'ProvisionedThroughputExceeded',
]);

/** Source: DynamoDB quotas for BatchGetItem and BatchWriteItem. */
const BATCH_GET_MAX = 100;
const BATCH_WRITE_MAX = 25;

/** Enough for 50 writers on one item: the last of them waits about 4 s. */
const ATTEMPTS_MAX = 12;

/** What is read of DynamoDB's answers. Source: its API reference. */
interface BatchGot {
  readonly Responses?: Readonly<Record<string, Item[]>>;
  readonly UnprocessedKeys?: Readonly<Record<string, { readonly Keys: Item[] }>>;
}
interface Queried {
  readonly Items?: Item[];
  readonly LastEvaluatedKey?: Item;
}
interface BatchWritten {
  readonly UnprocessedItems?: Readonly<Record<string, object[]>>;
}
interface Reason {
  readonly Code?: string;
  readonly Item?: Item;
}

/** The table in DynamoDB. Endpoint, region and credentials come from Lambda's environment. */
export class DynamoTable implements Table {
  readonly #db: AwsJson;
  readonly #name: string;

  constructor(name: string, place?: AwsPlace) {
    this.#name = name;
    this.#db = new AwsJson('dynamodb', place);
  }

  async get(key: Key, options: { eventual?: boolean } = {}): Promise<Row | undefined> {
    const { Item } = await this.#db.call<{ Item?: Item }>('GetItem', {
      TableName: this.#name,
      Key: keyOf(key),
      ConsistentRead: options.eventual !== true,
    });
    return rowOf(Item);
  }

  async getMany(keys: readonly Key[], options: ReadOptions = {}): Promise<Row[]> {
    const found = new Map<string, Row>();
    const batches = chunksOf(distinct(keys), BATCH_GET_MAX);
    await Promise.all(
      batches.map(async (batch) => {
        for (const row of await this.#getBatch(batch, options)) {
          found.set(nameOf(row), row);
        }
      }),
    );
    return keys.flatMap((key) => found.get(nameOf(key)) ?? []);
  }

  async #getBatch(batch: readonly Key[], options: ReadOptions): Promise<Row[]> {
    const rows: Row[] = [];
    const how = { ConsistentRead: options.eventual !== true, ...projectionOf(options.attributes) };
    let left: Item[] = batch.map(keyOf);
    for (let attempt = 0; left.length > 0; attempt++) {
      await roundOf(attempt);
      const { Responses, UnprocessedKeys } = await this.#db.call<BatchGot>('BatchGetItem', {
        RequestItems: { [this.#name]: { Keys: left, ...how } },
      });
      rows.push(...rowsOf(Responses?.[this.#name]));
      left = UnprocessedKeys?.[this.#name]?.Keys ?? [];
    }
    return rows;
  }

  async query(query: Query): Promise<QueryPage> {
    const index = query.index === undefined ? { pk: 'pk', sk: 'sk' } : indexKeys[query.index];
    const { from, to, holds } = boundsOf(query.from, query.to);
    const { Items, LastEvaluatedKey } = await this.#db.call<Queried>('Query', {
      TableName: this.#name,
      ...(query.index === undefined ? { ConsistentRead: true } : { IndexName: query.index }),
      KeyConditionExpression: '#pk = :pk AND #sk BETWEEN :from AND :to',
      ExpressionAttributeNames: { '#pk': index.pk, '#sk': index.sk },
      ExpressionAttributeValues: itemOf({
        ':pk': query.pk,
        ':from': from,
        ':to': to,
      }),
      ScanIndexForward: query.reverse !== true,
      // It counts rows that are not meant, too.
      ...(query.limit === undefined || holds !== undefined ? {} : { Limit: query.limit }),
    });
    const rows = rowsOf(Items);
    const more = LastEvaluatedKey !== undefined;
    if (holds === undefined) return { rows, more };
    const meant = rows.filter((row) => holds(String(row[index.sk])));
    const { limit = meant.length } = query;
    return { rows: meant.slice(0, limit), more: more || meant.length > limit };
  }

  async update(update: Update): Promise<Row> {
    checkNames(update);
    const input = { ...this.#updateOf(update), ReturnValues: 'ALL_NEW' };
    for (let attempt = 1; ; attempt++) {
      try {
        const { Attributes } = await this.#db.call<{ Attributes?: Item }>('UpdateItem', input);
        return unpacked(valuesOf(Attributes ?? {}));
      } catch (cause) {
        if (isRefused(cause, 'ConditionalCheckFailedException')) {
          throw new ConditionFailed([0], [rowOf(cause.answer['Item'] as Item | undefined)]);
        }
        // A transaction of others holds the row: that is repeated by who may, which is nobody but us.
        if (!isRefused(cause, 'TransactionConflictException')) throw cause;
        if (attempt === ATTEMPTS_MAX) throw tooBusy(cause);
      }
      await sleep(backoffMs(attempt));
    }
  }

  async transact(writes: readonly Write[]): Promise<void> {
    invariant(writes.length <= limits.transaction_writes_max, 'a transaction holds 100 writes');
    const TransactItems = writes.map((write) => this.#itemOf(write));
    // One for all attempts: where the reply to one was lost and the next meets others, what the first has
    // written must not be refused to us as somebody else's.
    const ClientRequestToken = randomUUID();
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#db.call('TransactWriteItems', { TransactItems, ClientRequestToken });
        return;
      } catch (cause) {
        if (!isRefused(cause, 'TransactionCanceledException')) throw cause;
        const reasons = (cause.answer['CancellationReasons'] ?? []) as Reason[];
        const refused = indexesOf(reasons, (code) => code === 'ConditionalCheckFailed');
        if (refused.length > 0) {
          throw new ConditionFailed(
            refused,
            reasons.map((reason) => rowOf(reason.Item)),
          );
        }
        const only = indexesOf(reasons, (code) => code !== 'None' && !passing.has(code));
        if (only.length > 0) throw cause;
        if (attempt === ATTEMPTS_MAX) throw tooBusy(cause);
      }
      await sleep(backoffMs(attempt));
    }
  }

  async deleteMany(keys: readonly Key[]): Promise<void> {
    for (const batch of chunksOf(distinct(keys), BATCH_WRITE_MAX)) {
      let left: object[] = batch.map((key) => ({ DeleteRequest: { Key: keyOf(key) } }));
      for (let attempt = 0; left.length > 0; attempt++) {
        await roundOf(attempt);
        const { UnprocessedItems } = await this.#db.call<BatchWritten>('BatchWriteItem', {
          RequestItems: { [this.#name]: left },
        });
        left = UnprocessedItems?.[this.#name] ?? [];
      }
    }
  }

  #updateOf(update: Update) {
    return {
      TableName: this.#name,
      Key: keyOf(update.update),
      UpdateExpression: update.expression,
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      ...expressionOf(update),
    };
  }

  #itemOf(write: Write): object {
    checkNames(write);
    const common = {
      TableName: this.#name,
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      ...expressionOf(write),
    };
    if ('put' in write)
      return { Put: { ...common, Item: itemOf({ schema: ROW_SCHEMA, ...packed(write.put) }) } };
    if ('delete' in write) return { Delete: { ...common, Key: keyOf(write.delete) } };
    if ('check' in write) {
      return {
        ConditionCheck: {
          ...common,
          Key: keyOf(write.check),
          ConditionExpression: write.condition,
        },
      };
    }
    return { Update: this.#updateOf(write) };
  }
}

function expressionOf(write: Partial<Pick<Update, 'condition' | 'names' | 'values'>>) {
  return {
    ...(write.condition === undefined ? {} : { ConditionExpression: write.condition }),
    ...(write.names === undefined ? {} : { ExpressionAttributeNames: { ...write.names } }),
    ...(write.values === undefined ? {} : { ExpressionAttributeValues: itemOf(write.values) }),
  };
}

function checkNames(write: Write): void {
  if (write.condition !== undefined) checkNamed(keyOfWrite(write), write.condition, write.names);
  if ('update' in write) checkNamed(write.update, write.expression, write.names);
}

function keyOf({ pk, sk }: Key): Item {
  return { pk: { S: pk }, sk: { S: sk } };
}

/** Others hold what the transaction needs: that is no failure of ours, and nothing was written. */
function tooBusy(cause: Error): Fault {
  return new Fault('busy', 'Too many requests change the same thing at once. Try again.', {
    cause,
  });
}

/**
 * What DynamoDB leaves of a batch because a partition is busy: throttling, though no error says so. No
 * Fault, since who catches one inside of a turn takes it for an answer.
 */
class LeftOfBatch extends Error {
  override readonly name = 'ThrottlingException';
}

/** The wait before what was left of a batch is asked for again. @throws LeftOfBatch, in the end */
async function roundOf(attempt: number): Promise<void> {
  if (attempt === ATTEMPTS_MAX) throw new LeftOfBatch('DynamoDB leaves some of a batch, each time');
  if (attempt > 0) await sleep(backoffMs(attempt));
}

/** Names stand in for attributes, because many a plain word is reserved by DynamoDB. */
function projectionOf(attributes: readonly string[] | undefined) {
  if (attributes === undefined) return {};
  const all = [...attributes, PACKED];
  const names = Object.fromEntries(all.map((name, index) => [`#a${index}`, name]));
  return {
    ProjectionExpression: Object.keys(names).join(', '),
    ExpressionAttributeNames: names,
  };
}

function nameOf({ pk, sk }: Key): string {
  return `${pk}\n${sk}`;
}

/** DynamoDB refuses a batch that names one key twice. */
function distinct(keys: readonly Key[]): Key[] {
  return [...new Map(keys.map((key) => [nameOf(key), key])).values()];
}

function rowsOf(items: readonly Item[] | undefined): Row[] {
  return (items ?? []).map((item) => unpacked(valuesOf(item)));
}

function rowOf(item: Item | undefined): Row | undefined {
  return item === undefined ? undefined : unpacked(valuesOf(item));
}

function indexesOf(reasons: readonly Reason[], wanted: (code: string) => boolean): number[] {
  return reasons.flatMap((reason, index) => (wanted(reason.Code ?? 'None') ? [index] : []));
}

function chunksOf<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
