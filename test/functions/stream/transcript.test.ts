/**
 * The transcript over HTTP, while the session stands in the middle of its work. Method: the log is
 * appended as a step appends it, and read through the typed client.
 */
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId, primaryThreadId } from '#shared/core/id.ts';
import { ReverieClient } from '#shared/client/reverie-client.ts';
import { admin_key } from '../api/door.ts';
import { append, reply, startStreamRig, type StreamRig } from './rig.ts';

let rig: StreamRig;
let reverie: ReverieClient;

beforeAll(async () => {
  rig = await startStreamRig();
  const { baseURL } = rig.door;
  reverie = new ReverieClient(new Anthropic({ baseURL, apiKey: admin_key, maxRetries: 0 }));
});
afterAll(async () => await rig.door.stop());

/** What is larger than a row's share is an object; what follows shows that it did not stop there. */
const LARGE = 'é'.repeat(100_000);

async function aTalk(): Promise<string> {
  const id = await rig.aSession();
  await append(rig, id, [reply('first'), reply(LARGE)]);
  for (let n = 0; n < 20; n++) await append(rig, id, [reply(`${n} ${'x'.repeat(60_000)}`)]);
  await append(rig, id, [reply('# last\n```\nwords')]);
  return id;
}

test('as JSON Lines it has each event once, as the list has it, also in the middle of a turn', async () => {
  const id = await aTalk();
  const listed: unknown[] = [];
  for await (const event of rig.sessions.events.list(id)) listed.push(event);
  const response = await reverie.transcripts.read(id);
  expect(response.headers.get('content-type')).toBe('application/x-ndjson');
  const text = await response.text();
  expect(text.endsWith('\n')).toBe(true);
  const lines = text.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(listed);
  expect(lines).toHaveLength(23);
  const one = await reverie.transcripts.read(id, { thread_id: primaryThreadId(id) });
  expect(await one.text()).toBe(text);
});

test('as Markdown it names session and agent, and every word stands in it', async () => {
  const id = await aTalk();
  await rig.sessions.update(id, { title: 'A *talk*' });
  const response = await reverie.transcripts.read(id, { format: 'markdown' });
  expect(response.headers.get('content-type')).toBe('text/markdown; charset=utf-8');
  const text = await response.text();
  expect(text.split('\n')[0]).toBe(String.raw`# A \*talk\*`);
  expect(text).toContain(`Session \`${id}\`, idle`);
  expect(text).toContain(`## Ada (\`${primaryThreadId(id)}\`)`);
  expect(text).toContain(LARGE);
  expect(text).toContain('````markdown\n# last\n```\nwords\n````\n');
});

test('a session without events has an empty one', async () => {
  const id = await rig.aSession();
  expect(await (await reverie.transcripts.read(id)).text()).toBe('');
});

const refusals: [name: string, status: number, read: (id: string) => Promise<Response>][] = [
  ['unknown session', 404, () => reverie.transcripts.read(newId('session'))],
  ['unknown thread', 404, (id) => reverie.transcripts.read(id, { thread_id: newId('thread') })],
  ['malformed thread', 404, (id) => reverie.transcripts.read(id, { thread_id: 'x' })],
  [
    'thread of another session',
    404,
    async (id) =>
      await reverie.transcripts.read(id, { thread_id: primaryThreadId(await rig.aSession()) }),
  ],
  ['other format', 400, (id) => reverie.transcripts.read(id, { format: 'pdf' as 'jsonl' })],
];

test.each(refusals)('of an %s it is refused with %i', async (_, status, read) => {
  const id = await rig.aSession();
  await expect(read(id)).rejects.toMatchObject({ status });
});

test('a log that ends too early breaks the answer instead of ending it', async () => {
  const id = await aTalk();
  const pk = `THREAD#${primaryThreadId(id)}`;
  const { rows } = await rig.door.ports.table.query({ pk, from: 'E#', to: 'E#~', reverse: true });
  await rig.door.ports.table.deleteMany(rows.slice(0, 1));
  const text = reverie.transcripts.read(id).then((response) => response.text());
  await expect(text).rejects.toThrow('terminated');
});
