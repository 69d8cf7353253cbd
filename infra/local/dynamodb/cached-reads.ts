import { isRecord, list, record } from '../template/template.ts';
import { rowOf, type CachedRow } from './row-cache.ts';
import { plain_number, updatedRow } from './updated-row.ts';

type Body = Readonly<Record<string, unknown>>;
type Key = Readonly<Record<string, unknown>>;

/** A read of whole rows of one table, or of some of their attributes. */
export interface RowRead {
  readonly operation: 'GetItem' | 'BatchGetItem';
  readonly table: string;
  readonly keys: readonly Key[];
  /** Of the keys, by which the cache knows the rows. */
  readonly names: readonly string[];
  /** Only these. @default - all */
  readonly attributes?: readonly string[];
  readonly consistent: boolean;
}

/** Source: DynamoDB quota for BatchGetItem; more is the engine's to refuse. */
const keys_max = 100;
/** An answer's own bound is 16 MB; where one might come near, the engine decides. */
export const answer_chars_max = 2_000_000;
const read_unit_bytes = 4_096;

const get_fields = new Set(['TableName', 'Key', 'ConsistentRead']);
const batch_fields = new Set([
  'Keys',
  'ConsistentRead',
  'ProjectionExpression',
  'ExpressionAttributeNames',
]);

/** The names of each table's key attributes. */
export type TableKeys = Readonly<Record<string, readonly string[]>>;

/** What a request reads; undefined for all that is not said in the plainest form: the engine reads it. */
export function rowReadOf(action: string, body: Body, tables: TableKeys): RowRead | undefined {
  if (action === 'GetItem') {
    if (!hasOnly(body, get_fields)) return undefined;
    const { TableName, Key, ConsistentRead } = body;
    return readOf('GetItem', { table: String(TableName), keys: [Key], ConsistentRead }, tables);
  }
  if (action !== 'BatchGetItem' || !hasOnly(body, new Set(['RequestItems']))) return undefined;
  const requests = Object.entries(record(body['RequestItems']));
  const [table, request] = requests[0] ?? ['', {}];
  if (requests.length !== 1 || !isRecord(request) || !hasOnly(request, batch_fields)) {
    return undefined;
  }
  const attributes = projected(request);
  if (attributes === 'other') return undefined;
  const { Keys, ConsistentRead } = request;
  const read = readOf('BatchGetItem', { table, keys: list(Keys), ConsistentRead }, tables);
  return read && { ...read, ...(attributes === undefined ? {} : { attributes }) };
}

function readOf(
  operation: RowRead['operation'],
  asked: { readonly table: string; readonly keys: readonly unknown[]; ConsistentRead: unknown },
  tables: TableKeys,
): RowRead | undefined {
  const { table, keys } = asked;
  const of_table = tables[table];
  const names = keys.map((key) => nameOf(table, key, of_table));
  const known = names.filter((name) => name !== undefined);
  // A key of another form, or one that stands twice, is refused by the engine.
  if (known.length === 0 || known.length !== keys.length || known.length > keys_max) {
    return undefined;
  }
  if (new Set(known).size !== known.length) return undefined;
  const consistent = asked.ConsistentRead === true;
  return { operation, table, keys: keys as Key[], names: known, consistent };
}

/** By what the cache knows a row; undefined for a key that is not just the table's, in strings. */
export function nameOf(
  table: string,
  key: unknown,
  attributes: readonly string[] | undefined,
): string | undefined {
  if (attributes === undefined || !isRecord(key)) return undefined;
  if (Object.keys(key).length !== attributes.length) return undefined;
  const values = attributes.map((name) => {
    const value = record(key[name]);
    return Object.keys(value).length === 1 ? value['S'] : undefined;
  });
  if (!values.every((value) => typeof value === 'string' && value !== '')) return undefined;
  return JSON.stringify([table, ...values]);
}

