import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { together } from '#shared/core/together.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';

let started: StartedTable;
beforeAll(async () => {
  started = await startTable();
  const rows = ['a', 'b'].map((pk) => ({ put: { pk, sk: 'HEAD', of: pk } }));
  await started.table.transact(rows);
});
afterAll(() => started.stop());

const keyOf = (pk: string) => ({ pk, sk: 'HEAD' });

test('what is asked for in one breath is one request, each answered with its own', async () => {
  const { table } = started;
  const many = vi.spyOn(table, 'getMany');
  const reads = together(table);
  const late = async () => {
    await Promise.resolve();
    return await reads.get(keyOf('b'));
  };
  const found = await Promise.all([
    reads.get(keyOf('a')),
    late(),
    reads.get(keyOf('none')),
    reads.get(keyOf('a')),
  ]);
  expect(found.map((row) => row?.['of'])).toEqual(['a', 'b', undefined, 'a']);
  expect(many).toHaveBeenCalledTimes(1);
  expect(await reads.get(keyOf('b'))).toMatchObject({ of: 'b' });
  expect(many).toHaveBeenCalledTimes(2);
  many.mockRestore();
});

test('a request that fails fails for each who asked', async () => {
  const { table } = started;
  const many = vi.spyOn(table, 'getMany').mockRejectedValueOnce(new Error('throttled'));
  const reads = together(table);
  const asked = await Promise.allSettled([reads.get(keyOf('a')), reads.get(keyOf('b'))]);
  expect(asked.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  many.mockRestore();
});
