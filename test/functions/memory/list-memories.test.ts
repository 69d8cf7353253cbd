import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Query, QueryPage } from '#shared/core/table.ts';
import { checkedClient, type CheckedClient } from '../../wire/checked-client.ts';
import { admin_key, collect, startDoor, type StartedDoor } from '../api/door.ts';

/** The list of a store's memories over the SDK: order, folders, pages. */

let door: StartedDoor;
let memories: CheckedClient['client']['beta']['memoryStores']['memories'];
let store_id: string;
let client: CheckedClient['client'];

const paths = ['/a-b', '/a/1', '/a/2', '/a/b/3', '/a/b/c/4', '/a0', '/b/5', '/z', '/é/6', '/😀'];

beforeAll(async () => {
  door = await startDoor();
  ({ client } = checkedClient(door.baseURL, admin_key, { maxRetries: 0 }));
  ({ memories } = client.beta.memoryStores);
  store_id = (await client.beta.memoryStores.create({ name: 'lists' })).id;
  for (const [index, path] of paths.toReversed().entries()) {
    const content = index % 2 === 0 ? path : path.repeat(2_000);
    await memories.create(store_id, { path, content });
  }
});
afterAll(async () => await door.stop());

interface Shown {
  readonly path: string;
  readonly type: string;
}

function shown(items: readonly Shown[]): string[] {
  return items.map(({ path, type }) => (type === 'memory' ? path : `[${path}]`));
}

test.each([
  [{}, paths],
  [{ path_prefix: '/' }, paths],
  [{ path_prefix: '/a/' }, ['/a/1', '/a/2', '/a/b/3', '/a/b/c/4']],
  [{ path_prefix: '/a/b/', depth: 0 }, ['/a/b/3', '/a/b/c/4']],
  [{ path_prefix: '/none/' }, []],
  [{ path_prefix: '/z/' }, []],
  [{ depth: 1 }, ['/a-b', '[/a/]', '/a0', '[/b/]', '/z', '[/é/]', '/😀']],
  [{ depth: 1, path_prefix: '/a/' }, ['/a/1', '/a/2', '[/a/b/]']],
  [{ depth: 1, path_prefix: '/a/b/' }, ['/a/b/3', '[/a/b/c/]']],
])(
  '%j lists what it says, in the order of the paths, in pages of any size',
  async (query, expected) => {
    for (const limit of [1, 2, 3, 100]) {
      const found = await collect(memories.list(store_id, { ...query, limit }));
      expect(shown(found)).toEqual(expected);
      const first = await memories.list(store_id, { ...query, limit });
      expect(first.data).toHaveLength(Math.min(limit, expected.length));
      expect(first.next_page === null).toBe(expected.length <= limit);
    }
  },
);

test('contents are shown when they are asked for, at most twenty a page', async () => {
  const basic = await collect(memories.list(store_id));
  expect(basic.every((item) => item.type === 'memory' && item.content === null)).toBe(true);
  const full = await collect(memories.list(store_id, { view: 'full' }));
  expect(shown(full)).toEqual(paths);
  for (const item of full) {
    if (item.type !== 'memory') throw new Error('a folder at depth 0');
    expect([item.path, item.path.repeat(2_000)]).toContain(item.content);
  }
  const { id } = await client.beta.memoryStores.create({ name: 'twenty' });
  for (let n = 0; n < 21; n++) await memories.create(id, { path: `/${n}`, content: '' });
  expect((await memories.list(id, { view: 'full', limit: 100 })).data).toHaveLength(20);
  expect(await collect(memories.list(id, { view: 'full', limit: 100 }))).toHaveLength(21);
});

test.each([
  { path_prefix: '/a' },
  { path_prefix: 'a/' },
  { path_prefix: '//' },
  { path_prefix: `/${'x'.repeat(1_100)}/` },
  { depth: 2 },
  { depth: -1 },
  { limit: 0 },
  { limit: 101 },
  { view: 'all' as 'full' },
  { page: 'nonsense' },
])('%j is a 400', async (query) => {
  await expect(memories.list(store_id, query)).rejects.toThrow(/^400/);
});

test('a cursor of another store works on its own paths, one of another list is refused', async () => {
  const { next_page } = await memories.list(store_id, { limit: 1 });
  const versions = client.beta.memoryStores.memoryVersions;
  await expect(versions.list(store_id, { page: next_page ?? '' })).rejects.toThrow(/^400/);
});

test('a folder of 2,000 memories costs a list of depth 1 two reads', async () => {
  const { id } = await client.beta.memoryStores.create({ name: 'large' });
  const pk = `PATHS#${id}`;
  const rows = Array.from({ length: 2_000 }, (_, n) => ({
    put: { pk, sk: `/large/${n}`, kind: 'memory', content: { text: 'x'.repeat(500) } },
  }));
  for (let n = 0; n < rows.length; n += 100) {
    await door.ports.table.transact(rows.slice(n, n + 100));
  }
  const { table } = door.ports;
  const query = table.query.bind(table);
  const asked: QueryPage[] = [];
  table.query = async (one: Query) => {
    const page = await query(one);
    asked.push(page);
    return page;
  };
  const found = await memories.list(id, { depth: 1 });
  table.query = query;
  expect(shown(found.data)).toEqual(['[/large/]']);
  expect(asked.filter(({ rows: read }) => read.length > 0)).toHaveLength(1);
  expect(asked).toHaveLength(2);
});
