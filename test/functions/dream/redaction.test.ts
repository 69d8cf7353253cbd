/** That dreams forget, on the local host, by the roles of the template and the reconcile function. */
import Anthropic from '@anthropic-ai/sdk';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ReverieClient } from '#shared/client/reverie-client.ts';
import { REDACTED } from '#shared/dreams/redacted.ts';
import { startDreamRig, type DreamRig } from './rig.ts';

let rig: DreamRig;
let own: ReverieClient['dreams'];
beforeAll(async () => {
  rig = await startDreamRig();
  const { baseURL, apiKey } = rig.client;
  own = new ReverieClient(new Anthropic({ baseURL, apiKey, maxRetries: 0 })).dreams;
});
afterAll(async () => await rig.close());

async function everything(id: string): Promise<string> {
  const markdown = await (await own.reportMarkdown(id)).text();
  return JSON.stringify([await own.report(id), markdown, await own.changes(id)]);
}

/** Names of the dream's objects. */
async function objectsOf(id: string): Promise<string[]> {
  const Bucket = String(rig.host.outputs['BucketName']);
  const Prefix = `dreams/${id}/`;
  const list = new ListObjectsV2Command({ Bucket, Prefix });
  const { Contents = [] } = await new S3Client(rig.host.aws).send(list);
  return Contents.map(({ Key = '' }) => Key.slice(Prefix.length));
}

test('a redacted version is gone from a dream with the answer, a deleted session within minutes', async () => {
  const { memories, memoryVersions } = rig.client.beta.memoryStores;
  const store_id = await rig.store({ '/other.md': 'Kept.\n' });
  const path = '/notes/ports.md';
  const content = 'ports: the staging port is 8080 of harbour-house.\n';
  const made = await memories.create(store_id, { path, content });
  const session_id = await rig.talk('LESSON about ports: the staging port is 8443.');
  await rig.client.beta.sessions.update(session_id, { title: 'Of Ada' });
  const { id } = await rig.dream(store_id, [session_id]);
  const { outputs } = await rig.settled(id);
  // It gives back what it holds after its session is archived.
  await rig.host.invoke('reconcile', { min_age_seconds: 0 });
  expect(await everything(id)).toContain('harbour-house');
  const copied = await rig.texts(outputs[0]?.memory_store_id ?? '');

  const place = { memory_store_id: store_id };
  await memories.update(made.id, { ...place, content: 'ports: none.\n' });
  await memoryVersions.redact(made.memory_version_id, place);
  const after = await everything(id);
  expect(after).not.toContain('harbour-house');
  expect(after).not.toContain(path);
  expect(after).toContain(REDACTED);
  // What it had worked with says what it has read, so nothing of it is left.
  expect(await objectsOf(id)).toEqual([
    'left-out.json',
    'report.json',
    'report.md',
    'sessions.json',
    'snapshot.json',
    'verified.json',
  ]);
  // A copy that it has made is a store of its own.
  expect(await rig.texts(outputs[0]?.memory_store_id ?? '')).toEqual(copied);

  expect(after).toContain('Of Ada');
  await rig.client.beta.sessions.delete(session_id);
  await rig.host.invoke('reconcile', { min_age_seconds: 0 });
  const last = await own.report(id);
  expect(last.sessions).toEqual([{ session_id, title: null }]);
  expect(last.operations.flatMap(({ evidence }) => evidence.map(({ quote }) => quote))).toEqual([
    REDACTED,
  ]);
});
