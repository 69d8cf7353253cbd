// Goal: wherever a write dies, the store is what it was or what it was to become. Method: the ports
// fail before and after each of their writes in turn; then every invariant is looked at, and the
// same request is made again, as a client does that got no answer.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Call } from '#shared/core/call.ts';
import { DynamoTable } from '#shared/core/table-dynamo.ts';
import { deleteStore } from '#shared/memory/delete-store.ts';
import { deleteMemory, createMemory, updateMemory } from '#shared/memory/memories.ts';
import { readMemories } from '#shared/memory/read-store.ts';
import { sweepStore } from '#shared/memory/sweep-store.ts';
import { redactVersion } from '#shared/memory/versions.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';
import {
  broken,
  memoryPorts,
  putStore,
  wholeStore,
  workspace_id,
  type TestMemoryPorts,
} from './store.ts';

let started: StartedTable;
beforeAll(async () => void (started = await startTable()));
afterAll(async () => await started.stop());

const call: Call = {
  request_id: 'req_1',
  workspace_id,
  api_key_id: 'apikey_1',
  scopes: ['write'],
};

const writing = new Set<PropertyKey>([
  'transact',
  'update',
  'put',
  'copy',
  'delete',
  'deletePrefix',
  'deleteMany',
]);

/** The port, whose n-th write dies, counted over all ports that share `writes`. */
function dying<Port extends object>(
  port: Port,
  writes: { count: number },
  { n, when }: { readonly n: number; readonly when: 'before' | 'after' },
): Port {
  return new Proxy(port, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      if (!writing.has(name)) return value.bind(target) as unknown;
      return async (...given: unknown[]) => {
        writes.count += 1;
        const dies = writes.count === n;
        if (dies && when === 'before') throw new Error('it died');
        const done: unknown = await Reflect.apply(value, target, given);
        if (dies) throw new Error('it died');
        return done;
      };
    },
  });
}

function dyingPorts(ports: TestMemoryPorts, at: Parameters<typeof dying>[2]): TestMemoryPorts {
  const writes = { count: 0 };
  return {
    ...ports,
    table: dying(ports.table, writes, at),
    blobs: dying(ports.blobs, writes, at),
  };
}

/** A store with a large memory at `/a/b`, and its id. */
async function aStore(ports: TestMemoryPorts) {
  const store_id = await putStore(ports);
  const body = { path: '/a/b', content: 'x'.repeat(6_000) };
  const { id } = await createMemory(ports, call, { store_id, body, view: 'basic' });
  return { store_id, memory_id: id };
}

type Place = Awaited<ReturnType<typeof aStore>>;

test.each<[string, (ports: TestMemoryPorts, place: Place) => Promise<unknown>, string[], number]>([
  [
    'a rename',
    async (ports, place) =>
      await updateMemory(ports, call, { ...place, body: { path: '/a/b/c' }, view: 'basic' }),
    ['/a/b/c'],
    2,
  ],
  [
    'a rename with a new content',
    async (ports, place) => {
      const body = { path: '/c', content: 'y'.repeat(6_000) };
      await updateMemory(ports, call, { ...place, body, view: 'basic' });
    },
    ['/c'],
    2,
  ],
  [
    'a deletion',
    async (ports, place) => {
      const request = { ...place, expected_content_sha256: undefined };
      await deleteMemory(ports, call, request).catch(unlessMissing);
    },
    [],
    1,
  ],
])(
  '%s that dies anywhere leaves a sound store, and can be made again',
  async (_, act, paths, boundaries) => {
    const ports = memoryPorts(started.table);
    let died = 0;
    for (const when of ['before', 'after'] as const) {
      for (let n = 1; n <= boundaries; n++) {
        const place = await aStore(ports);
        const before = (await readMemories(ports.table, place.store_id)).map(({ sk }) => sk);
        await act(dyingPorts(ports, { n, when }), place).catch(() => died++);
        expect(await broken(ports, place.store_id)).toEqual([]);
        const between = (await readMemories(ports.table, place.store_id)).map(({ sk }) => sk);
        expect([before, paths]).toContainEqual(between);
        ports.clock.at = new Date(ports.clock.at.getTime() + 1_000);
        await act(ports, place);
        expect(await broken(ports, place.store_id)).toEqual([]);
        const whole = await wholeStore(ports, place.store_id);
        expect(whole.memories.map(({ sk }) => sk)).toEqual(paths);
        // Made twice, it took effect once.
        expect(whole.versions).toHaveLength(2);
      }
    }
    expect(died).toBe(2 * boundaries);
  },
);

