/**
 * The model port over real HTTP and SSE. Method: the scripted Messages API of test/model, which is
 * as strict as the real one; each failure is made on the wire, never in the client.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { performance } from 'node:perf_hooks';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { limits } from '#shared/core/limits.ts';
import { ModelError, observationOf } from '#shared/models/model-error.ts';
import type { ModelReply } from '#shared/models/model.ts';
import { openModel } from '#shared/models/open-model.ts';
import { startModel, type ScriptedModel } from '../../model/model.ts';
import {
  call,
  cutAfter,
  fail,
  failAfter,
  refuse,
  reply,
  say,
  slowly,
  stall,
  think,
  type Reply,
} from '../../model/replies.ts';
import { aRequest, failureOf, FakeSecrets, modelAt, never, partsOf } from './samples.ts';

const servers: ScriptedModel[] = [];

async function serve(...replies: readonly Reply[]): Promise<ScriptedModel> {
  const server = await startModel();
  servers.push(server);
  return server.on(() => true, ...replies);
}

afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function done(server: ScriptedModel, over = {}): Promise<ModelReply> {
  const parts = await partsOf(modelAt(server.url).stream(aRequest(over), never()));
  const last = parts.at(-1);
  if (last?.type !== 'done') throw new Error('no end');
  return last.message;
}

test('thinking, text and a call arrive as parts, then whole with their signature', async () => {
  const server = await serve(
    reply(think('hm'), say('I look.'), call('bash', { command: 'ls' }, 'toolu_1')),
  );
  const tools = [{ name: 'bash', input_schema: { type: 'object' as const } }];
  const parts = await partsOf(modelAt(server.url).stream(aRequest({ tools }), never()));
  expect(parts.slice(0, -1)).toEqual([
    { type: 'start', block: 'thinking', index: 0 },
    { type: 'delta', block: 'thinking', index: 0, text: 'hm' },
    { type: 'start', block: 'text', index: 1 },
    { type: 'delta', block: 'text', index: 1, text: 'I look.' },
    { type: 'start', block: 'tool_use', index: 2 },
    { type: 'delta', block: 'tool_use', index: 2, text: '{"command":"ls"}' },
  ]);
  const last = parts.at(-1);
  expect(last).toMatchObject({
    type: 'done',
    message: {
      stop_reason: 'tool_use',
      stop_details: null,
      content: [
        { type: 'thinking', thinking: 'hm', signature: expect.stringMatching(/.{20}/) },
        { type: 'text', text: 'I look.' },
        { type: 'tool_use', id: 'toolu_1', name: 'bash', input: { command: 'ls' } },
      ],
    },
  });
  expect(server.violations).toEqual([]);
});

test('a thought is sent back as it came, and the server still knows its signature', async () => {
  const server = await serve(reply(think('hm'), call('bash', {}, 'toolu_1')), say('done'));
  const tools = [{ name: 'bash', input_schema: { type: 'object' as const } }];
  const first = await done(server, { tools });
  await done(server, {
    tools,
    messages: [
      { role: 'user', content: 'hello' },
      { role: 'assistant', content: first.content },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'ok' }] },
    ],
  });
  expect(server.violations).toEqual([]);
});

test('a refusal is an answer with its category', async () => {
  const server = await serve(refuse('cyber', 'no', 'I will'));
  const message = await done(server);
  expect(message.stop_reason).toBe('refusal');
  expect(message.stop_details).toEqual({ type: 'refusal', category: 'cyber', explanation: 'no' });
});

const failures: [
  name: string,
  reply: Reply,
  facts: { kind: string; retryable: boolean; retry_after_ms?: number },
][] = [
  ['400', fail(400, 'bad header x-api-key: sk-test-key'), { kind: 'failed', retryable: false }],
  [
    '400 too long',
    fail(400, 'prompt is too long: 5 tokens > 4 maximum'),
    { kind: 'context_too_long', retryable: false },
  ],
  [
    '400 credit',
    fail(400, 'Your credit balance is too low'),
    { kind: 'billing', retryable: false },
  ],
  ['401', fail(401), { kind: 'unauthorized', retryable: false }],
  ['402', fail(402), { kind: 'billing', retryable: false }],
  ['403', fail(403), { kind: 'unauthorized', retryable: false }],
  ['404', fail(404), { kind: 'failed', retryable: false }],
  ['408', fail(408), { kind: 'failed', retryable: true }],
  ['413', fail(413), { kind: 'context_too_long', retryable: false }],
  ['429', fail(429), { kind: 'rate_limited', retryable: true }],
  [
    '429 in 7 s',
    fail(429, 'slow', { 'retry-after': '7' }),
    { kind: 'rate_limited', retryable: true, retry_after_ms: 7_000 },
  ],
  [
    '429 in 30 ms',
    fail(429, 'slow', { 'retry-after-ms': '30', 'retry-after': '7' }),
    { kind: 'rate_limited', retryable: true, retry_after_ms: 30 },
  ],
  [
    '429 for good',
    fail(429, 'capped', { 'x-should-retry': 'false' }),
    { kind: 'rate_limited', retryable: false },
  ],
  ['500', fail(500), { kind: 'failed', retryable: true }],
  ['502 in HTML', fail(502, {}), { kind: 'failed', retryable: true }],
  ['503', fail(503), { kind: 'overloaded', retryable: true }],
  ['504', fail(504), { kind: 'failed', retryable: true }],
  ['529', fail(529), { kind: 'overloaded', retryable: true }],
  ['cut before the start', cutAfter(0, say('x')), { kind: 'failed', retryable: true }],
  [
    'cut in mid-answer',
    cutAfter(5, say('a long enough sentence to be cut in two')),
    { kind: 'failed', retryable: true },
  ],
  [
    'overloaded in mid-answer',
    failAfter(4, 'overloaded_error', say('x')),
    { kind: 'overloaded', retryable: true },
  ],
  [
    'rate limit in mid-answer',
    failAfter(4, 'rate_limit_error', say('x')),
    { kind: 'rate_limited', retryable: true },
  ],
  [
    'billing in mid-answer',
    failAfter(4, 'billing_error', say('x')),
    { kind: 'billing', retryable: false },
  ],
  [
    'unknown in mid-answer',
    failAfter(4, 'new_error', say('x')),
    { kind: 'failed', retryable: true },
  ],
];

test.each(failures)('%s is told as it is', async (_name, said, facts) => {
  const server = await serve(said, said);
  const { error } = await failureOf(modelAt(server.url).stream(aRequest(), never()));
  expect(error).toBeInstanceOf(ModelError);
  expect(error).toMatchObject(facts);
  // A proxy may quote the headers that it does not like.
  expect(inspect(error, { depth: 9 })).not.toContain('sk-test-key');
  expect((error as ModelError).retry_after_ms).toBe(facts.retry_after_ms);
});

test('an answer whose last frame is missing is no answer', async () => {
  // Seven frames make the message; after six everything but `message_stop` has come.
  for (const frames of [6, 5]) {
    const server = await serve(cutAfter(frames, say('short')));
    const { said, error } = await failureOf(modelAt(server.url).stream(aRequest(), never()));
    expect(said.some(({ type }) => type === 'done')).toBe(false);
    expect(error).toMatchObject({ kind: 'failed', retryable: true });
  }
});

test('nothing is repeated: the loop above owns the retries', async () => {
  const server = await serve(fail(529), fail(529), fail(529));
  await failureOf(modelAt(server.url).stream(aRequest(), never()));
  expect(server.requests).toHaveLength(1);
});

test('what is lost on a connection from before a pause is sent once more, and nothing else is', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const lost = new Set([2, 3, 5]);
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    if (lost.has(requests)) request.socket.destroy();
    else response.writeHead(529).end();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const kindOf = async (): Promise<unknown> => {
    const asked = modelAt(`http://127.0.0.1:${port}`).stream(aRequest(), never());
    return ((await failureOf(asked)).error as ModelError).kind;
  };
  const pause = (): unknown => vi.setSystemTime(Date.now() + limits.connection_rest_ms);
  expect([await kindOf(), requests]).toEqual(['overloaded', 1]);
  expect([await kindOf(), requests]).toEqual(['failed', 2]);
  pause();
  expect([await kindOf(), requests]).toEqual(['overloaded', 4]);
  expect([await kindOf(), requests]).toEqual(['failed', 5]);
  server.close();
  server.closeAllConnections();
});

test('a dead address is retryable, and the log says what is wrong with it', async () => {
  const server = await startModel();
  await server.close();
  const { error } = await failureOf(modelAt(server.url).stream(aRequest(), never()));
  expect(error).toMatchObject({ kind: 'failed', retryable: true });
  const behind = expect.stringContaining('ECONNREFUSED');
  expect(observationOf(error as ModelError)).toMatchObject({ type: 'model_error', behind });
});

describe('silence', () => {
  test('before the first byte', async () => {
    const server = await serve(stall());
    const model = modelAt(server.url, { stall_ms: 80 });
    const { error } = await failureOf(model.stream(aRequest(), never()));
    expect(error).toMatchObject({ kind: 'failed', retryable: true });
    expect((error as Error).message).toContain('sent nothing');
  });

  test('in mid-answer', async () => {
    const server = await serve(slowly(10_000, say('never all of this')));
    const model = modelAt(server.url, { stall_ms: 80 });
    const { error } = await failureOf(model.stream(aRequest(), never()));
    expect((error as Error).message).toContain('sent nothing');
  });

  test('is not what a slow listener of ours makes', async () => {
    const server = await serve(slowly(5, say('word by word by word')));
    const kinds: string[] = [];
    for await (const part of modelAt(server.url, { stall_ms: 1_000 }).stream(aRequest(), never())) {
      kinds.push(part.type);
      if (kinds.length === 1) await new Promise((resolve) => setTimeout(resolve, 1_500));
    }
    expect(kinds.at(-1)).toBe('done');
  });
});

describe('stopping', () => {
  test('the signal ends the answer at once, and the request with it', async () => {
    const server = await serve(
      slowly(20, say('a very long answer that nobody wants to hear to its end')),
    );
    const stop = new AbortController();
    const { said, error } = await failureOf(
      (async function* () {
        for await (const part of modelAt(server.url).stream(aRequest(), stop.signal)) {
          yield part;
          stop.abort();
        }
      })(),
    );
    expect(said).toHaveLength(1);
    expect(error).toMatchObject({ kind: 'aborted', retryable: false });
    const { input_tokens = 0, output_tokens = 0 } = (error as ModelError).spent ?? {};
    expect([input_tokens > 0, output_tokens > 0]).toEqual([true, true]);
    await expect.poll(() => server.requests[0]?.signal.aborted).toBe(true);
  });

  test('the signal’s own reason changes nothing, before the first byte or after it', async () => {
    const server = await serve(stall(), slowly(10_000, say('x')));
    for (let n = 0; n < 2; n += 1) {
      const model = modelAt(server.url);
      const { error } = await failureOf(model.stream(aRequest(), AbortSignal.timeout(100)));
      expect(error).toMatchObject({ kind: 'aborted', retryable: false });
    }
  });

  test('a signal that was given before stops before the request', async () => {
    const server = await serve(say('x'));
    const { error } = await failureOf(modelAt(server.url).stream(aRequest(), AbortSignal.abort()));
    expect(error).toMatchObject({ kind: 'aborted' });
    expect(server.requests).toHaveLength(0);
  });

  test('leaving the loop ends the request', async () => {
    const server = await serve(slowly(20, say('a very long answer that nobody wants to hear')));
    for await (const _part of modelAt(server.url).stream(aRequest(), never())) break;
    await expect.poll(() => server.requests[0]?.signal.aborted).toBe(true);
  });
});

describe('the key', () => {
  const settings = { provider: 'anthropic', secret_arn: 'arn', model_ids: {} } as const;

  test('is read again once when it is refused: it may have been rotated', async () => {
    const server = await serve(fail(401), say('hello'));
    const secrets = new FakeSecrets(
      { api_key: 'sk-old', base_url: server.url },
      { api_key: 'sk-new', base_url: server.url },
    );
    const parts = await partsOf(openModel({ ...settings, secrets }).stream(aRequest(), never()));
    expect(parts.at(-1)?.type).toBe('done');
    const keys = server.requests.map(({ headers }) => headers.authorization);
    expect(keys).toEqual(['Bearer sk-old', 'Bearer sk-new']);
  });

  test('is read again once when the secret has none: it may have been put there since', async () => {
    const server = await serve(say('hello'));
    const secrets = new FakeSecrets({}, { api_key: 'sk-new', base_url: server.url });
    const parts = await partsOf(openModel({ ...settings, secrets }).stream(aRequest(), never()));
    expect(parts.at(-1)?.type).toBe('done');
    expect(secrets.fresh_reads).toBe(1);
  });

  test('stands in no error, whatever the provider says', async () => {
    const server = await serve(
      fail(401, 'invalid x-api-key: sk-test-key'),
      fail(401, 'sk-test-key'),
    );
    const { error } = await failureOf(modelAt(server.url).stream(aRequest(), never()));
    expect((error as Error).message).not.toContain('sk-test-key');
    expect(server.requests).toHaveLength(2);
  });

  test.each([
    ['no JSON', 'sk-plain-key'],
    ['no key', '{}'],
  ])(
    'that is unusable (%s) is a failure that names the field and not the value',
    async (_name, text) => {
      const secrets = { read: async () => text, readFresh: async () => text };
      const { error } = await failureOf(
        openModel({ ...settings, secrets }).stream(aRequest(), never()),
      );
      expect(error).toMatchObject({ kind: 'unauthorized', retryable: false });
      expect((error as Error).message).toContain('api_key');
      expect((error as Error).message).not.toContain('sk-plain-key');
      expect((error as Error).cause).toBeUndefined();
    },
  );
});

test('thoughts that belong to another conversation are left out, once', async () => {
  const foreign = fail(
    400,
    'messages.1.content.0: Invalid `signature` in `thinking` block. The block is bound to a different conversation.',
  );
  const server = await serve(reply(think('hm'), say('a')), foreign, say('b'));
  const { content } = await done(server);
  await done(server, {
    messages: [
      { role: 'user', content: 'hello' },
      { role: 'assistant', content },
      { role: 'user', content: 'and now?' },
    ],
  });
  const kinds = server.requests.map(({ body }) =>
    body.messages.flatMap(({ content: c }) =>
      typeof c === 'string' ? ['text'] : c.map((b) => b.type),
    ),
  );
  expect(kinds[1]).toContain('thinking');
  expect(kinds[2]).not.toContain('thinking');
});

test('the first delta is heard when it is said, not when the answer is whole', async () => {
  const server = await serve(say('warm'), slowly(25, say('one two three four five six seven')));
  const model = modelAt(server.url);
  await partsOf(model.stream(aRequest(), never()));
  const started = performance.now();
  let first_ms = 0;
  for await (const { type } of model.stream(aRequest(), never())) {
    if (type === 'delta' && first_ms === 0) first_ms = performance.now() - started;
  }
  // At least five frames of 25 ms come after the first delta.
  expect(performance.now() - started).toBeGreaterThan(first_ms + 100);
});
