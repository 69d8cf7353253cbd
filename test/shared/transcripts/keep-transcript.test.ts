/**
 * Segments in the bucket. Method: logs are appended as steps append them, and the transcript is kept
 * once, repeatedly, by several at once, and by one that dies at each of its writes. The bytes of all
 * segments together must be the log up to its last rest, each event once.
 */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Blobs } from '#shared/core/blobs.ts';
import { newId } from '#shared/core/id.ts';
import { limits } from '#shared/core/limits.ts';
import type { Table } from '#shared/core/table.ts';
import type { NewEvent } from '#shared/events/event.ts';
import { configKey, type SessionConfig } from '#shared/sessions/session.ts';
import { sweepSession } from '#shared/sessions/sweep-session.ts';
import { loadEvent, walkLog, type PlacedLine } from '#shared/threads/log.ts';
import { threadKey } from '#shared/threads/thread.ts';
import { keepTranscript, type TranscriptStore } from '#shared/transcripts/keep-transcript.ts';
import { ManifestCache } from '#shared/transcripts/manifest-cache.ts';
import type { Manifest } from '#shared/transcripts/manifest.ts';
import { Writer } from '#shared/turn/writer.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';
import {
  aCall,
  append,
  aReply,
  headOf,
  putSession,
  testPorts,
  type TestPorts,
} from '../../sessions.ts';

let started: StartedTable;
let ports: TestPorts;

beforeAll(async () => {
  started = await startTable();
  ports = testPorts(started.table);
});
afterAll(async () => await started.stop());

interface Ids {
  readonly session_id: string;
  readonly thread_id: string;
}

const idle = (): NewEvent => ({
  id: newId('event'),
  type: 'session.status_idle',
  stop_reason: { type: 'end_turn' },
  stop_details: null,
});

const childIdle = (thread_id: string): NewEvent => ({
  id: newId('event'),
  type: 'session.thread_status_idle',
  agent_name: 'Child',
  session_thread_id: thread_id,
  stop_reason: { type: 'end_turn' },
  stop_details: null,
});

async function aTurn({ thread_id }: Ids, text = 'hello'): Promise<void> {
  await append(ports, thread_id, [aReply(text), aReply('and more')]);
  await append(ports, thread_id, [aReply('last words'), idle()]);
}

async function keep(
  { session_id, thread_id }: Ids,
  store: Partial<TranscriptStore> = {},
  written?: readonly PlacedLine[],
): Promise<void> {
  const config = (await ports.table.get(configKey(session_id))) as SessionConfig;
  const head = await headOf(ports, thread_id);
  await keepTranscript({ ...ports, ...store }, config, head, written);
}

/** The bucket with other ways to write. */
function writing(ways: Partial<Pick<Blobs, 'put' | 'replace' | 'getTagged'>>): Blobs {
  const { blobs } = ports;
  return Object.assign(Object.create(blobs) as Blobs, {
    put: blobs.put.bind(blobs),
    replace: blobs.replace.bind(blobs),
    getTagged: blobs.getTagged.bind(blobs),
    ...ways,
  });
}

const textOf = (key: string): string =>
  Buffer.from(ports.blobs.objects.get(key) ?? '').toString('utf8');

function objectsOf({ session_id, thread_id }: Ids): string[] {
  const keys = [...ports.blobs.objects.keys()];
  return keys.filter((key) => key.startsWith(`transcripts/${session_id}/${thread_id}/`)).toSorted();
}

function manifestOf({ session_id }: Ids): Manifest {
  return JSON.parse(textOf(`transcripts/${session_id}/manifest.json`)) as Manifest;
}

async function logOf({ thread_id }: Ids): Promise<string> {
  const lines: string[] = [];
  for await (const page of walkLog(ports.table, thread_id)) {
    for (const line of page) lines.push(`${JSON.stringify(await loadEvent(ports.blobs, line))}\n`);
  }
  return lines.join('');
}

/** The segments are the log, and the manifest says of each what it is. */
async function checkWhole(ids: Ids): Promise<void> {
  const keys = objectsOf(ids);
  expect(keys.map(textOf).join('')).toBe(await logOf(ids));
  const { threads } = manifestOf(ids);
  const entries = threads.find(({ thread_id }) => thread_id === ids.thread_id)?.segments ?? [];
  expect(entries.map(({ key }) => `transcripts/${ids.session_id}/${key}`)).toEqual(keys);
  for (const [index, { from, to, ...entry }] of entries.entries()) {
    const text = textOf(keys[index] ?? '');
    const events = text.trimEnd().split('\n');
    expect(entry).toMatchObject({
      events_count: events.length,
      size_bytes: Buffer.byteLength(text),
      sha256: createHash('sha256').update(text).digest('hex'),
      first_at: (JSON.parse(events[0] ?? '') as { processed_at: string }).processed_at,
      last_at: (JSON.parse(events.at(-1) ?? '') as { processed_at: string }).processed_at,
    });
    expect(from).toBe((entries[index - 1]?.to ?? 0) + 1);
    expect(to - from + 1).toBe(events.length);
  }
}

