import { afterAll, beforeAll, expect, test } from 'vitest';
import { listByTime, listKeys, type TimeList } from '#shared/core/listing.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';

/** Lists over the index: bounds of time, both orders, both directions, one workspace at a time. */

let started: StartedTable;

const key = (id: string) => ({ pk: `AGENT#${id}`, sk: 'HEAD' });
const at = (second: number): string => new Date(1_800_000_000_000 + second * 1_000).toISOString();

beforeAll(async () => {
  started = await startTable();
  for (const workspace of ['one', 'two']) {
    const puts = Array.from({ length: 5 }, (_, n) => {
      const id = `agent_${workspace}${n}`;
      const thing = { id, created_at: at(n) };
      return { put: { ...key(id), id, ...listKeys(workspace, 'agent', thing) } };
    });
    await started.table.transact(puts);
  }
});

afterAll(async () => {
  await started.stop();
});

const page = async (over: Partial<TimeList> = {}) =>
  await listByTime(
    started.table,
    { workspace_id: 'one', noun: 'agent', key, limit: 10, ...over },
    async (row) => Number(String(row['id']).at(-1)),
  );

test.each<[string, Partial<TimeList>, number[]]>([
  ['nothing', {}, [4, 3, 2, 1, 0]],
  ['order asc', { order: 'asc' }, [0, 1, 2, 3, 4]],
  ['gte', { gte: at(3) }, [4, 3]],
  ['gt', { gt: at(3) }, [4]],
  ['lte', { lte: at(1) }, [1, 0]],
  ['lt', { lt: at(1) }, [0]],
  ['both ends', { gt: at(0), lt: at(3) }, [2, 1]],
  ['both kinds of one end: the narrower holds', { gt: at(1), gte: at(3) }, [4, 3]],
  ['one moment', { gte: at(2), lte: at(2) }, [2]],
  ['an empty moment', { gt: at(2), lt: at(2) }, []],
  ['ends that are crossed', { gte: at(3), lte: at(1) }, []],
])('with %s', async (_, over, expected) => {
  expect((await page(over)).data).toEqual(expected);
});

test.each(['asc', 'desc'] as const)('order %s: there and back again', async (order) => {
  const expected = order === 'asc' ? [0, 1, 2, 3, 4] : [4, 3, 2, 1, 0];
  const first = await page({ order, limit: 2 });
  const second = await page({ order, limit: 2, page: first.next_page ?? '' });
  const third = await page({ order, limit: 2, page: second.next_page ?? '' });
  expect([...first.data, ...second.data, ...third.data]).toEqual(expected);
  expect([first.prev_page, third.next_page]).toEqual([null, null]);
  const back = await page({ order, limit: 2, page: third.prev_page ?? '' });
  expect(back.data).toEqual(second.data);
  const start = await page({ order, limit: 2, page: back.prev_page ?? '' });
  expect(start).toEqual(first);
});

test('a row that went after the index was read is left out', async () => {
  await started.table.deleteMany([key('agent_two2')]);
  expect((await page({ workspace_id: 'two' })).data).toEqual([4, 3, 1, 0]);
});
