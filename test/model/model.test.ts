import Anthropic from '@anthropic-ai/sdk';
import type {
  MessageCreateParamsNonStreaming,
  MessageParam,
} from '@anthropic-ai/sdk/resources/messages';
import { afterEach, expect, test } from 'vitest';
import { startModel, type ModelOptions, type ScriptedModel } from './model.ts';
import {
  call,
  calls,
  cutAfter,
  fail,
  failAfter,
  refuse,
  reply,
  say,
  slowly,
  stall,
  think,
} from './replies.ts';

let model: ScriptedModel | undefined;
afterEach(async () => {
  await model?.close();
  model = undefined;
});

async function start(options?: ModelOptions): Promise<{ model: ScriptedModel; client: Anthropic }> {
  model = await startModel(options);
  return { model, client: new Anthropic({ baseURL: model.url, apiKey: 'test', maxRetries: 0 }) };
}

function ask(...messages: MessageParam[]): MessageCreateParamsNonStreaming {
  return { model: 'claude-opus-5-5', max_tokens: 100, messages };
}

const hello: MessageParam = { role: 'user', content: 'hello' };

test('the SDK accumulates a scripted stream of thinking, text and parallel calls', async () => {
  const { model, client } = await start();
  model.on(
    'hello',
    reply(think('hm'), say('Two things.'), calls(['bash', { command: 'ls' }], ['read', {}])),
  );
  const message = await client.messages.stream(ask(hello)).finalMessage();
  expect(message.content.map(({ type }) => type)).toEqual([
    'thinking',
    'text',
    'tool_use',
    'tool_use',
  ]);
  expect(message.content[2]).toMatchObject({ name: 'bash', input: { command: 'ls' } });
  expect(message.stop_reason).toBe('tool_use');
});

test('a refusal carries its category', async () => {
  const { model, client } = await start();
  model.on('hello', refuse('bio'));
  const message = await client.messages.create(ask(hello));
  expect(message).toMatchObject({ stop_reason: 'refusal', stop_details: { category: 'bio' } });
});

test('a failure has its status, envelope and headers', async () => {
  const { model, client } = await start();
  model.on('hello', fail(529, 'busy', { 'retry-after': '7' }));
  const error = await client.messages.create(ask(hello)).catch((cause: unknown) => cause);
  expect(error).toMatchObject({ status: 529, error: { error: { type: 'overloaded_error' } } });
  expect((error as InstanceType<typeof Anthropic.APIError>).headers?.get('retry-after')).toBe('7');
});

test('an error frame and a cut connection end a stream that had begun', async () => {
  const { model, client } = await start();
  model.on(
    'hello',
    failAfter(4, 'overloaded_error', say('a long answer that is not heard in full')),
  );
  model.on('hello', cutAfter(4, say('a long answer that is not heard in full')));
  for (const expected of ['overloaded_error', /terminated|closed|Connection|aborted/i]) {
    const error = await client.messages.stream(ask(hello)).finalMessage().catch(String);
    expect(error).toMatch(expected);
  }
});

test('a stalled request ends when the client goes away', async () => {
  const { model, client } = await start();
  model.on('hello', stall());
  const error = await client.messages.create(ask(hello), { timeout: 100 }).catch(String);
  expect(error).toContain('timed out');
});

test('slow deltas arrive one after the other', async () => {
  const { model, client } = await start();
  model.on('hello', slowly(5, say('one two three four five'), 4));
  const heard: string[] = [];
  for await (const event of client.messages.stream(ask(hello))) {
    if (event.type === 'content_block_delta' && event.delta.type === 'text_delta')
      heard.push(event.delta.text);
  }
  expect(heard).toHaveLength(6);
});

test('conversations have their own queues, and what is not scripted is refused', async () => {
  const { model, client } = await start();
  model.on('apples', say('red'), say('green')).on('pears', say('yellow'));
  const said: unknown[] = [];
  for (const about of ['apples', 'pears', 'apples', 'pears']) {
    const message = await client.messages
      .create(ask({ role: 'user', content: about }))
      .catch(String);
    said.push(typeof message === 'string' ? 'refused' : message.content[0]);
  }
  expect(said).toMatchObject([{ text: 'red' }, { text: 'yellow' }, { text: 'green' }, 'refused']);
  expect(model.violations).toHaveLength(1);
});

test('by turns, a repeated request gets the same reply and attempts are used up', async () => {
  const { model, client } = await start();
  model.onTurns('hello', [fail(500), say('first')], say('second'));
  const heard: string[] = [];
  const then: MessageParam[] = [hello, { role: 'assistant', content: 'first' }, hello];
  for (const messages of [[hello], [hello], [hello], then, then]) {
    const message = await client.messages.create(ask(...messages)).catch(() => undefined);
    const block = message?.content[0];
    heard.push(block?.type === 'text' ? block.text : 'failed');
  }
  expect(heard).toEqual(['failed', 'first', 'first', 'second', 'second']);
});

