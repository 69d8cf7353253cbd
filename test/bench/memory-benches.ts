import type Anthropic from '@anthropic-ai/sdk';
import pLimit from 'p-limit';
import { ReverieClient } from '#shared/client/reverie-client.ts';
import { median, samples, timed } from './measure.ts';
import { latency, type Result } from './result.ts';
import { newAgent, newEnvironment } from './sessions.ts';

const MEMORIES = 2_000;
const LISTED = 1_000;
const WORDS = ['deploy', 'rollback', 'queue', 'invoice', 'customer', 'schema', 'retry', 'cache'];

/** Memory stores: one request after the other, then whole stores of 2,000 memories. */
export async function benchMemory(client: Anthropic): Promise<Result[]> {
  const { memories } = client.beta.memoryStores;
  const { id } = await client.beta.memoryStores.create({ name: 'bench' });
  const ids: string[] = [];
  const create = async (n: number): Promise<void> => {
    ids.push((await memories.create(id, memoryOf(n))).id);
  };
  const created = await samples(100, async (n) => await create(n + 50));
  const retrieved = await samples(100, async (n) => {
    const memory_id = ids[(n + 50) % ids.length] ?? '';
    await memories.retrieve(memory_id, { memory_store_id: id });
  });
  await fill(create, ids.length, LISTED);
  const list = async (view: 'basic' | 'full') =>
    await timed(async () => await listAll(client, id, view));
  const basic_ms = await list('basic');
  const full_ms = await list('full');
  await fill(create, ids.length, MEMORIES);
  return [
    ...latency('memory_create', created),
    ...latency('memory_retrieve', retrieved),
    { name: 'memory_list_1000_ms', value: basic_ms, unit: 'ms' },
    { name: 'memory_list_1000_full_ms', value: full_ms, unit: 'ms' },
    ...(await benchSearch(client, id)),
    ...(await benchArchive(client, id)),
    ...(await benchMount(client, id)),
  ];
}

/** Some 2 kB each, in 40 folders. */
function memoryOf(n: number): { readonly path: string; readonly content: string } {
  const words = Array.from(
    { length: 300 },
    (_, k) => `${WORDS[(n * 7 + k * k) % 8]}${(n * k) % 97}`,
  );
  return { path: `/folder-${n % 40}/memory-${n}.md`, content: `${words.join(' ')}\n` };
}

async function fill(create: (n: number) => Promise<void>, from: number, to: number): Promise<void> {
  const atOnce = pLimit(8);
  let done = from;
  await Promise.all(
    Array.from({ length: to - from }, (_, n) =>
      atOnce(async () => {
        await create(from + n);
        done += 1;
        if (done % 250 === 0) console.error(`  ${done} of ${to} memories`);
      }),
    ),
  );
}

async function listAll(client: Anthropic, id: string, view: 'basic' | 'full'): Promise<void> {
  let count = 0;
  for await (const item of client.beta.memoryStores.memories.list(id, { view, limit: 100 })) {
    count += Number(item.type === 'memory');
  }
  if (count !== LISTED) throw new Error(`${count} memories were listed`);
}

async function benchSearch(client: Anthropic, id: string): Promise<Result[]> {
  const own = new ReverieClient(client).memoryStores;
  const search = async (n: number): Promise<void> => {
    const { data } = await own.search(id, { query: `rollback ${WORDS[Math.abs(n) % 8]}` });
    if (data.length === 0) throw new Error('nothing was found');
  };
  const cold_ms = await timed(async () => await search(0));
  const warm = await samples(30, search, 10);
  return [
    { name: 'memory_search_2000_cold_ms', value: cold_ms, unit: 'ms', target: { at_most: 15_000 } },
    ...latency('memory_search_2000', warm).slice(0, 2),
  ];
}

async function benchArchive(client: Anthropic, id: string): Promise<Result[]> {
  const own = new ReverieClient(client).memoryStores;
  const chunks: Uint8Array[] = [];
  let shown = 0;
  const export_ms = await timed(async () => {
    const onProgress = (bytes: number): void => {
      if (bytes - shown < 1_000_000) return;
      shown = bytes;
      console.error(`  ${Math.round(bytes / 1_000)} kB exported`);
    };
    for await (const chunk of own.export(id, { onProgress })) chunks.push(chunk);
  });
  const file = await uploaded(client, Buffer.concat(chunks));
  const import_ms = await timed(async () => {
    const onProgress = (at: { readonly done_count: number; readonly total_count: number }): void =>
      console.error(`  ${at.done_count} of ${at.total_count} versions imported`);
    await own.import({ file_id: file }, { onProgress });
  });
  return [
    { name: 'memory_export_2000_ms', value: export_ms, unit: 'ms' },
    { name: 'memory_import_2000_ms', value: import_ms, unit: 'ms' },
  ];
}

/** The archive is larger than what a form takes. */
async function uploaded(client: Anthropic, bytes: Uint8Array): Promise<string> {
  const { id } = await new ReverieClient(client).files.upload(bytes, { filename: 'store.tar' });
  return id;
}

const MOUNTS = 9;

/** From the message to the first tool call, and to its result, in a session that has the store. */
async function benchMount(client: Anthropic, memory_store_id: string): Promise<Result[]> {
  const [agent, environment_id] = [await newAgent(client), await newEnvironment(client)];
  const calls_ms: number[] = [];
  const results_ms: number[] = [];
  for (let n = 0; n < MOUNTS; n += 1) {
    const resources = [{ type: 'memory_store', memory_store_id } as const];
    const session = await client.beta.sessions.create({ agent, environment_id, resources });
    const stream = await client.beta.sessions.events.stream(session.id);
    const started = performance.now();
    const content = [{ type: 'text', text: 'rounds=1' } as const];
    await client.beta.sessions.events.send(session.id, {
      events: [{ type: 'user.message', content }],
    });
    for await (const event of stream) {
      if (event.type === 'agent.tool_use') calls_ms.push(performance.now() - started);
      if (event.type === 'agent.tool_result') results_ms.push(performance.now() - started);
      if (event.type === 'session.status_idle') break;
    }
  }
  return [
    {
      name: 'memory_mount_2000_call_ms',
      value: median(calls_ms),
      unit: 'ms',
      target: { at_most: 500 },
    },
    { name: 'memory_mount_2000_result_ms', value: median(results_ms), unit: 'ms' },
  ];
}
