/**
 * Transcripts of real turns on the local host: written behind each rest, never in the client's way,
 * gone with their session. Method: the bucket and the table are read with the host's own rights.
 */
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { ListObjectVersionsCommand, S3Client } from '@aws-sdk/client-s3';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { S3Blobs } from '#shared/core/blobs-s3.ts';
import { transcriptPrefix } from '#shared/transcripts/segment.ts';
import { AwsError } from '../../../infra/local/aws-error.ts';
import { call, fail, say } from '../../model/replies.ts';
import { message, startRig, type Event, type Rig } from '../../rig.ts';

let rig: Rig;
let s3: S3Client;
let blobs: S3Blobs;
let s3_is_away = false;

beforeAll(async () => {
  rig = await startRig({
    hooks: {
      before: ({ service, action, function_name }) => {
        const lost = s3_is_away && service === 's3' && function_name === 'step';
        if (lost && action === 'PutObject') throw new AwsError('AccessDenied', 'away', 403);
      },
    },
  });
  s3 = new S3Client(rig.host.aws);
  blobs = new S3Blobs(String(rig.host.outputs['BucketName']), rig.host.aws);
});
afterAll(async () => await rig.close());

async function segmentsOf(session_id: string, count: number): Promise<string[]> {
  for (let look = 0; look < 500; look++) {
    const keys: string[] = [];
    for await (const key of blobs.list(transcriptPrefix(session_id))) keys.push(key);
    const segments = keys.filter((key) => key.endsWith('.jsonl')).toSorted();
    if (segments.length === count && keys.length === count + 1) {
      const bodies = await Promise.all(segments.map(async (key) => await blobs.get(key)));
      return bodies.map((body) => Buffer.from(body).toString('utf8'));
    }
    await sleep(10);
  }
  throw new Error(`${session_id} never had ${count} segments`);
}

function linesOf(events: readonly Event[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join('');
}

test('each end of a turn is a segment: a wait for the client, an error, the end', async () => {
  rig.model.onTurns('ask', call('write', { file_path: '/mnt/session/outputs/a', content: 'a' }));
  rig.model.onTurns('break', fail(400));
  const id = await rig.session({
    tools: [
      {
        type: 'agent_toolset_20260401',
        configs: [{ name: 'write', permission_policy: { type: 'always_ask' } }],
      },
    ],
  });
  await rig.send(id, message('ask'));
  const asked = await rig.rested(id);
  expect((await segmentsOf(id, 1)).join('')).toBe(linesOf(asked));
  await rig.send(id, { type: 'user.interrupt' });
  // This one needs no step, so it comes with the next.
  await rig.rested(id, 2);
  await rig.send(id, message('break'));
  const events = await rig.rested(id, 3);
  expect(events.at(-1)?.type).toBe('session.status_terminated');
  expect((await segmentsOf(id, 3)).join('')).toBe(linesOf(events));
});

test('a bucket that is away fails no turn, and the next one makes it good', async () => {
  rig.model.onTurns('hello', say('Hello.'));
  const id = await rig.session();
  s3_is_away = true;
  await rig.send(id, message('hello'));
  const first = await rig.rested(id).finally(() => (s3_is_away = false));
  expect(first.at(-1)).toMatchObject({ stop_reason: { type: 'end_turn' } });
  await rig.send(id, message('hello'));
  const events = await rig.rested(id, 2);
  expect((await segmentsOf(id, 2)).join('')).toBe(linesOf(events));
});

test('a deleted session leaves nothing, also where its transcript was just being written', async () => {
  rig.model.onTurns('hello', say('Hello.'));
  const ids = await Promise.all(Array.from({ length: 4 }, async () => await rig.session()));
  await Promise.all(
    ids.map(async (id) => {
      await rig.send(id, message('hello'));
      await rig.rested(id);
      await rig.client.beta.sessions.delete(id);
    }),
  );
  await rig.host.advance(180_000);
  for (let look = 0; look < 300 && (await left(ids)).length > 0; look++) await sleep(20);
  expect(await left(ids)).toEqual([]);
});

/** Every row and every version of an object whose key has the id of one of these sessions. */
async function left(ids: readonly string[]): Promise<string[]> {
  const bodies = ids.map((id) => id.slice('sesn_'.length));
  const { Items = [] } = await new DynamoDBClient(rig.host.aws).send(
    new ScanCommand({ TableName: String(rig.host.outputs['TableName']) }),
  );
  const rows = Items.map(({ pk, sk }) => `${pk?.S} ${sk?.S}`);
  const { Versions = [], DeleteMarkers = [] } = await s3.send(
    new ListObjectVersionsCommand({ Bucket: String(rig.host.outputs['BucketName']) }),
  );
  const keys = [...Versions, ...DeleteMarkers].map(({ Key }) => String(Key));
  return [...rows, ...keys].filter((name) => bodies.some((body) => name.includes(body)));
}