test('a prompt larger than the window is too long', async () => {
  const { model, client } = await start({ window_tokens: 50 });
  model.otherwise(() => say('ok'));
  const error = await client.messages
    .create(ask({ role: 'user', content: 'x'.repeat(400) }))
    .catch(String);
  expect(error).toContain('prompt is too long');
  await client.messages.create(ask(hello));
});

test('tokens are counted without a message', async () => {
  const { client } = await start();
  const { input_tokens } = await client.messages.countTokens({
    model: 'claude-opus-5-5',
    messages: [{ role: 'user', content: 'x'.repeat(4_000) }],
  });
  expect(input_tokens).toBeGreaterThan(1_000);
  expect(input_tokens).toBeLessThan(1_050);
});

test('a hook runs before the answer and requests keep their headers and bodies', async () => {
  const seen: number[] = [];
  const { model, client } = await start({ onRequest: ({ n }) => void seen.push(n) });
  model.otherwise(() => say('ok'));
  await client.messages.create(ask(hello));
  expect(seen).toEqual([0]);
  expect(model.requests[0]).toMatchObject({
    body: { max_tokens: 100 },
    headers: { authorization: 'Bearer test' },
  });
});

test('a long conversation reads its prefix from the cache and writes only what is new', async () => {
  let now = 0;
  const { model, client } = await start({ now: () => now });
  model.otherwise(() => say('ok'));
  const messages: MessageParam[] = [];
  const usages = [];
  for (let turn = 0; turn < 3; turn += 1) {
    const text = { type: 'text' as const, text: `${turn}`.repeat(4_400) };
    const marked = { ...text, cache_control: { type: 'ephemeral' as const } };
    const asked = ask(...messages, { role: 'user', content: [marked] });
    usages.push((await client.messages.create(asked)).usage);
    messages.push({ role: 'user', content: [text] }, { role: 'assistant', content: 'ok' });
  }
  const [first, second, third] = usages;
  expect(first).toMatchObject({ input_tokens: 0, cache_read_input_tokens: 0 });
  expect(second?.cache_read_input_tokens).toBe(first?.cache_creation_input_tokens);
  expect(second?.cache_creation_input_tokens).toBeGreaterThan(1_000);
  const before =
    (second?.cache_read_input_tokens ?? 0) + (second?.cache_creation_input_tokens ?? 0);
  expect(third?.cache_read_input_tokens).toBe(before);

  now += 300_001;
  const last = ask({ role: 'user', content: [{ type: 'text', text: '0'.repeat(4_400) }] });
  const late = await client.messages.create({ ...last, cache_control: { type: 'ephemeral' } });
  expect(late.usage.cache_read_input_tokens).toBe(0);
  expect(late.usage.cache_creation?.ephemeral_5m_input_tokens).toBeGreaterThan(1_000);
});

test('a prefix that is short or has changed is not found', async () => {
  const { model, client } = await start();
  model.otherwise(() => say('ok'));
  const usages = [];
  for (const text of ['a', 'a', 'b'.repeat(5_000), 'c' + 'b'.repeat(4_999)]) {
    const asked = ask({ role: 'user', content: text });
    const { usage } = await client.messages.create({
      ...asked,
      cache_control: { type: 'ephemeral' },
    });
    usages.push([usage.cache_read_input_tokens, (usage.cache_creation_input_tokens ?? 0) > 0]);
  }
  expect(usages).toEqual([
    [0, false],
    [0, false],
    [0, true],
    [0, true],
  ]);
});

test('thinking must come back as it was while its turn is open', async () => {
  const { model, client } = await start();
  model.otherwise(({ n }) =>
    n === 0 ? reply(think('secret plan'), call('bash', {}, 'toolu_1')) : say('ok'),
  );
  const { content } = await client.messages.create(ask(hello));
  const result: MessageParam = {
    role: 'user',
    content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'done' }],
  };
  const variants = {
    same: content,
    dropped: content.slice(1),
    changed: [{ ...content[0], thinking: 'another plan' }, content[1]],
  } as unknown as Record<string, MessageParam['content']>;
  const heard: Record<string, string> = {};
  for (const [name, thought] of Object.entries(variants)) {
    const asked = ask(hello, { role: 'assistant', content: thought }, result);
    heard[name] = await client.messages.create(asked).then(() => 'ok', String);
  }
  expect(heard).toEqual({
    same: 'ok',
    dropped: expect.stringContaining('cannot be modified') as string,
    changed: expect.stringContaining('Invalid `signature`') as string,
  });
});
