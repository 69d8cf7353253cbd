import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  type AttributeValue,
} from '@aws-sdk/client-dynamodb';
import fc from 'fast-check';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AwsJson } from '#shared/core/aws-json.ts';
import { RowCache, rowOf } from '../../infra/local/dynamodb/row-cache.ts';
import { startRig, storage, type Rig } from './fixture.ts';

/**
 * Rows that the host has read before it gives again without asking its engine. Rule: nobody can tell.
 * Method: a query is never answered from what was read before, so it says what there is.
 */

const TableName = 'Rows';
let rig: Rig;
let db: DynamoDBClient;

beforeAll(async () => {
  rig = await startRig({ ...storage });
  db = new DynamoDBClient(rig.host.aws);
});
afterAll(() => rig.stop());

type Item = Record<string, AttributeValue>;

const keyOf = (row: number): Item => ({ pk: { S: `ROW#${row % 2}` }, sk: { S: `N#${row}` } });
const itemOf = (row: number, n: number): Item => ({
  ...keyOf(row),
  n: { N: String(n) },
  m: { M: { s: { S: 'ä'.repeat(n) }, l: { L: [{ BOOL: true }, { NULL: true }] } } },
  b: { B: new Uint8Array([1, 2, n % 256]) },
});

async function stored(row: number): Promise<Item | undefined> {
  const { pk, sk } = keyOf(row);
  const { Items } = await db.send(
    new QueryCommand({
      TableName,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :pk AND sk = :sk',
      ExpressionAttributeValues: { ':pk': pk ?? { S: '' }, ':sk': sk ?? { S: '' } },
    }),
  );
  return Items?.[0];
}

async function got(row: number): Promise<Item | undefined> {
  return (await db.send(new GetItemCommand({ TableName, Key: keyOf(row) }))).Item;
}

async function gotTogether(rows: readonly number[], attributes?: string[]): Promise<Item[]> {
  const names = attributes?.map((name, index): [string, string] => [`#a${index}`, name]);
  const how = names && {
    ProjectionExpression: names.map(([name]) => name).join(', '),
    ExpressionAttributeNames: Object.fromEntries(names),
  };
  const RequestItems = { [TableName]: { Keys: rows.map(keyOf), ConsistentRead: true, ...how } };
  const { Responses } = await db.send(new BatchGetItemCommand({ RequestItems }));
  return Responses?.[TableName] ?? [];
}

const up = (row: number) => ({
  TableName,
  Key: keyOf(row),
  UpdateExpression: 'ADD n :one',
  ExpressionAttributeValues: { ':one': { N: '1' } },
});

/** Updates in each form that one can have, and some that go wrong on rows without what they name. */
const updates: readonly string[] = [
  'SET x = :n',
  'SET x = n + :n, n = :n',
  'SET #m.#s = :text, x = :n REMOVE b',
  'SET #s = if_not_exists(n, :text), x = if_not_exists(x, :n) + :n, n = :n',
  'SET #m.x = n, #m.y = :list ADD n :n, x :n',
  'ADD n :decimal',
  'SET n = :decimal',
  'SET x = if_not_exists(nothing, n)',
  'SET x = if_not_exists(#m.l[0], :n)',
  'SET x = list_append(if_not_exists(x, :list), :list)',
  'SET x = n - :n',
  'SET #m.l[0] = :n',
  'REMOVE #m, n',
  'ADD names :names',
  'DELETE names :names',
  'SET x = x + :n',
  'SET #m.deep.er = :n',
  // Of one attribute twice: refused, or done in the engine's own way.
  'ADD n :n, n :n',
  'ADD n :n SET n = :n',
  'REMOVE n SET n = :n',
  'SET #m = :list, #m.x = :n',
];

/** How many of them, from the first, leave a row that is known without asking the engine. */
const plain_count = 4;

function updateOf(row: number, n: number) {
  const UpdateExpression = updates[n % updates.length] ?? '';
  const values: Item = {
    ':n': { N: String(n - 1_500) },
    ':decimal': { N: `0.${n}0` },
    ':text': { S: 'ö'.repeat(n % 7) },
    ':list': { L: [{ S: 'a' }, { M: { n: { N: '-0' } } }] },
    ':names': { SS: ['b', `a${n}`] },
  };
  const used = (all: object) =>
    Object.fromEntries(
      Object.entries(all).filter(([name]) => new RegExp(`${name}\\b`).test(UpdateExpression)),
    );
  const names = used({ '#m': 'm', '#s': 's' });
  return {
    TableName,
    Key: keyOf(row),
    UpdateExpression,
    ...(Object.keys(names).length === 0 ? {} : { ExpressionAttributeNames: names }),
    ...(UpdateExpression.startsWith('REMOVE') ? {} : { ExpressionAttributeValues: used(values) }),
  };
}

