/**
 * A deployment works on a table that DynamoDB has restored to an earlier time, beside its own. Method: a
 * host works; its rows are copied at one moment, and it works on. Then the template that names a restored
 * table runs on the same folder, with those rows in it, as AWS makes them; what is missing is done by the
 * commands of the README.
 */
import { DynamoDBClient, BatchWriteItemCommand } from '@aws-sdk/client-dynamodb';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Assembly } from '../../infra/local/assembly.ts';
import type { Host } from '../../infra/local/host.ts';
import type { Template } from '../../infra/local/template/template.ts';
import type { Manifest } from '../../shared/transcripts/manifest.ts';
import { say } from '../model/replies.ts';
import { all, message, startRig, type Event, type Rig } from '../rig.ts';
import { ownClient } from '../upgrades/day.ts';
import type { StoredItem } from '../upgrades/fixture.ts';
import { itemsOf } from '../upgrades/record.ts';
import { synth } from './stack.ts';

const NAME = 'Reverie-restored';

/** What the CLI would deploy, and the table that AWS has made beside it. */
function restoredAssembly(): Assembly {
  const { template, outdir } = synth({ restored_table: NAME }, { bundled: true });
  const made = template as unknown as Template;
  const own = made.Resources['StorageTableB43FDCE7'];
  if (own === undefined) throw new Error('There is no table.');
  const Restored = { ...own, Properties: { ...own.Properties, TableName: NAME } };
  return {
    template: { ...made, Resources: { ...made.Resources, Restored } },
    asset: (key) => join(outdir, `asset.${key.replace(/\.zip$/, '')}`),
  };
}

async function fill({ aws }: Host, items: readonly StoredItem[]): Promise<void> {
  const db = new DynamoDBClient(aws);
  for (let at = 0; at < items.length; at += 25) {
    const puts = items.slice(at, at + 25).map((Item) => ({ PutRequest: { Item } }));
    // oxlint-disable-next-line no-await-in-loop -- a batch takes 25
    await db.send(new BatchWriteItemCommand({ RequestItems: { [NAME]: puts } }));
  }
  db.destroy();
}

/** Of the README: manifests that have been written since are put away, and made anew from the log. */
async function putManifestsAway({ aws, outputs }: Host, since: Date): Promise<void> {
  const s3 = new S3Client({ ...aws, forcePathStyle: true });
  const Bucket = String(outputs['BucketName']);
  const Prefix = 'transcripts/';
  const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket, Prefix }));
  const late = Versions.filter(
    ({ Key, IsLatest, LastModified }) =>
      IsLatest === true && Key?.endsWith('manifest.json') === true && Number(LastModified) > +since,
  );
  expect(late.length).toBeGreaterThan(0);
  await Promise.all(
    late.map(async ({ Key }) => await s3.send(new DeleteObjectCommand({ Bucket, Key }))),
  );
  s3.destroy();
}

let folder: string;
let rig: Rig;
let session_id: string;
let memory_store_id: string;
let revoked: string;
let schedule_id: string;
let then: Date;
let log_then: Event[];
let left: StoredItem[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reverie-restore-'));
  const first = await startRig({ data_dir: folder });
  first.model.otherwise(() => say('Noted.'));
  const own = ownClient(first);
  session_id = await first.session();
  await first.send(session_id, message('One.'));
  await first.rested(session_id);
  ({ id: memory_store_id } = await first.client.beta.memoryStores.create({ name: 'notes' }));
  const { memories } = first.client.beta.memoryStores;
  const kept = await memories.create(memory_store_id, { path: '/a.md', content: 'before' });
  schedule_id = (
    await own.dreamSchedules.create({
      name: 'nightly',
      schedule: { type: 'cron', expression: '0 3 * * *', timezone: 'UTC' },
      memory_store_id,
      model: 'claude-sonnet-5-5',
      // Nobody's sessions: its runs ask no model.
      sessions: { agent_id: await first.agent() },
    })
  ).id;
  const key = await own.apiKeys.create({ name: 'leaked', scopes: ['read'] });
  revoked = key.secret ?? '';
  log_then = await first.events(session_id);
  const items = await itemsOf(first.host);
  then = first.host.clock.now();

  // All that comes now is what the restored table knows nothing of.
  for (const [at, text] of ['Two.', 'Three.', 'Four.'].entries()) {
    // oxlint-disable-next-line no-await-in-loop -- one turn after the other
    await first.send(session_id, message(text));
    // oxlint-disable-next-line no-await-in-loop -- as above
    await first.rested(session_id, at + 2);
  }
  await memories.update(kept.id, { memory_store_id, content: 'after' });
  await own.apiKeys.revoke(key.id);
  const hourly = { type: 'cron', expression: '30 * * * *', timezone: 'UTC' } as const;
  await own.dreamSchedules.update(schedule_id, { schedule: hourly });
  await first.session();
  left = await itemsOf(first.host);
  await first.close();

  rig = await startRig({ data_dir: folder, assembly: restoredAssembly() });
  rig.model.otherwise(() => say('Noted again.'));
  await fill(rig.host, items);
  await putManifestsAway(rig.host, then);
}, 120_000);
afterAll(async () => {
  await rig.close();
  await rm(folder, { recursive: true, force: true });
});