function unlessMissing(error: unknown): void {
  if (!(error instanceof Error) || !error.message.includes('was not found')) throw error;
}

test('a redaction that dies anywhere shows no half, and made again it leaves no object', async () => {
  const ports = memoryPorts(started.table);
  for (const when of ['before', 'after'] as const) {
    for (const n of [1, 2]) {
      const place = await aStore(ports);
      await updateMemory(ports, call, { ...place, body: { content: 'small' }, view: 'basic' });
      const { versions } = await wholeStore(ports, place.store_id);
      const version = {
        store_id: place.store_id,
        version_id: versions[0]?.memory_version_id ?? '',
      };
      await expect(redactVersion(dyingPorts(ports, { n, when }), call, version)).rejects.toThrow(
        'it died',
      );
      expect(await broken(ports, place.store_id)).toEqual([]);
      await redactVersion(ports, call, version);
      expect(await broken(ports, place.store_id)).toEqual([]);
      const whole = await wholeStore(ports, place.store_id);
      expect(whole.objects).toEqual([]);
      expect(whole.versions[0]).toMatchObject({ path: null, content: null });
    }
  }
});

test('a refused write takes back its objects', async () => {
  const ports = memoryPorts(started.table);
  const { store_id } = await aStore(ports);
  const before = await wholeStore(ports, store_id);
  const body = { path: '/a', content: 'y'.repeat(6_000) };
  await expect(createMemory(ports, call, { store_id, body, view: 'basic' })).rejects.toMatchObject({
    kind: 'memory_path_conflict',
  });
  expect(await wholeStore(ports, store_id)).toEqual(before);
});

test('a sweep that dies anywhere is found by its head and leaves nothing at the second try', async () => {
  const ports = memoryPorts(started.table);
  let died = 0;
  for (const when of ['before', 'after'] as const) {
    for (let n = 1; n <= 5; n++) {
      const { store_id } = await aStore(ports);
      const swept = sweepStore(dyingPorts(ports, { n, when }), store_id, () => false);
      await swept.catch(() => died++);
      const between = await wholeStore(ports, store_id);
      const is_all_gone = n === 5 && when === 'after';
      expect(between.head === undefined).toBe(is_all_gone);
      expect(await sweepStore(ports, store_id, () => false)).toBe(true);
      expect(await wholeStore(ports, store_id)).toEqual({
        head: undefined,
        memories: [],
        folders: [],
        pointers: [],
        versions: [],
        objects: [],
      });
    }
  }
  expect(died).toBe(10);
});

test('a deletion whose reply is lost between DynamoDB and us is told as done, and a second one is not', async () => {
  const { place, name } = started;
  const store_id = await putStore(memoryPorts(started.table));
  let replies_count = 0;
  const server = createServer(async (request, response) => {
    const reply = await fetch(place.endpoint, {
      method: 'POST',
      headers: { ...(request.headers as Record<string, string>) },
      body: await text(request),
    });
    const body = await reply.text();
    if (replies_count++ === 0) response.destroy();
    else response.writeHead(reply.status).end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ports = {
    ...memoryPorts(new DynamoTable(name, { ...place, endpoint })),
    sweepLost: () => undefined,
  };
  expect(await deleteStore(ports, call, store_id)).toMatchObject({ id: store_id });
  expect(replies_count).toBeGreaterThan(1);
  await expect(deleteStore(ports, call, store_id)).rejects.toMatchObject({ kind: 'missing' });
  server.closeAllConnections();
  server.close();
});
