/** The port of batches over real HTTP, against the batches of the scripted model. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { BatchedAnswer } from '#shared/models/batches.ts';
import { openBatches } from '#shared/models/open-model.ts';
import { startModel, type ScriptedModel } from '../../model/model.ts';
import { answer, fail, say } from '../../model/replies.ts';
import { aRequest, FakeSecrets, never } from './samples.ts';

let server: ScriptedModel;
beforeAll(async () => void (server = await startModel()));
afterAll(async () => await server.close());
beforeEach(() => {
  for (const name of ['polls', 'result', 'results_host'] as const)
    delete server.batches.options[name];
});

function batchesWith(...secrets: readonly object[]) {
  const batches = openBatches({
    provider: 'anthropic',
    secrets: new FakeSecrets(...secrets.map((secret) => ({ base_url: server.url, ...secret }))),
    secret_arn: 'arn',
    model_ids: {},
    stall_ms: 5_000,
  });
  if (batches === undefined) throw new Error('it has batches');
  return batches;
}

const asked = (text: string) =>
  aRequest({ purpose: 'dream', messages: [{ role: 'user', content: text }] });

async function all(answers: AsyncIterable<BatchedAnswer>): Promise<Map<string, BatchedAnswer>> {
  const read: BatchedAnswer[] = [];
  for await (const each of answers) read.push(each);
  return new Map(read.map((each) => [each.custom_id, each]));
}

test('requests go out as single ones do, not streamed, and each answer finds its own', async () => {
  const batches = batchesWith({ api_key: 'k' });
  server.on('first', answer({ n: 1 })).on('second', say('two'));
  server.batches.options.polls = 1;
  const model = { id: 'claude-opus-5-5', effort: { type: 'high' }, speed: 'standard' } as const;
  const requests = [
    { custom_id: 'a_1', request: { ...asked('first'), model } },
    { custom_id: 'b-2', request: asked('second') },
  ];
  const { batch_id, is_ended } = await batches.submit(requests, never());
  expect(is_ended).toBe(false);
  expect(await batches.state(batch_id, never())).toEqual({ batch_id, is_ended: false });
  expect(await batches.state(batch_id, never())).toEqual({ batch_id, is_ended: true });
  const answers = await all(batches.answers(batch_id, never()));
  expect([...answers.keys()]).toEqual(['b-2', 'a_1']);
  expect(answers.get('a_1')).toMatchObject({
    reply: { is_batched: true, content: [{ text: '{"n":1}' }], usage: { output_tokens: 13 } },
  });
  const sent = server.requests.slice(-2);
  for (const { body, headers } of sent) {
    expect(body.stream).toBe(false);
    expect(body).not.toHaveProperty('betas');
    // What one of them needs stands in the one header of all.
    expect(headers['anthropic-beta']).toContain('thinking-binding-controls');
  }
  await batches.forget(batch_id, never());
  expect(server.batches.deleted).toEqual([batch_id]);
  await expect(batches.state(batch_id, never())).rejects.toMatchObject({
    name: 'ModelError',
    status: 404,
    retryable: false,
  });
});

test.each([
  [fail(400, 'messages: too odd'), { kind: 'failed', status: 400, retryable: false }],
  [fail(400, 'prompt is too long: 2 > 1'), { kind: 'context_too_long', status: 400 }],
  [fail(529), { kind: 'overloaded', retryable: true }],
  [fail(500), { kind: 'failed', retryable: true }],
])('an answer that is an error is one as of a single request (%#)', async (failure, expected) => {
  const batches = batchesWith({ api_key: 'k' });
  server.on(`failing ${JSON.stringify(expected)}`, failure);
  const request = asked(`failing ${JSON.stringify(expected)}`);
  const { batch_id } = await batches.submit([{ custom_id: 'x', request }], never());
  const answers = await all(batches.answers(batch_id, never()));
  expect(answers.get('x')).toMatchObject({ why: 'errored', error: expected });
});

test('its key goes to no other host, whatever address the batch names for its results', async () => {
  const batches = batchesWith({ api_key: 'k' });
  const elsewhere = await startModel();
  server.on('here', say('here'));
  server.batches.options.results_host = elsewhere.url;
  const one = { custom_id: 'x', request: asked('here') };
  const { batch_id } = await batches.submit([one], never());
  const answers = await all(batches.answers(batch_id, never()));
  await elsewhere.close();
  expect(answers.get('x')).toMatchObject({ reply: { content: [{ text: 'here' }] } });
});

test('what was canceled has no answers, and to cancel again changes nothing', async () => {
  const batches = batchesWith({ api_key: 'k' });
  server.on('late', say('never read'));
  server.batches.options.polls = 9;
  const one = { custom_id: 'x', request: asked('late') };
  const { batch_id } = await batches.submit([one], never());
  await batches.cancel(batch_id, never());
  await batches.cancel(batch_id, never());
  expect((await batches.state(batch_id, never())).is_ended).toBe(true);
  expect(await all(batches.answers(batch_id, never()))).toEqual(
    new Map([['x', { custom_id: 'x', error: undefined, why: 'canceled' }]]),
  );
});

test('a key that has just been put there is read again, and what never left says so', async () => {
  const batches = batchesWith({}, { api_key: 'new' });
  server.on('rotated', say('here'));
  const one = { custom_id: 'x', request: asked('rotated') };
  await expect(batches.submit([one], never())).resolves.toMatchObject({ is_ended: true });
  const gone = await startModel();
  await gone.close();
  const nowhere = batchesWith({ api_key: 'k', base_url: gone.url });
  const lost = await nowhere.submit([one], never()).catch((error: unknown) => error);
  expect(lost).toMatchObject({ name: 'ModelError', retryable: true, is_unsent: true });
});

test('Bedrock has none', () => {
  const secrets = new FakeSecrets({});
  const settings = { secrets, secret_arn: 'arn', model_ids: {} };
  expect(openBatches({ ...settings, provider: 'bedrock' })).toBeUndefined();
});
