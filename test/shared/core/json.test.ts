import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJson } from '#shared/core/json.ts';
import { limits } from '#shared/core/limits.ts';

/** Bodies: what JSON.parse takes, less what two readers could understand differently. */

test('every JSON value comes back as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom(0, 2), (json, indent) => {
      fc.pre(!json.includes('__proto__'));
      const text = JSON.stringify(JSON.parse(json), null, indent);
      expect(parseJson(text)).toEqual(JSON.parse(text));
    }),
  );
});

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

test.each<[string, string, RegExp]>([
  ['nothing', '', /not valid JSON/],
  ['a broken object', '{"a":1', /not valid JSON/],
  ['a name twice', '{"a":1,"b":2,"a":3}', /field 'a' twice/],
  ['a name twice, once escaped', '{"a":1,"\\u0061":3}', /field 'a' twice/],
  ['a name twice, with blanks before the colon', '{"a" :1,"a"\n:3}', /field 'a' twice/],
  ['a name twice, deep inside', '{"x":[{"a":{"b":1,"b":2}}]}', /field 'b' twice/],
  ['a name that ends in a backslash, twice', '{"a\\\\":1,"a\\\\":2}', /twice/],
  ['__proto__', '{"a":{"__proto__":{}}}', /'__proto__', which is not allowed/],
  ['half of a surrogate pair', '{"a":"b\\ud83d"}', /half of a surrogate pair/],
  ['half of a surrogate pair in a name', '{"\\ude00":1}', /half of a surrogate pair/],
  ['nesting beyond the limit', nested(limits.json_depth_max + 1), /nested deeper/],
])('%s is refused', (_, text, message) => {
  expect(() => parseJson(text)).toThrow(message);
});

test.each<[string, string]>([
  ['one name in two objects', '[{"a":1},{"a":2}]'],
  ['one name at two depths', '{"a":{"a":{"a":1}}}'],
  ['values that look like names', '{"a":"b","b":["a","a"]}'],
  ['a text with quotes, colons and brackets', '{"a":"\\"a\\": {[","b":"\\\\"}'],
  ['a whole surrogate pair, escaped', '{"a":"\\ud83d\\ude00"}'],
  ['nesting at the limit', nested(limits.json_depth_max)],
])('%s is accepted', (_, text) => {
  expect(parseJson(text)).toEqual(JSON.parse(text));
});

test('a body of megabytes is checked in a fraction of a second', () => {
  const text = JSON.stringify({
    text: 'a\\"{'.repeat(1_000_000),
    list: Array(200_000).fill({ a: 1 }),
  });
  const started = performance.now();
  parseJson(text);
  expect(performance.now() - started).toBeLessThan(8_000);
});
