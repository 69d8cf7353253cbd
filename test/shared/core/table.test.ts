import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROW_SCHEMA } from '#shared/core/table.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';

let started: StartedTable;

beforeAll(async () => {
  started = await startTable();
});
afterAll(async () => await started.stop());

/** What rows hold: JSON, with numbers that DynamoDB keeps to the digit, and bytes. */
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'value' },
    fc.string(),
    fc.integer(),
    fc.constantFrom(0.1, -1.5, 1e15, Number.MAX_SAFE_INTEGER),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ minLength: 1 }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string({ minLength: 1 }), tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

test('a row is read as it was put, with the version of its layout, whichever way it is read', async () => {
  const { table } = started;
  const key = { pk: 'ROUND#1', sk: 'TRIP' };
  await fc.assert(
    fc.asyncProperty(value, async (held) => {
      await table.transact([{ put: { ...key, held } }]);
      const row = { ...key, held, schema: ROW_SCHEMA };
      const { rows } = await table.query({ pk: key.pk, from: ' ', to: '~' });
      const set = { update: key, expression: 'SET again = :held', values: { ':held': held } };
      expect([await table.get(key), await table.getMany([key]), rows]).toEqual([row, [row], [row]]);
      expect(await table.update(set)).toEqual({ ...row, again: held });
    }),
    { numRuns: 30, examples: [[{ ['__proto__']: 0 }]] },
  );
});
