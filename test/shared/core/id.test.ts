import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isId, newId, parseId, prefixes, primaryThreadId, type Noun } from '#shared/core/id.ts';

const nouns = Object.keys(prefixes) as Noun[];
const noun = fc.constantFrom(...nouns);

test.each(nouns)('a new id of %s is an id of it and of nothing else', (own) => {
  const id = newId(own);
  expect(parseId(own, id)).toBe(id);
  expect(nouns.filter((other) => isId(other, id))).toEqual([own]);
});

test('ids are new each time and sort in the order in which they were made', () => {
  const ids = Array.from({ length: 1_000 }, () => newId('event'));
  expect(new Set(ids).size).toBe(1_000);
  expect(ids.toSorted()).toEqual(ids);
});

test('whatever is not an id names nothing: a Fault `missing`, of bounded length', () => {
  fc.assert(
    fc.property(noun, fc.oneof(fc.string(), fc.string({ minLength: 200 })), (own, text) => {
      fc.pre(!isId(own, text));
      const parse = (): string => parseId(own, text);
      expect(parse).toThrow(expect.objectContaining({ kind: 'missing' }));
      expect(parse).toThrow(/^.{1,130}$/s);
    }),
  );
});

test('an id passes no path, wildcard or separator of a key', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 20, maxLength: 40 }), (body) => {
      fc.pre(!/^[0-9A-Za-z]+$/.test(body));
      expect(isId('agent', `agent_${body}`)).toBe(false);
    }),
  );
});

test('the primary thread of a session is known from its id alone', () => {
  const session_id = newId('session');
  expect(isId('thread', primaryThreadId(session_id))).toBe(true);
  expect(primaryThreadId(session_id).slice(5)).toBe(session_id.slice(5));
});