test('everything reads as it was then', async () => {
  const { sessions, memoryStores } = rig.client.beta;
  const found = [];
  for await (const { id } of sessions.list()) found.push(id);
  expect(found).toEqual([session_id]);
  expect(await rig.events(session_id)).toEqual(log_then);
  const { data } = await memoryStores.memories.list(memory_store_id, { view: 'full' });
  expect(data).toMatchObject([{ path: '/a.md', content: 'before' }]);
});

test('a session goes on from there, and its transcript in the bucket says what came of it', async () => {
  await rig.send(session_id, message('Another two.'));
  const events = await rig.rested(session_id, 2);
  expect(all(events, 'agent.message').length).toBe(2);
  // It is written behind the rest.
  await expect.poll(keptLines).toEqual(events.map(({ id }) => id));
});

test('a key that was revoked meanwhile is good again, as the README warns', async () => {
  const headers = { 'x-api-key': revoked, 'anthropic-beta': 'managed-agents-2026-04-01' };
  const { status } = await fetch(`${rig.host.base_url}/v1/agents`, { headers });
  expect(status).toBe(200);
});

test('a schedule brings its timers up to what it was then', async () => {
  const { schedule } = await ownClient(rig).dreamSchedules.retrieve(schedule_id);
  expect(schedule.expression).toBe('0 3 * * *');
  const timer = async (): Promise<unknown> => {
    const kept = JSON.parse(await readFile(join(folder, 'schedules.json'), 'utf8')) as Record<
      string,
      { ScheduleExpression: string }
    >;
    return kept[`Reverie-dreams/${schedule_id}`]?.ScheduleExpression;
  };
  expect(await timer()).toBe('cron(30 * * * ? *)');
  // The timer that is there calls, and is told of.
  await rig.host.advance(3_600_000);
  await expect.poll(timer).toBe('cron(0 3 * * ? *)');
});

test('the stack’s own table has what it had', async () => {
  const outputs = { ...rig.host.outputs, TableName: 'StorageTableB43FDCE7' };
  expect(await itemsOf({ ...rig.host, outputs })).toEqual(left);
});

/** The ids of the events that the primary thread's segments hold, as the manifest names them. */
async function keptLines(): Promise<string[]> {
  const s3 = new S3Client({ ...rig.host.aws, forcePathStyle: true });
  const objectAt = async (key: string): Promise<string> => {
    const Key = `transcripts/${session_id}/${key}`;
    const { Body } = await s3.send(
      new GetObjectCommand({ Bucket: String(rig.host.outputs['BucketName']), Key }),
    );
    return (await Body?.transformToString()) ?? '';
  };
  const { threads } = JSON.parse(await objectAt('manifest.json')) as Manifest;
  const segments = threads[0]?.segments ?? [];
  const texts = await Promise.all(segments.map(async ({ key }) => await objectAt(key)));
  s3.destroy();
  const lines = texts.join('').trimEnd().split('\n');
  return lines.map((line) => (JSON.parse(line) as Event).id);
}
