import * as z from 'zod';
import { Fault } from './fault.ts';

/**
 * Parse what a caller sent.
 *
 * @param value What JSON.parse gave; undefined when there was no body.
 * @throws Fault `invalid`: one sentence that names the field and says what to do.
 */
export function parseBody<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): z.output<Schema> {
  if (value === undefined) {
    // An action without parameters may come without a body.
    const empty = schema.safeParse({});
    if (empty.success) return empty.data;
    throw new Fault('invalid', 'The request has no body. Send a JSON object.');
  }
  return parsed(schema, value);
}

/** Parameters of a query as the door reads them: see {@link readQuery}. */
export type QueryValues = Readonly<Record<string, string | readonly string[]>>;

/** @throws Fault `invalid`, as {@link parseBody}: an unknown parameter is refused by its name. */
export function parseQuery<Schema extends z.ZodType>(
  schema: Schema,
  query: QueryValues,
): z.output<Schema> {
  return parsed(schema, query, (issue) => explainRepeated(issue, query));
}

function parsed<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  explainFirst: (issue: Issue) => string | undefined = () => undefined,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  if (issue === undefined) throw new Fault('invalid', 'The request is not valid.');
  const is_metadata = issue.path[0] === 'metadata';
  throw new Fault(
    'invalid',
    explainFirst(issue) ?? sentenceOf(issue, value),
    is_metadata ? { details: { error_code: 'invalid_metadata' } } : {},
  );
}

type Issue = z.core.$ZodIssue;

/** A parameter that has one value, where a query gives more: its type is not what is wrong with it. */
function explainRepeated({ code, path }: Issue, query: QueryValues): string | undefined {
  const values = path.length === 1 ? at(query, path) : undefined;
  if (!Array.isArray(values) || (code !== 'invalid_type' && code !== 'invalid_value')) {
    return undefined;
  }
  const name = String(path[0]);
  return values.length === 1
    ? `${name}: is no list. Write it as ${name}=, without brackets.`
    : `${name}: was given ${values.length} times. Give it once.`;
}

/** `tools.0.name: what is wrong. What to do.` */
function sentenceOf(issue: Issue, root: unknown): string {
  const [path, text] = explain(issue, root);
  if (path.length === 0 && issue.code === 'invalid_type') {
    return 'A JSON object is expected. Put the fields between braces.';
  }
  return path.length === 0 ? text : `${path.map(String).join('.').slice(0, 200)}: ${text}`;
}

function explain(issue: Issue, root: unknown): [readonly PropertyKey[], string] {
  if (issue.code === 'invalid_union') return explainUnion(issue, root);
  if (issue.code === 'unrecognized_keys') {
    const name = String(issue.keys[0]).slice(0, 80);
    return [[...issue.path, name], 'unknown field. Remove it or check its spelling.'];
  }
  return [issue.path, explainValue(issue, root)];
}

function explainValue(issue: Issue, root: unknown): string {
  if (issue.code === 'invalid_type') return explainType(issue.expected, at(root, issue.path));
  if (issue.code === 'invalid_value') return `must be ${alternatives(issue.values)}.`;
  if (issue.code === 'too_small' || issue.code === 'too_big') return explainSize(issue);
  // What remains is said by the schema itself, of the value or of a record's key.
  return ended(issue.code === 'invalid_key' ? String(issue.issues[0]?.message) : issue.message);
}

function ended(message: string): string {
  return message.endsWith('.') ? message : `${message}.`;
}

function alternatives(values: readonly unknown[]): string {
  return values.map((value) => `'${String(value)}'`).join(' or ');
}

/** A union fails by its discriminator, or by the one branch that the caller seems to have meant. */
function explainUnion(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  root: unknown,
): [readonly PropertyKey[], string] {
  const branches = issue.errors.map((errors) => errors[0]).filter((first) => first !== undefined);
  const meant = branches.find((first) => first.code !== 'invalid_type' || first.path.length > 0);
  if (meant !== undefined) {
    return explain({ ...meant, path: [...issue.path, ...meant.path] } as Issue, root);
  }
  const expected = branches.flatMap((first) =>
    'expected' in first ? [String(first.expected)] : [],
  );
  if (expected.length > 0) {
    const kinds = [...new Set(expected)].join(' or ');
    const is_there = at(root, issue.path) !== undefined;
    return [issue.path, is_there ? `must be ${kinds}.` : `is required (${kinds}).`];
  }
  const options = 'options' in issue && Array.isArray(issue.options) ? issue.options : [];
  return [issue.path, `must be ${alternatives(options)}.`];
}

function explainType(expected: string, found: unknown): string {
  const wanted = expected === 'record' ? 'object' : expected === 'int' ? 'integer' : expected;
  if (found === undefined) return `is required (${wanted}).`;
  return `must be of type ${wanted}.`;
}

function explainSize(issue: Extract<Issue, { code: 'too_small' | 'too_big' }>): string {
  const units: Readonly<Record<string, string>> = { string: 'character', array: 'item' };
  const unit = units[issue.origin];
  const size = issue.code === 'too_small' ? issue.minimum : issue.maximum;
  const bound = `at ${issue.code === 'too_small' ? 'least' : 'most'} ${size}`;
  return unit === undefined ? `must be ${bound}.` : `must have ${bound} ${unit}${plural(size)}.`;
}

function plural(count: number | bigint): string {
  return count === 1 ? '' : 's';
}

function at(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null
        ? (value as Record<PropertyKey, unknown>)[key]
        : undefined,
    root,
  );
}

/** For an action without parameters: a field in its body is a mistake to be told. */
export const NoBody = z.strictObject({});

/** For a route without parameters in its query. */
export const NoQuery = z.strictObject({});

/** `true` or `false` in a query. */
export const queryBoolean = z.enum(['true', 'false']).transform((text) => text === 'true');

/** A whole number in a query. */
export function queryInt(min: number, max: number) {
  return z
    .string()
    .regex(/^\d{1,10}$/, 'must be a whole number.')
    .transform(Number)
    .pipe(z.int().min(min).max(max));
}

const queryInstant = z.iso.datetime({
  offset: true,
  error: 'must be an RFC 3339 time, like 2026-01-31T00:00:00Z.',
});

/** Behind it years have five digits and a sign, which no string sorts behind the others. */
const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z');

function storedTime(time_ms: number): string {
  return new Date(Math.min(time_ms, LAST_MS)).toISOString();
}

/** A time in a query, as the rows have it: UTC with milliseconds, so that strings compare. */
export const queryTime = queryInstant.transform((text) => storedTime(Date.parse(text)));

/** The same, where what is finer than a millisecond belongs to the next one. */
const queryTimeUp = queryInstant.transform((text) => {
  const is_finer = /\.\d{3}\d*[1-9]/.test(text);
  return storedTime(Date.parse(text) + (is_finer ? 1 : 0));
});

/**
 * Bounds of a list by time. A client may send microseconds, as Python does, and rows have none: what was
 * created at or after such a time, or before it, is told by the millisecond that follows.
 */
export const queryTimes = {
  'created_at[gt]': queryTime.optional(),
  'created_at[gte]': queryTimeUp.optional(),
  'created_at[lt]': queryTimeUp.optional(),
  'created_at[lte]': queryTime.optional(),
};

/** A list in a query: `name[]=a&name[]=b`, or the bare name, once or repeated. */
export function queryList<Item extends z.ZodType<unknown, string>>(item: Item) {
  return z.preprocess(
    (value) => (typeof value === 'string' ? [value] : value),
    z.array(item).min(1),
  );
}