const writes: Readonly<Record<string, (row: number, n: number) => Promise<unknown>>> = {
  put: (row, n) => db.send(new PutItemCommand({ TableName, Item: itemOf(row, n) })),
  update: (row) => db.send(new UpdateItemCommand(up(row))),
  // One that names what is not there is refused, and another that makes no sense.
  'any update': (row, n) =>
    db.send(new UpdateItemCommand(updateOf(row, n))).catch((error: unknown) => {
      expect(error).toMatchObject({ name: 'ValidationException' });
    }),
  'any update, with others': (row, n) => {
    const items = [{ Update: updateOf(row, n) }, { Put: { TableName, Item: itemOf(row + 2, n) } }];
    return db
      .send(new TransactWriteItemsCommand({ TransactItems: items }))
      .catch((error: unknown) => {
        const name = expect.stringMatching(/^(ValidationException|TransactionCanceledException)$/);
        expect(error).toMatchObject({ name });
      });
  },
  delete: (row) => db.send(new DeleteItemCommand({ TableName, Key: keyOf(row) })),
  batch: (row, n) => {
    const others = { PutRequest: { Item: itemOf(row + 2, n) } };
    const requests = [{ DeleteRequest: { Key: keyOf(row) } }, others];
    return db.send(new BatchWriteItemCommand({ RequestItems: { [TableName]: requests } }));
  },
  transaction: (row, n) => {
    const items = [{ Put: { TableName, Item: itemOf(row, n) } }, { Update: up(row + 2) }];
    return db.send(new TransactWriteItemsCommand({ TransactItems: items }));
  },
  refused: (row, n) => {
    const put = { TableName, Item: itemOf(row, n), ConditionExpression: 'n = :never' };
    const values = { ExpressionAttributeValues: { ':never': { N: '-1' } } };
    return db.send(new PutItemCommand({ ...put, ...values })).catch(() => undefined);
  },
};

test('whatever is written, a row is got as it is, alone, among others, and in part', async () => {
  const step = fc.tuple(
    fc.constantFrom(...Object.keys(writes)),
    fc.nat({ max: 3 }),
    fc.nat({ max: 3_000 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      for (const [name, row, n] of steps) {
        await writes[name]?.(row, n);
        const rows = [0, 1, 2, 3, 4, 5];
        const now = await Promise.all(rows.map(stored));
        const there = now.filter((item) => item !== undefined);
        expect(await Promise.all(rows.map(got))).toEqual(now);
        expect(await gotTogether(rows)).toEqual(expect.arrayContaining(there));
        expect(await gotTogether(rows)).toHaveLength(there.length);
        const parts = there.map(({ sk, n: number }) => ({ sk, n: number }));
        expect(await gotTogether(rows, ['sk', 'n'])).toEqual(expect.arrayContaining(parts));
      }
    }),
    { numRuns: 8 },
  );
});

test.each(updates)('after %s a row is got as it is', async (expression) => {
  const n = updates.indexOf(expression);
  await db.send(new PutItemCommand({ TableName, Item: itemOf(11, 3) }));
  await got(11);
  await writes['any update']?.(11, n + updates.length);
  expect(await got(11)).toEqual(await stored(11));
  await writes['any update, with others']?.(11, n + updates.length);
  expect(await got(11)).toEqual(await stored(11));
});

