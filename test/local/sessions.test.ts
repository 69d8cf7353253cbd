/**
 * Sessions as they are deployed: the template's own functions, with their own permissions, through
 * the official SDK. What needs a grant is done here once, so that a missing one fails.
 */
import type Anthropic from '@anthropic-ai/sdk';
import {
  DynamoDBClient,
  GetItemCommand,
  ListTablesCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { primaryThreadId } from '#shared/core/id.ts';
import { startHost, type Host } from '../../infra/local/host.ts';
import { checkedClient } from '../wire/checked-client.ts';

let host: Host;
let data_dir: string;
let client: Anthropic;
let sessions: Anthropic['beta']['sessions'];
let agent: string;
let environment_id: string;

beforeAll(async () => {
  data_dir = await mkdtemp(join(tmpdir(), 'reverie-sessions-'));
  host = await startHost({ data_dir, admin_key: 'local-key' });
  ({ client } = checkedClient(host.base_url, 'local-key'));
  ({ sessions } = client.beta);
  agent = (await client.beta.agents.create({ name: 'Ada', model: 'claude-opus-5-5' })).id;
  environment_id = (await client.beta.environments.create({ name: 'here' })).id;
});

afterAll(async () => {
  await host.stop();
  await rm(data_dir, { recursive: true, force: true });
});

async function until<T>(read: () => Promise<T>, done: (value: T) => boolean): Promise<T> {
  let value = await read();
  await expect
    .poll(
      async () => {
        value = await read();
        return done(value);
      },
      { timeout: 20_000 },
    )
    .toBe(true);
  return value;
}

const idle = async (id: string) =>
  await until(
    async () => await sessions.retrieve(id),
    ({ status }) => status === 'idle',
  );

const says = (text: string) => [
  { type: 'user.message' as const, content: [{ type: 'text' as const, text }] },
];

test('a session lives: created with an event, streamed, changed, listed, archived, deleted', async () => {
  const session = await sessions.create({
    agent,
    environment_id,
    budget: { type: 'limit', max_list_cost: { amount: '5000', currency: 'USD' } },
    initial_events: says('hello'),
  });
  await idle(session.id);
  const stream = await sessions.events.stream(session.id, {
    event_deltas: ['agent.message', 'agent.thinking'],
  });
  const frames: string[] = [];
  const reading = (async () => {
    for await (const frame of stream) frames.push(frame.type);
  })();
  // Larger than a row: it goes through the bucket, in and out.
  await sessions.events.send(session.id, { events: says('x'.repeat(200_000)) });
  await until(
    async () => await Promise.resolve(frames),
    (seen) => seen.includes('session.status_idle'),
  );
  expect(frames).toContain('event_start');
  await sessions.update(session.id, { title: 'Life' });
  const found = await sessions.list({ agent_id: agent, statuses: ['idle'] });
  expect(found.data.map(({ id, title }) => [id, title])).toEqual([[session.id, 'Life']]);
  const thread = await sessions.threads.retrieve(primaryThreadId(session.id), {
    session_id: session.id,
  });
  expect(thread.usage?.output_tokens).toBeGreaterThan(0);
  await sessions.archive(session.id);
  await reading;
  expect(frames.at(-1)).toBe('session.status_terminated');
  expect(await sessions.delete(session.id)).toMatchObject({ id: session.id });
  await expect(sessions.retrieve(session.id)).rejects.toThrow(/404/);
});

test('a run that was never started is found by reconcile, and finishes', async () => {
  const session = await sessions.create({ agent, environment_id });
  const { table, TableName } = await openTable();
  const place = `2026-01-01T00:00:00.000Z#${session.id}`;
  const running = {
    ':running': { S: 'running' },
    ':since': { S: '2026-01-01T00:00:00.000Z' },
    ':run': { N: '7' },
  };
  // As a POST leaves it whose StartExecution was lost.
  await table.send(
    new UpdateItemCommand({
      TableName,
      Key: { pk: { S: `SESSION#${session.id}` }, sk: { S: 'HEAD' } },
      UpdateExpression:
        'SET #status = :running, updated_at = :since, run = :run, gsi2pk = :index, gsi2sk = :place',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: { ...running, ':index': { S: 'RUNNING' }, ':place': { S: place } },
    }),
  );
  await table.send(
    new UpdateItemCommand({
      TableName,
      Key: { pk: { S: `THREAD#${primaryThreadId(session.id)}` }, sk: { S: 'HEAD' } },
      UpdateExpression: 'SET #status = :running, running_since = :since, run = :run',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: running,
    }),
  );
  const done = await host.invoke('reconcile', { min_age_seconds: 60 });
  expect(done).toMatchObject({ restarted: 1, complete: true });
  await expect.poll(reconcileLog).toContain('"RestartedSessions":1');
  await idle(session.id);
  await sessions.delete(session.id);
});

test('a deletion that was cut short is swept by reconcile', async () => {
  const session = await sessions.create({ agent, environment_id });
  const { table, TableName } = await openTable();
  await table.send(
    new UpdateItemCommand({
      TableName,
      Key: { pk: { S: `SESSION#${session.id}` }, sk: { S: 'HEAD' } },
      UpdateExpression: 'SET deleted_at = :at, gsi2pk = :index, gsi2sk = :place',
      ExpressionAttributeValues: {
        ':at': { S: '2026-01-01T00:00:00.000Z' },
        ':index': { S: 'DELETED' },
        ':place': { S: `2026-01-01T00:00:00.000Z#${session.id}` },
      },
    }),
  );
  await expect(sessions.retrieve(session.id)).rejects.toThrow(/404/);
  const measured = async () => (await reconcileLog()).split('"CloudWatchMetrics"').length;
  const before = await measured();
  const done = await host.invoke('reconcile', { min_age_seconds: 60 });
  expect(done).toMatchObject({ swept: 1, complete: true });
  // A run that restarts nothing sends no metric: one that comes every minute is billed all month.
  await expect.poll(reconcileLog).toContain('"swept":1');
  expect(await measured()).toBe(before);
  const Key = { pk: { S: `SESSION#${session.id}` }, sk: { S: 'HEAD' } };
  expect((await table.send(new GetItemCommand({ TableName, Key }))).Item).toBeUndefined();
});

async function reconcileLog(): Promise<string> {
  return await readFile(join(host.logs, 'reconcile.log'), 'utf8');
}

/** The one table of the stack, seen by the administrator. */
async function openTable(): Promise<{ table: DynamoDBClient; TableName: string }> {
  const { endpoint, region, credentials } = host.aws;
  const table = new DynamoDBClient({ endpoint, region, credentials });
  const { TableNames = [] } = await table.send(new ListTablesCommand({}));
  return { table, TableName: TableNames[0] ?? '' };
}