test('each rest adds one segment, named by its numbers, and the manifest names all', async () => {
  const ids = await putSession(ports, aCall());
  await aTurn(ids);
  await keep(ids);
  ports.clock.ms += 60_000;
  await aTurn(ids);
  await keep(ids);
  const folder = `transcripts/${ids.session_id}/${ids.thread_id}`;
  expect(objectsOf(ids)).toEqual([
    `${folder}/000000000001-000000000004.jsonl`,
    `${folder}/000000000005-000000000008.jsonl`,
  ]);
  await checkWhole(ids);
  expect(manifestOf(ids)).toMatchObject({
    type: 'transcript',
    schema: 1,
    session_id: ids.session_id,
    agent: { id: 'agent_00000000000000000000000001', version: 3 },
  });
});

test('turns that nobody has kept are made good by the next, one segment each', async () => {
  const ids = await putSession(ports, aCall());
  await aTurn(ids);
  await aTurn(ids);
  await aTurn(ids);
  await keep(ids);
  expect(objectsOf(ids)).toHaveLength(3);
  await checkWhole(ids);
});

test('what the thread has not rested upon waits', async () => {
  const ids = await putSession(ports, aCall());
  await aTurn(ids);
  await append(ports, ids.thread_id, [aReply('still at work')]);
  await keep(ids);
  expect(objectsOf(ids).map(textOf).join('')).not.toContain('still at work');
  expect(objectsOf(ids)).toHaveLength(1);
});

test('a long turn is cut where a segment would pass 4 MiB, and a longer event stands alone', async () => {
  const ids = await putSession(ports, aCall());
  for (let n = 0; n < 5; n++) await append(ports, ids.thread_id, [aReply('é'.repeat(1_000_000))]);
  await append(ports, ids.thread_id, [aReply('x'.repeat(5_000_000))]);
  await aTurn(ids);
  await keep(ids);
  const sizes = objectsOf(ids).map((key) => ports.blobs.objects.get(key)?.length ?? 0);
  expect(sizes).toHaveLength(5);
  expect(sizes.filter((size) => size > 4_194_304)).toHaveLength(1);
  await checkWhole(ids);
});

test('a repeat writes the same bytes under the same names', async () => {
  const ids = await putSession(ports, aCall());
  await aTurn(ids);
  await keep(ids);
  const texts = () =>
    [...objectsOf(ids), `transcripts/${ids.session_id}/manifest.json`].map(textOf);
  const before = texts();
  await keep(ids);
  expect(texts()).toEqual(before);
  ports.blobs.objects.delete(`transcripts/${ids.session_id}/manifest.json`);
  await keep(ids);
  expect(texts()).toEqual(before);
});

/** The bucket, failing at the n-th write before or after it is done. */
function failing(n: number, when: 'before' | 'after'): Blobs {
  let writes = 0;
  const guard = async <T>(write: () => Promise<T>): Promise<T> => {
    writes += 1;
    if (writes === n && when === 'before') throw new Error('crash');
    const done = await write();
    if (writes === n) throw new Error('crash');
    return done;
  };
  return writing({
    put: async (key, body) => await guard(async () => await ports.blobs.put(key, body)),
    replace: async (...given) => await guard(async () => await ports.blobs.replace(...given)),
  });
}

test('whoever dies at any write leaves what the next one makes whole', async () => {
  let crashes = 0;
  for (let n = 1; n <= 4; n++) {
    for (const when of ['before', 'after'] as const) {
      const ids = await putSession(ports, aCall());
      await aTurn(ids);
      await aTurn(ids);
      const crashed = await keep(ids, { blobs: failing(n, when) }).then(
        () => false,
        () => true,
      );
      if (crashed) crashes += 1;
      await aTurn(ids);
      await keep(ids);
      expect(objectsOf(ids)).toHaveLength(3);
      await checkWhole(ids);
    }
  }
  // Two segments, one manifest: both sides of each.
  expect(crashes).toBe(6);
});

/** Another thread of the session, as delegation will make them. */
async function aChild({ session_id, thread_id }: Ids): Promise<Ids> {
  const child = { session_id, thread_id: newId('thread') };
  const head = await headOf(ports, thread_id);
  const put = { ...head, ...threadKey(child.thread_id), thread_id: child.thread_id, seq: 0 };
  await ports.table.transact([{ put }]);
  return child;
}

