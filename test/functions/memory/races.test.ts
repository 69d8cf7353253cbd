// Goal: many at once lose nothing and break nothing. Method: the official SDK over HTTP against a
// real table; every success must be found in the versions, in order, and every invariant holds.
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkedClient, type CheckedClient } from '../../wire/checked-client.ts';
import { admin_key, collect, startDoor, type StartedDoor } from '../api/door.ts';
import { broken } from '../../shared/memory/store.ts';

let door: StartedDoor;
let stores: CheckedClient['client']['beta']['memoryStores'];

beforeAll(async () => {
  door = await startDoor();
  stores = checkedClient(door.baseURL, admin_key, { maxRetries: 0 }).client.beta.memoryStores;
});
afterAll(async () => await door.stop());

function times<Value>(count: number, make: (n: number) => Value): Value[] {
  return Array.from({ length: count }, (_, n) => make(n));
}

test('fifty writers with preconditions on one memory: each success is a version, none is lost', async () => {
  const { id: memory_store_id } = await stores.create({ name: 'race' });
  const made = await stores.memories.create(memory_store_id, { path: '/count', content: '' });
  const written = new Map<string, string>();
  await Promise.all(
    times(50, async (n) => {
      for (;;) {
        const seen = await stores.memories.retrieve(made.id, { memory_store_id });
        const content = `${seen.content}${n} `;
        const precondition = {
          type: 'content_sha256' as const,
          content_sha256: createHash('sha256')
            .update(seen.content ?? '')
            .digest('hex'),
        };
        try {
          const update = { memory_store_id, content, precondition };
          const { memory_version_id } = await stores.memories.update(made.id, update);
          written.set(memory_version_id, content);
          return;
        } catch (error) {
          if (!(error instanceof Anthropic.ConflictError)) throw error;
          await sleep(n);
        }
      }
    }),
  );
  const { content } = await stores.memories.retrieve(made.id, { memory_store_id });
  const numbers = (content ?? '').trim().split(' ').map(Number);
  expect(numbers.toSorted((a, b) => a - b)).toEqual(times(50, (n) => n));
  const versions = await collect(
    stores.memoryVersions.list(memory_store_id, { memory_id: made.id, view: 'full' }),
  );
  expect(versions).toHaveLength(51);
  expect(versions[0]?.content).toBe(content);
  for (const [index, { id, content: text }] of versions.slice(0, -1).entries()) {
    expect(written.get(id)).toBe(text);
    expect(text?.startsWith(versions[index + 1]?.content ?? 'nothing')).toBe(true);
  }
  expect(await broken(door.ports, memory_store_id)).toEqual([]);
}, 120_000);

test('fifty writers without preconditions on one memory all succeed, one after another', async () => {
  const { id: memory_store_id } = await stores.create({ name: 'race' });
  const made = await stores.memories.create(memory_store_id, { path: '/last', content: '' });
  await Promise.all(
    times(50, async (n) => {
      await stores.memories.update(made.id, { memory_store_id, content: `${n}` });
    }),
  );
  const versions = await collect(stores.memoryVersions.list(memory_store_id, { view: 'full' }));
  expect(new Set(versions.map(({ content }) => content)).size).toBe(51);
  expect(await broken(door.ports, memory_store_id)).toEqual([]);
}, 120_000);

test.each([
  ['one path', () => '/a/b'],
  ['paths below one another', (n: number) => `/a${'/b'.repeat(n % 10)}`],
])(
  'of fifty creations at once of %s exactly one wins',
  async (_, pathOf) => {
    const { id } = await stores.create({ name: 'race' });
    const settled = await Promise.allSettled(
      times(
        50,
        async (n) => await stores.memories.create(id, { path: pathOf(n), content: `${n}` }),
      ),
    );
    const won = settled.filter((one) => one.status === 'fulfilled').map((one) => one.value);
    expect(won).toHaveLength(1);
    for (const one of settled) {
      if (one.status === 'fulfilled') continue;
      expect(one.reason).toMatchObject({
        status: 409,
        error: { error: { conflicting_memory_id: won[0]?.id, conflicting_path: won[0]?.path } },
      });
    }
    expect(await collect(stores.memories.list(id))).toHaveLength(1);
    expect(await broken(door.ports, id)).toEqual([]);
  },
  60_000,
);

test('thirty-two creations at once of different paths all succeed', async () => {
  const { id } = await stores.create({ name: 'race' });
  const paths = times(32, (n) => `/shared/folder/${n % 4}/${n}`);
  await Promise.all(
    paths.map(async (path) => await stores.memories.create(id, { path, content: path })),
  );
  const found = await collect(stores.memories.list(id));
  expect(found.map(({ path }) => path)).toEqual(paths.toSorted());
  expect(await broken(door.ports, id)).toEqual([]);
}, 60_000);

test('creations, renames and deletions at once in one small place leave a sound store', async () => {
  const { id: memory_store_id } = await stores.create({ name: 'race' });
  const paths = ['/a', '/a/b', '/a/b/c', '/a/c', '/b'];
  const pathAt = (n: number): string => paths[n % paths.length] ?? '/a';
  const outcomes = await Promise.allSettled(
    times(24, async (n) => {
      const { id } = await stores.memories.create(memory_store_id, {
        path: pathAt(n),
        content: `${n}`.repeat(n % 3 === 0 ? 5_000 : 1),
      });
      await stores.memories
        .update(id, { memory_store_id, path: pathAt(n * 7 + 3) })
        .catch(onlyConflict);
      await stores.memories.delete(id, { memory_store_id });
    }),
  );
  for (const one of outcomes) {
    if (one.status === 'rejected') expect(one.reason).toBeInstanceOf(Anthropic.ConflictError);
  }
  expect(await collect(stores.memories.list(memory_store_id))).toEqual([]);
  expect(await broken(door.ports, memory_store_id)).toEqual([]);
}, 60_000);

function onlyConflict(error: unknown): void {
  if (!(error instanceof Anthropic.ConflictError)) throw error;
}
