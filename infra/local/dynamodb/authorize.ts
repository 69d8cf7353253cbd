import type { Request } from '../iam/statement.ts';
import { arn } from '../place.ts';
import { list, record } from '../template/template.ts';

/** What of a DynamoDB request is judged. The hash key of each table is needed for leading keys. */
export interface Judging {
  readonly hash_keys: Readonly<Record<string, string>>;
  /** Whether some policy asks for `dynamodb:LeadingKeys`: they are worked out only then. */
  readonly leading_keys: boolean;
}

type Body = Readonly<Record<string, unknown>>;

const transaction_actions: readonly [field: string, action: string][] = [
  ['Put', 'PutItem'],
  ['Update', 'UpdateItem'],
  ['Delete', 'DeleteItem'],
  ['ConditionCheck', 'ConditionCheckItem'],
  ['Get', 'GetItem'],
];

/** The single permissions that a request needs, as DynamoDB asks IAM for them: transactions by item. */
export function permissionsOf(operation: string, body: Body, judging: Judging): Request[] {
  if (operation === 'TransactWriteItems' || operation === 'TransactGetItems') {
    return list(body['TransactItems']).map((item) => ofTransaction(record(item), judging));
  }
  if (operation === 'BatchGetItem' || operation === 'BatchWriteItem') {
    return Object.entries(record(body['RequestItems'])).map(([table, requests]) =>
      request(operation, table, batchKeys(table, requests, judging)),
    );
  }
  const table = typeof body['TableName'] === 'string' ? body['TableName'] : '*';
  const index = body['IndexName'];
  const target = typeof index === 'string' ? `${bare(table)}/index/${index}` : table;
  return [request(operation, target, singleKeys(table, body, judging))];
}

function ofTransaction(item: Body, judging: Judging): Request {
  for (const [field, action] of transaction_actions) {
    const part = item[field];
    if (part === undefined) continue;
    const table = String(record(part)['TableName']);
    return request(action, table, singleKeys(table, record(part), judging));
  }
  return request('UnknownItem', '*', []);
}

function request(action: string, table: string, leading: readonly string[]): Request {
  return {
    action: `dynamodb:${action}`,
    resource: arn('dynamodb', `table/${bare(table)}`),
    context: leading.length > 0 ? { 'dynamodb:leadingkeys': leading } : {},
  };
}

/** A request may name a table by its ARN. */
function bare(table: string): string {
  return table.startsWith('arn:') ? table.slice(table.indexOf('table/') + 'table/'.length) : table;
}

function singleKeys(table: string, body: Body, judging: Judging): string[] {
  if (!judging.leading_keys) return [];
  const hash = judging.hash_keys[bare(table)] ?? '';
  const row = record(body['Key'] ?? body['Item']);
  if (hash in row) return [scalar(row[hash])];
  const expression = body['KeyConditionExpression'];
  return typeof expression === 'string' ? queriedKey(expression, body, hash) : [];
}

/** The hash key's value in `#pk = :pk AND …`. Of an index's query there is none: its key is another. */
function queriedKey(expression: string, body: Body, hash: string): string[] {
  const names = record(body['ExpressionAttributeNames']);
  const values = record(body['ExpressionAttributeValues']);
  for (const [, name = '', value = ''] of expression.matchAll(/([#\w]+)\s*=\s*(:\w+)/g)) {
    if ((names[name] ?? name) === hash) return [scalar(values[value])];
  }
  return [];
}

function batchKeys(table: string, requests: unknown, judging: Judging): string[] {
  if (!judging.leading_keys) return [];
  const hash = judging.hash_keys[bare(table)] ?? '';
  const rows = Array.isArray(requests)
    ? requests.map((each) => {
        const { PutRequest, DeleteRequest } = record(each);
        return record(PutRequest)['Item'] ?? record(DeleteRequest)['Key'];
      })
    : list(record(requests)['Keys']);
  return rows.map((row) => scalar(record(row)[hash]));
}

function scalar(value: unknown): string {
  const [inner] = Object.values(record(value));
  return typeof inner === 'string' ? inner : '';
}