test('threads that rest at the same moment are all in the manifest, whoever writes it last', async () => {
  const primary = await putSession(ports, aCall());
  const children = await Promise.all(Array.from({ length: 8 }, async () => await aChild(primary)));
  await aTurn(primary);
  for (const child of children) {
    await append(ports, child.thread_id, [aReply('done'), childIdle(child.thread_id)]);
  }
  const slow = (ms: number) => ({
    blobs: writing({
      replace: async (...given) => {
        await new Promise((resolve) => setTimeout(resolve, ms));
        return await ports.blobs.replace(...given);
      },
    }),
  });
  const all = [primary, ...children];
  await Promise.all(all.map(async (ids, n) => await keep(ids, slow((n * 7) % 30))));
  expect(manifestOf(primary).threads.map(({ thread_id }) => thread_id)).toEqual(
    all.map(({ thread_id }) => thread_id).toSorted(),
  );
  for (const ids of all) await checkWhole(ids);
});

test('a slow writer of an old manifest does not leave it behind', async () => {
  const ids = await putSession(ports, aCall());
  await aTurn(ids);
  let overtaken = false;
  const blobs = writing({
    replace: async (...given) => {
      if (!overtaken) {
        overtaken = true;
        await aTurn(ids);
        await keep(ids);
      }
      return await ports.blobs.replace(...given);
    },
  });
  await keep(ids, { blobs });
  expect(overtaken).toBe(true);
  await checkWhole(ids);
});

test('a session that is deleted meanwhile gets no manifest any more', async () => {
  const ids = await putSession(ports, aCall());
  await aTurn(ids);
  await keep(ids);
  await aTurn(ids);
  const blobs = writing({
    replace: async (...given) => {
      await sweepSession(ports, ids.session_id, () => false);
      return await ports.blobs.replace(...given);
    },
  });
  await keep(ids, { blobs });
  const keys = [...ports.blobs.objects.keys()];
  expect(keys.filter((key) => key.includes(ids.session_id))).toEqual([]);
});

test('a warm function that wrote the events itself reads nothing', async () => {
  const ids = await putSession(ports, aCall());
  const store = { ...ports, observe: () => undefined };
  const patch = { status: 'running', run: 1 } as const;
  const writer = new Writer(store, { ...(await headOf(ports, ids.thread_id)), ...patch });
  const manifests = new ManifestCache();
  const refuse = async () => await Promise.reject(new Error('read'));
  const table = Object.assign(Object.create(ports.table) as Table, { query: refuse });
  for (let turn = 0; turn < 3; turn++) {
    await writer.append(() => ({ lines: [{ event: aReply('x'.repeat(turn * 40_000)) }] }));
    await writer.append(() => ({ lines: [{ event: aReply('b') }, { event: idle() }] }));
    await keep(ids, { table, blobs: writing({ getTagged: refuse }), manifests }, writer.written);
  }
  expect(objectsOf(ids)).toHaveLength(3);
  await checkWhole(ids);
});

test('what others wrote in between is read from the log', async () => {
  const ids = await putSession(ports, aCall());
  const store = { ...ports, observe: () => undefined };
  await aTurn(ids);
  const writer = new Writer(store, await headOf(ports, ids.thread_id));
  await writer.append(() => ({ lines: [{ event: aReply('mine') }] }));
  const head = await headOf(ports, ids.thread_id);
  await append(ports, ids.thread_id, [aReply('theirs')]);
  expect(writer.head.seq).toBe(head.seq);
  await writer.append(() => ({ lines: [{ event: idle() }] }));
  expect(writer.written).toHaveLength(1);
  await keep(ids, {}, writer.written);
  await checkWhole(ids);
});

test('what a warm function believes and is not so any more costs it one more look', async () => {
  const ids = await putSession(ports, aCall());
  const manifests = new ManifestCache();
  await aTurn(ids);
  await keep(ids, { manifests });
  await aTurn(ids);
  await keep(ids);
  await aTurn(ids);
  await keep(ids, { manifests });
  expect(objectsOf(ids)).toHaveLength(3);
  await checkWhole(ids);
});

test('a manifest that has expired takes nothing with it that has not', async () => {
  const ids = await putSession(ports, aCall());
  await aTurn(ids);
  await keep(ids);
  for (const key of ports.blobs.objects.keys()) {
    if (key.startsWith('transcripts/')) ports.blobs.objects.delete(key);
  }
  ports.clock.ms += 91 * 86_400_000;
  await aTurn(ids);
  await keep(ids, { transcript_days: 90 });
  expect(objectsOf(ids).map((key) => key.split('/').at(-1))).toEqual([
    '000000000005-000000000008.jsonl',
  ]);
});

test('a cache of manifests forgets the oldest', () => {
  const cache = new ManifestCache();
  const manifestWith = (session_id: string, count: number): Manifest => ({
    type: 'transcript',
    schema: 1,
    session_id,
    agent: { id: 'a', version: 1 },
    threads: [{ thread_id: 't', segments: Array.from({ length: count }) }],
  });
  const half = limits.manifests_segments_max / 2;
  for (const id of ['a', 'b', 'c']) cache.keep({ manifest: manifestWith(id, half - 1), tag: id });
  expect(['a', 'b', 'c'].map((id) => cache.take(id)?.tag)).toEqual([undefined, 'b', 'c']);
  expect(cache.take('c')).toBeUndefined();
});
