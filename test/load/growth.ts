import { randomBytes } from 'node:crypto';
import {
  BatchWriteItemCommand,
  DynamoDBClient,
  QueryCommand,
  type AttributeValue,
} from '@aws-sdk/client-dynamodb';
import type Anthropic from '@anthropic-ai/sdk';
import pLimit from 'p-limit';
import { newId, primaryThreadId } from '#shared/core/id.ts';
import { systemClock } from '#shared/core/clock.ts';
import { DynamoTable } from '#shared/core/table-dynamo.ts';
import { prepareAppend } from '#shared/threads/log.ts';
import { threadKey, type ThreadHead } from '#shared/threads/thread.ts';
import { newAgent, newEnvironment, newSession, OpenSession } from '../bench/sessions.ts';
import type { HostProcess } from '../bench/processes.ts';
import type { Result } from '../bench/result.ts';
import { MemoryBlobs } from '../memory-blobs.ts';
import { Timings } from './timings.ts';

const SAMPLES = 20;
const BATCH = 25;
const EVENTS_AT_ONCE = 200;

export interface GrowthOptions {
  /** Stored sessions at which is measured, growing. */
  readonly stored_sessions: readonly number[];
  /** Events of one session at which is measured, growing. */
  readonly stored_events: readonly number[];
  readonly progress: (sentence: string) => void;
}

/** How operations slow down with what is stored: that must not hang on the total. */
export async function growth(
  client: Anthropic,
  host: HostProcess,
  options: GrowthOptions,
): Promise<Result[]> {
  const [agent, environment] = [await newAgent(client), await newEnvironment(client)];
  const db = new DynamoDBClient(host.aws);
  try {
    return [
      ...(await bySessions({ client, host, db, agent, environment }, options)),
      ...(await byEvents({ client, host, db, agent, environment }, options)),
    ];
  } finally {
    db.destroy();
  }
}

interface Parts {
  readonly client: Anthropic;
  readonly host: HostProcess;
  readonly db: DynamoDBClient;
  readonly agent: string;
  readonly environment: string;
}

type Item = Record<string, AttributeValue>;

async function bySessions(parts: Parts, options: GrowthOptions): Promise<Result[]> {
  const { client, agent, environment } = parts;
  const results: Result[] = [];
  const pattern = await rowsOfSession(parts, await newSession(client, agent, environment));
  let stored = 1;
  for (const count of options.stored_sessions) {
    await copies(parts, pattern, count - stored, options.progress);
    stored = count;
    const timings = new Timings();
    const { sessions } = client.beta;
    const list = async (query: object) => sessions.list({ limit: 20, ...query });
    await list({});
    for (let n = 0; n < SAMPLES; n++) {
      const page = await timings.of('list', async () => list({}));
      await timings.of('list_of_agent', async () => list({ agent_id: agent }));
      await timings.of('list_page_2', async () => list({ page: page.next_page ?? undefined }));
      await timings.of('retrieve', async () => sessions.retrieve(page.data[0]?.id ?? ''));
    }
    const open = await OpenSession.open(client, agent, environment);
    for (let n = 0; n < SAMPLES / 2; n++) timings.add('turn', (await open.turn('hello')).idle_ms);
    open.close();
    results.push(...measured(`sessions_${count}`, timings, options));
  }
  return results;
}

/** The rows of one session, as they are stored. */
async function rowsOfSession({ db, host }: Parts, session_id: string): Promise<Item[]> {
  const keys = [`SESSION#${session_id}`, threadKey(primaryThreadId(session_id)).pk];
  const pages = await Promise.all(
    keys.map(async (pk) =>
      db.send(
        new QueryCommand({
          TableName: host.table_name,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': { S: pk } },
        }),
      ),
    ),
  );
  return pages.flatMap(({ Items = [] }) => Items);
}

/** The same session many times, under other ids: straight into the table. */
async function copies(
  { db, host }: Parts,
  pattern: readonly Item[],
  count: number,
  progress: (sentence: string) => void,
): Promise<void> {
  const id = /sesn_(\w+)/.exec(JSON.stringify(pattern))?.[1] ?? '';
  const text = JSON.stringify(pattern);
  // An id is a time and a random part; only the latter differs.
  const copy = (): Item[] => {
    const random = randomBytes(8).toString('hex').toUpperCase();
    return JSON.parse(text.replaceAll(id, `${id.slice(0, 10)}${random}`)) as Item[];
  };
  const atOnce = pLimit(4);
  const per_batch = Math.floor(BATCH / pattern.length);
  let done = 0;
  await Promise.all(
    Array.from({ length: Math.max(0, Math.ceil(count / per_batch)) }, async () =>
      atOnce(async () => {
        const items = Array.from({ length: per_batch }, copy).flat();
        const puts = items.map((Item) => ({ PutRequest: { Item } }));
        await db.send(new BatchWriteItemCommand({ RequestItems: { [host.table_name]: puts } }));
        done += per_batch;
        if (done % 6_000 < per_batch) progress(`${done} of ${count} sessions stored`);
      }),
    ),
  );
}

async function byEvents(parts: Parts, options: GrowthOptions): Promise<Result[]> {
  const { client, host, agent, environment } = parts;
  const table = new DynamoTable(host.table_name, host.aws);
  const results: Result[] = [];
  for (const count of options.stored_events) {
    const timings = new Timings();
    const session = await OpenSession.open(client, agent, environment);
    await fill(table, session.id, count);
    const { events } = client.beta.sessions;
    for (let n = 0; n < SAMPLES; n++) {
      await timings.of('list', async () => events.list(session.id, { limit: 100 }));
      await timings.of('list_newest', async () =>
        events.list(session.id, { limit: 100, order: 'desc' }),
      );
    }
    // The first step reads the log, as one does that is cold; the later ones know it.
    await session.turn('hello');
    for (let n = 0; n < SAMPLES / 2; n++) {
      timings.add('turn', (await session.turn('hello')).idle_ms);
    }
    session.close();
    results.push(...measured(`events_${count}`, timings, options));
  }
  return results;
}

/** Events of a session that say nothing to its model: what is measured is the log, not the context. */
async function fill(table: DynamoTable, session_id: string, count: number): Promise<void> {
  const ports = { blobs: new MemoryBlobs(), clock: systemClock };
  const thread_id = primaryThreadId(session_id);
  let head = (await table.get(threadKey(thread_id))) as ThreadHead;
  for (let done = 0; done < count; done += EVENTS_AT_ONCE) {
    const lines = Array.from({ length: Math.min(EVENTS_AT_ONCE, count - done) }, () => ({
      event: { id: newId('event'), type: 'agent.thinking' as const },
    }));
    // oxlint-disable-next-line no-await-in-loop -- each append follows the one before it
    const appended = await prepareAppend(ports, head, lines);
    // oxlint-disable-next-line no-await-in-loop -- as above
    await table.transact(appended.writes);
    head = appended.head;
  }
}

function measured(what: string, timings: Timings, { progress }: GrowthOptions): Result[] {
  const results = timings.results(what);
  progress(results.map(({ name, value }) => `${name} ${Math.round(value)}`).join(', '));
  return results;
}
