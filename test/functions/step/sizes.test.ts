/** Which of the two sizes of the step works on a thread: seen in what the host has counted. */
import { toFile } from '@anthropic-ai/sdk';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { limits } from '#shared/core/limits.ts';
import type { ModelRequest } from '../../model/model.ts';
import { costing, fail, say, stall, type Reply } from '../../model/replies.ts';
import { all, message, only, startRig, type Rig } from '../../rig.ts';
import { childrenOf, startAll, teamSession } from './team-rig.ts';

const png = Buffer.from('89504e470d0a1a0a', 'hex');

let rig: Rig;
let before = 0;
beforeAll(async () => {
  // By the double's measure a picture has as many tokens as its base64.
  rig = await startRig({}, { window_tokens: 100_000_000 });
});
beforeEach(() => {
  before = 0;
  before = largeSteps();
});
afterAll(async () => {
  expect(rig.model.violations).toEqual([]);
  expect(rig.checked.violations).toEqual([]);
  await rig.close();
});

/** How often the large step has run in this test: an invocation is counted when it ends, a little after its session rests. */
function largeSteps(): number {
  return (rig.host.counters().functions['steplarge']?.invocations ?? 0) - before;
}

const begins =
  (words: string) =>
  ({ body }: ModelRequest): boolean =>
    JSON.stringify(body.messages[0]).includes(words);

/** Of a conversation that the model finds short: nothing is compacted. */
const small = (said: Reply): Reply =>
  costing(
    { input_tokens: 1_000, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 },
    said,
  );

/** Whether the model has been asked by a thread that begins with these words. */
const asked = (words: string): boolean => rig.model.requests.some(begins(words));

test('where the step dies the large one goes on with the turn, and has the next ones too', async () => {
  rig.model.on('dies', stall(), say('done'), fail(529), say('done again'));
  const id = await rig.session();
  await rig.send(id, message('dies'));
  await expect.poll(() => asked('dies')).toBe(true);
  expect(largeSteps()).toBe(0);
  await rig.host.kill('step');
  const events = await rig.rested(id);
  expect(all(events, 'agent.message')).toHaveLength(1);
  expect(all(events, 'session.error')).toEqual([]);
  await expect.poll(largeSteps).toBe(1);
  await rig.send(id, message('again'));
  expect(all(await rig.rested(id, 2), 'agent.message')).toHaveLength(2);
  // Also behind the wait for a model that was overloaded.
  await expect.poll(largeSteps).toBe(3);
});

test('a child whose step has died goes on in the large one, and its report comes', async () => {
  rig.model.on('lead', startAll('Worker', ['dying child']), say('I wait.'), say('All is done.'));
  rig.model.on('dying child', stall(), say('my report'));
  const id = await teamSession(rig);
  await rig.send(id, message('lead'));
  await expect.poll(() => asked('dying child')).toBe(true);
  await rig.until(id, (events) => all(events, 'agent.message').length === 1);
  await rig.host.kill('step');
  const events = await rig.until(id, (now) => all(now, 'agent.message').length === 2);
  expect(JSON.stringify(events)).toContain('my report');
  await expect.poll(largeSteps).toBe(1);
  const [child] = await childrenOf(rig, id);
  expect(child).toMatchObject({ status: 'idle' });
});

test('a conversation that has grown too long for the step is taken over before it is asked about', async () => {
  rig.model.on(begins('grows'), small(say('one')), small(say('two')), small(say('three')));
  const id = await rig.session();
  // A picture is many characters and few tokens: nothing is compacted.
  const bytes = Buffer.concat([png, Buffer.alloc(limits.step_context_chars_max / 4)]);
  const data = bytes.toString('base64');
  const picture = {
    type: 'image' as const,
    source: { type: 'base64' as const, media_type: 'image/png', data },
  };
  const sent = {
    type: 'user.message' as const,
    content: [{ type: 'text' as const, text: 'grows' }, picture],
  };
  for (const turn of [1, 2]) {
    await rig.send(id, sent);
    await rig.rested(id, turn);
  }
  expect(largeSteps()).toBe(0);
  await rig.send(id, sent);
  const events = await rig.rested(id, 3);
  await expect.poll(largeSteps).toBe(1);
  expect(all(events, 'agent.message')).toHaveLength(3);
  // Nobody has asked twice for one answer.
  expect(all(events, 'span.model_request_start')).toHaveLength(3);
});

test('files that are too much for the step are shown by the large one', async () => {
  rig.model.on(begins('scanned'), small(say('seen')));
  const half = Buffer.alloc(limits.step_source_bytes_max / 2 + 1, '%PDF-1.7 ');
  const [one, two] = [await scan(half), await scan(half)];
  const id = await rig.session();
  const text = { type: 'text' as const, text: 'scanned' };
  await rig.send(id, { type: 'user.message', content: [text, one, two] });
  const events = await rig.rested(id);
  expect(only(events, 'agent.message').content).toMatchObject([{ text: 'seen' }]);
  expect(only(events, 'span.model_request_end').is_error).toBe(false);
  await expect.poll(largeSteps).toBe(1);
});

async function scan(bytes: Buffer) {
  const file = await toFile(bytes, 'scan.pdf', { type: 'application/pdf' });
  const { id: file_id } = await rig.client.beta.files.upload({ file });
  return { type: 'document' as const, source: { type: 'file' as const, file_id } };
}