/** The attributes of a projection that names them and nothing inside of them. */
function projected(request: Body): readonly string[] | undefined | 'other' {
  const { ProjectionExpression, ExpressionAttributeNames } = request;
  if (ProjectionExpression === undefined && ExpressionAttributeNames === undefined) {
    return undefined;
  }
  const names = record(ExpressionAttributeNames);
  const parts = String(ProjectionExpression).split(', ');
  // Each name is said, and said once: what else may be wrong is for the engine to find.
  const known = parts.every((part) => /^#\w+$/.test(part) && typeof names[part] === 'string');
  const once = new Set(parts).size === parts.length && parts.length === Object.keys(names).length;
  if (!known || !once) return 'other';
  return parts.map((part) => String(names[part]));
}

function hasOnly(body: Body, fields: ReadonlySet<string>): boolean {
  return Object.keys(body).every((name) => fields.has(name));
}

/** The rows that a request changes; undefined where it does not say. */
export function rowsWritten(
  action: string,
  body: Body,
  tables: TableKeys,
): readonly string[] | undefined {
  const names = partsOf(action, body)?.flatMap(([table, part]) => {
    const { Key, Item } = record(part);
    const keys = tables[String(table)];
    // Of a put that says a key too, or an update that says an item, the engine takes its own.
    const said = [Key, Item === undefined ? undefined : keyIn(Item, keys)];
    return said.filter((key) => key !== undefined).map((key) => nameOf(String(table), key, keys));
  });
  const known = names?.filter((name) => name !== undefined);
  return known?.length === names?.length ? known : undefined;
}

/**
 * The rows that a request leaves as the engine then has them: those that it puts whole, and of those that it
 * updates the ones that were known before it. None of a write that says more than one thing.
 */
export function rowsLeft(
  action: string,
  body: Body,
  {
    tables,
    before,
  }: { readonly tables: TableKeys; readonly before: ReadonlyMap<string, CachedRow> },
): Map<string, CachedRow> {
  const rows = verbsOf(action, body).flatMap(([verb, write]): [string, CachedRow][] => {
    const part = record(write);
    if (part[verb === 'Put' ? 'Key' : 'Item'] !== undefined) return [];
    const table = String(part['TableName']);
    const keys = tables[table];
    const name = nameOf(table, part['Key'] ?? keyIn(part['Item'], keys), keys) ?? '';
    const known = before.get(name);
    const row = verb === 'Put' ? part['Item'] : known && updatedRow(known.item, part);
    return isRecord(row) && isKept(row) ? [[name, rowOf(row)]] : [];
  });
  return new Map(rows);
}

/** The puts and updates of a request. */
function verbsOf(action: string, body: Body): [string, unknown][] {
  if (action === 'PutItem') return [['Put', body]];
  if (action === 'UpdateItem') return [['Update', body]];
  if (action !== 'TransactWriteItems') return [];
  return list(body['TransactItems']).flatMap((item) => {
    const [only, ...others] = Object.entries(record(item));
    const is_plain = only !== undefined && others.length === 0;
    return is_plain && ['Put', 'Update'].includes(only[0]) ? [only] : [];
  });
}

/** Whether the engine has a map as it is here: it writes some numbers anew, and orders sets. */
function isKept(map: Readonly<Record<string, unknown>>): boolean {
  return Object.values(map).every((attribute) => {
    if (Object.keys(record(attribute)).length !== 1) return false;
    const { N, L, M, SS, NS, BS } = record(attribute);
    if (N !== undefined) return typeof N === 'string' && plain_number.test(N);
    if (L !== undefined) return list(L).every((value) => isKept({ value }));
    return M === undefined ? (SS ?? NS ?? BS) === undefined : isKept(record(M));
  });
}

/** The single writes of a request, each with its table. */
function partsOf(action: string, body: Body): [unknown, unknown][] | undefined {
  if (['PutItem', 'UpdateItem', 'DeleteItem'].includes(action)) return [[body['TableName'], body]];
  if (action === 'TransactWriteItems') {
    return list(body['TransactItems']).flatMap((item) => {
      const { ConditionCheck: _, ...writes } = record(item);
      return Object.values(writes).map((part): [unknown, unknown] => [
        record(part)['TableName'],
        part,
      ]);
    });
  }
  if (action !== 'BatchWriteItem') return undefined;
  return Object.entries(record(body['RequestItems'])).flatMap(([table, requests]) =>
    list(requests).flatMap((request) =>
      Object.values(record(request)).map((part): [unknown, unknown] => [table, part]),
    ),
  );
}

/** The key of an item. */
export function keyIn(item: unknown, attributes: readonly string[] | undefined): unknown {
  return Object.fromEntries((attributes ?? []).map((name) => [name, record(item)[name]]));
}

/** What the engine is asked for: the rows that are missing, whole and as they are now. */
export function requestFor({ operation, table }: RowRead, keys: readonly Key[]): Body {
  if (operation === 'GetItem') return { TableName: table, Key: keys[0], ConsistentRead: true };
  return { RequestItems: { [table]: { Keys: keys, ConsistentRead: true } } };
}

/** The rows of an engine's answer; undefined where it left keys for another request. */
export function itemsOf({ operation, table }: RowRead, answer: Body): unknown[] | undefined {
  if (operation === 'GetItem') return answer['Item'] === undefined ? [] : [answer['Item']];
  if (Object.keys(record(answer['UnprocessedKeys'])).length > 0) return undefined;
  return list(record(answer['Responses'])[table]);
}

/** The answer as the engine would give it. */
export function answerOf(read: RowRead, rows: readonly CachedRow[]): string {
  const texts = rows.filter(({ item }) => item !== null).map((row) => textOf(row, read.attributes));
  if (read.operation === 'GetItem') {
    return texts[0] === undefined ? '{}' : `{"Item":${texts[0]}}`;
  }
  const responses = `{${JSON.stringify(read.table)}:[${texts.join(',')}]}`;
  return `{"Responses":${responses},"UnprocessedKeys":{}}`;
}

function textOf({ item, json }: CachedRow, attributes: readonly string[] | undefined): string {
  if (attributes === undefined) return json;
  const chosen = attributes.map((name) => [name, item?.[name]] as const);
  return JSON.stringify(Object.fromEntries(chosen.filter(([, value]) => value !== undefined)));
}

/** Read units: 4 kB each and at least one a key, half of it where it need not be the newest. */
export function unitsOf({ consistent }: RowRead, rows: readonly CachedRow[]): number {
  const whole = rows.reduce(
    (sum, { bytes }) => sum + Math.max(1, Math.ceil(bytes / read_unit_bytes)),
    0,
  );
  return consistent ? whole : whole / 2;
}
