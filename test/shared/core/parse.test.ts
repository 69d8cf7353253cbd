import { expect, test } from 'vitest';
import * as z from 'zod';
import { Fault } from '#shared/core/fault.ts';
import {
  NoBody,
  parseBody,
  parseQuery,
  queryBoolean,
  queryInt,
  queryList,
  queryTime,
  queryTimes,
} from '#shared/core/parse.ts';

/** Whatever is wrong is said in one sentence: where, what, and what to do. */

const Shape = z.strictObject({
  name: z.string().min(1).max(5),
  model: z.union([z.string(), z.strictObject({ id: z.string() })]).optional(),
  tools: z
    .array(
      z.discriminatedUnion('type', [
        z.strictObject({ type: z.literal('a') }),
        z.strictObject({ type: z.literal('b'), count: z.int().max(9) }),
      ]),
    )
    .max(2)
    .optional(),
  speed: z.enum(['fast', 'slow']).optional(),
  metadata: z.record(z.string().max(2, 'A key has at most 2 characters.'), z.string()).optional(),
  word: z.string().regex(/^\w+$/, 'must be a word').optional(),
});

test.each<[unknown, string]>([
  [{}, 'name: is required (string).'],
  [{ name: 3 }, 'name: must be of type string.'],
  [{ name: null }, 'name: must be of type string.'],
  [{ name: '' }, 'name: must have at least 1 character.'],
  [{ name: '123456' }, 'name: must have at most 5 characters.'],
  [{ name: 'a', nam: 1 }, 'nam: unknown field. Remove it or check its spelling.'],
  [{ name: 'a', model: 3 }, 'model: must be string or object.'],
  [{ name: 'a', model: { id: 3 } }, 'model.id: must be of type string.'],
  [{ name: 'a', model: {} }, 'model.id: is required (string).'],
  [
    { name: 'a', model: { id: 'x', y: 1 } },
    'model.y: unknown field. Remove it or check its spelling.',
  ],
  [{ name: 'a', tools: [{ type: 'a' }, { type: 'c' }] }, "tools.1.type: must be 'a' or 'b'."],
  [{ name: 'a', tools: [{}] }, "tools.0.type: must be 'a' or 'b'."],
  [{ name: 'a', tools: [{ type: 'b', count: 1.5 }] }, 'tools.0.count: must be of type integer.'],
  [{ name: 'a', tools: [{ type: 'b', count: 10 }] }, 'tools.0.count: must be at most 9.'],
  [{ name: 'a', tools: Array(3).fill({ type: 'a' }) }, 'tools: must have at most 2 items.'],
  [{ name: 'a', speed: 'x' }, "speed: must be 'fast' or 'slow'."],
  [{ name: 'a', word: '!' }, 'word: must be a word.'],
  [{ name: 'a', metadata: { abc: 'x' } }, 'metadata.abc: A key has at most 2 characters.'],
  [[], 'A JSON object is expected. Put the fields between braces.'],
  [null, 'A JSON object is expected. Put the fields between braces.'],
  [undefined, 'The request has no body. Send a JSON object.'],
])('%j is refused by name', (body, message) => {
  expect(() => parseBody(Shape, body)).toThrow(
    expect.objectContaining({ kind: 'invalid', message }),
  );
});

test('a value of several kinds that is missing is said to be missing', () => {
  const either = z.object({ model: z.union([z.string(), z.object({ id: z.string() })]) });
  expect(() => parseBody(either, {})).toThrow('model: is required (string or object).');
});

test('only what is wrong with metadata carries its reason code', () => {
  const codeOf = (body: unknown): unknown => {
    try {
      parseBody(Shape, body);
    } catch (error) {
      return error instanceof Fault ? error.details?.error_code : error;
    }
    return 'accepted';
  };
  expect(codeOf({ name: 'a', metadata: { a: 1 } })).toBe('invalid_metadata');
  expect(codeOf({ name: 1 })).toBeUndefined();
});

test('an action without parameters takes no body or an empty one, and no field', () => {
  expect(parseBody(NoBody, undefined)).toEqual({});
  expect(parseBody(NoBody, {})).toEqual({});
  expect(() => parseBody(NoBody, { force: true })).toThrow(/force: unknown field/);
});

const Query = z.strictObject({
  limit: queryInt(1, 100).default(20),
  all: queryBoolean.optional(),
  at: queryTime.optional(),
  statuses: queryList(z.enum(['idle', 'running'])).optional(),
});

test.each<[Record<string, string | string[]>, unknown]>([
  [{}, { limit: 20 }],
  [{ limit: '7' }, { limit: 7 }],
  [{ all: 'true' }, { limit: 20, all: true }],
  [{ all: 'false' }, { limit: 20, all: false }],
  [{ at: '2026-01-31T01:00:00+01:00' }, { limit: 20, at: '2026-01-31T00:00:00.000Z' }],
  [{ statuses: 'idle' }, { limit: 20, statuses: ['idle'] }],
  [{ statuses: ['idle', 'running'] }, { limit: 20, statuses: ['idle', 'running'] }],
])('the query %j is read as %j', (query, expected) => {
  expect(parseQuery(Query, query)).toEqual(expected);
});

test.each([
  ['gt', '2026-01-31T00:00:00.001001Z', '2026-01-31T00:00:00.001Z'],
  ['lte', '2026-01-31T00:00:00.001999Z', '2026-01-31T00:00:00.001Z'],
  ['gte', '2026-01-31T00:00:00.001001Z', '2026-01-31T00:00:00.002Z'],
  ['lt', '2026-01-31T00:00:00.001001Z', '2026-01-31T00:00:00.002Z'],
  ['gte', '2026-01-31T00:00:00.001000+00:00', '2026-01-31T00:00:00.001Z'],
  ['lt', '9999-12-31T23:59:59.999999Z', '9999-12-31T23:59:59.999Z'],
  ['lt', '9999-12-31T23:59:59-01:00', '9999-12-31T23:59:59.999Z'],
])(
  'the bound %s of %s, finer than rows are, leaves the milliseconds to %s',
  (bound, given, read) => {
    const name = `created_at[${bound}]`;
    expect(parseQuery(z.strictObject(queryTimes), { [name]: given })).toEqual({ [name]: read });
  },
);

test.each<[Record<string, string | string[]>, RegExp]>([
  [{ limit: '0' }, /^limit: must be at least 1\.$/],
  [{ limit: '101' }, /^limit: must be at most 100\.$/],
  [{ limit: '1e1' }, /^limit: must be a whole number\.$/],
  [{ limit: ['1', '2'] }, /^limit: was given 2 times\. Give it once\.$/],
  [{ all: ['true', 'true', 'true'] }, /^all: was given 3 times\. Give it once\.$/],
  [{ at: ['2026-01-31', '2026-02-01'] }, /^at: was given 2 times\. Give it once\.$/],
  [{ limit: ['1'] }, /^limit: is no list\. Write it as limit=, without brackets\.$/],
  [{ all: 'yes' }, /^all: must be 'true' or 'false'\.$/],
  [{ at: 'yesterday' }, /^at: must be an RFC 3339 time/],
  [{ statuses: ['idle', 'x'] }, /^statuses\.1: must be 'idle' or 'running'\.$/],
  [{ sort: 'x' }, /^sort: unknown field/],
])('the query %j is refused by name', (query, message) => {
  expect(() => parseQuery(Query, query)).toThrow(message);
});