/** What is got while the engine stands still. */
async function known(row: number): Promise<Item | undefined> {
  const pid = Number(await readFile(join(rig.data_dir, 'dynamodb.pid'), 'utf8'));
  process.kill(pid, 'SIGSTOP');
  try {
    return await Promise.race([got(row), sleep(2_000, undefined, { ref: false })]);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

test.each(updates.slice(0, plain_count))(
  'after %s a row is known without asking',
  async (expression) => {
    await db.send(new PutItemCommand({ TableName, Item: itemOf(13, 3) }));
    const there = await stored(13);
    await db.send(new UpdateItemCommand(updateOf(13, updates.indexOf(expression))));
    const now = await known(13);
    expect(now).toEqual(await stored(13));
    expect(now).not.toEqual(there);
  },
);

test('a row that was counted up from nothing is known without asking', async () => {
  await got(19);
  await db.send(new UpdateItemCommand(up(19)));
  expect(await known(19)).toEqual({ ...keyOf(19), n: { N: '1' } });
});

test('of a request that says more than it may, only what the engine has done is known', async () => {
  const wire = new AwsJson('dynamodb', { ...rig.host.aws });
  const [Key, other] = [keyOf(21), keyOf(23)];
  const count = {
    UpdateExpression: 'ADD n :one',
    ExpressionAttributeValues: { ':one': { N: '1' } },
  };
  const requests: [string, object][] = [
    ['UpdateItem', { Key, Item: { ...Key, n: { N: '7' } }, ...count }],
    ['PutItem', { Key, Item: { ...other, n: { N: '7' } } }],
    ['PutItem', { Item: { ...Key, n: { N: '7', S: '7' } } }],
    ['TransactWriteItems', { TransactItems: [{ Delete: { TableName, Key, ...count } }] }],
    [
      'TransactWriteItems',
      {
        TransactItems: [
          {
            Put: { TableName, Item: { ...Key, n: { N: '3' } } },
            Update: { TableName, Key, ...count },
          },
        ],
      },
    ],
  ];
  for (const [action, request] of requests) {
    await Promise.all([got(21), got(23)]);
    const body = action === 'TransactWriteItems' ? request : { TableName, ...request };
    await wire.call(action, body).catch(() => undefined);
    expect([await got(21), await got(23)]).toEqual([await stored(21), await stored(23)]);
  }
});

test('while somebody else writes nothing is kept', () => {
  const cache = new RowCache();
  const rows = new Map([['a', rowOf({ n: { N: '1' } })]]);
  const reading = cache.beginReading(['a']);
  cache.close();
  cache.endReading(reading, rows);
  cache.endReading(cache.beginReading(['a']), rows);
  cache.beginWriting(['a']);
  cache.endWriting(['a'], rows);
  const late = cache.beginReading(['a']);
  expect(cache.get('a')).toBeUndefined();
  cache.open();
  cache.endReading(late, rows);
  expect(cache.get('a')).toBeUndefined();
  cache.endReading(cache.beginReading(['a']), rows);
  expect(cache.get('a')).toBeDefined();
});

test('a transaction that is sent again under its token brings back nothing that others have written over', async () => {
  const ClientRequestToken = 'sent-again';
  const Put = { TableName, Item: itemOf(15, 1) };
  const sent = () =>
    db.send(
      new TransactWriteItemsCommand({
        ClientRequestToken,
        TransactItems: [{ Put }, { Update: up(17) }],
      }),
    );
  await got(17);
  await sent();
  await db.send(new PutItemCommand({ TableName, Item: itemOf(15, 2) }));
  await sent();
  expect([await got(15), (await got(17))?.['n']]).toEqual([itemOf(15, 2), { N: '1' }]);
});

test('while a row is written, who reads it sees it grow and never shrink', async () => {
  await db.send(new PutItemCommand({ TableName, Item: itemOf(9, 0) }));
  const count = async () => Number((await got(9))?.['n']?.N);
  let writing = true;
  const readers = Array.from({ length: 4 }, async () => {
    for (let last = 0; writing;) {
      const next = await count();
      expect(next).toBeGreaterThanOrEqual(last);
      last = next;
    }
  });
  for (let n = 0; n < 60; n += 1) {
    await db.send(new UpdateItemCommand(up(9)));
    expect(await count()).toBe(n + 1);
  }
  writing = false;
  await Promise.all(readers);
});

test('a read costs what it costs the first time, by its size and consistency', async () => {
  await db.send(new PutItemCommand({ TableName, Item: itemOf(7, 3_000) }));
  const units = async (ConsistentRead: boolean): Promise<number> => {
    const before = rig.host.counters().functions['host']?.read_units ?? 0;
    await db.send(new GetItemCommand({ TableName, Key: keyOf(7), ConsistentRead }));
    return (rig.host.counters().functions['host']?.read_units ?? 0) - before;
  };
  // 6 kB: two units.
  expect([await units(true), await units(true), await units(false)]).toEqual([2, 2, 1]);
});

test.each([
  ['a key twice', [keyOf(7), keyOf(7)]],
  ['a key of another type', [{ ...keyOf(7), sk: { N: '7' } }]],
  ['half a key', [{ pk: { S: 'ROW#1' } }]],
  ['more keys than a batch holds', Array.from({ length: 101 }, (_, row) => keyOf(row))],
])('%s is refused, as ever', async (_, Keys) => {
  await got(7);
  const sent = new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys } } });
  await expect(db.send(sent)).rejects.toThrow(/validation|Provided list|key/i);
});

test('what was read while it was written is not kept', () => {
  const old = new Map([['a', rowOf({ n: { N: '1' } })]]);
  const kept = (order: readonly ('write' | 'written')[], read_at: number): boolean => {
    const cache = new RowCache();
    const run = (each: 'write' | 'written'): void => {
      if (each === 'write') cache.beginWriting(['a']);
      else cache.endWriting(['a']);
    };
    order.slice(0, read_at).forEach(run);
    const reading = cache.beginReading(['a']);
    order.slice(read_at).forEach(run);
    cache.endReading(reading, old);
    return cache.get('a') !== undefined;
  };
  expect(kept([], 0)).toBe(true);
  expect(kept(['write'], 0)).toBe(false);
  expect(kept(['write', 'written'], 1)).toBe(false);
  expect(kept(['write', 'write', 'written'], 3)).toBe(false);
  expect(kept(['write', 'written'], 2)).toBe(true);
});
