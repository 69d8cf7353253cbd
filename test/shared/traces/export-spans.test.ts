/**
 * Spans of a thread's log, sent to a real OTLP endpoint: each once in effect, none with words in it,
 * and a failure that is made good at the next rest. Method: logs are appended as steps append them.
 */
import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '#shared/core/id.ts';
import { limits } from '#shared/core/limits.ts';
import type { NewEvent } from '#shared/events/event.ts';
import { configKey, sessionKey, type SessionConfig } from '#shared/sessions/session.ts';
import { prepareAppend } from '#shared/threads/log.ts';
import { threadKey, type ThreadHead } from '#shared/threads/thread.ts';
import { exportSpans } from '#shared/traces/export-spans.ts';
import { otlpSink } from '#shared/traces/otlp.ts';
import { traceIdOf } from '#shared/traces/spans.ts';
import { startTable } from '../../dynamodb.ts';
import {
  aCall,
  aMessage,
  append,
  aReply,
  headOf,
  putSession,
  testPorts,
  type TestPorts,
} from '../../sessions.ts';
import { Receiver } from './receiver.ts';

let ports: TestPorts;
let stop: () => Promise<void>;
let receiver: Receiver;
let endpoint: string;

beforeAll(async () => {
  const started = await startTable();
  ports = testPorts(started.table);
  receiver = new Receiver();
  endpoint = await receiver.start();
  stop = async () => {
    await receiver.stop();
    await started.stop();
  };
});
afterAll(async () => await stop());

const SECRET = 'a word that nobody may read';
const status = (type: string, session_thread_id: string, over: object = {}): NewEvent =>
  ({ id: newId('event'), type, agent_name: 'Tester', session_thread_id, ...over }) as NewEvent;
const running = (thread_id: string) => status('session.thread_status_running', thread_id);
const idle = (thread_id: string, reason = 'end_turn') =>
  status('session.thread_status_idle', thread_id, {
    stop_reason: { type: reason },
    stop_details: null,
  });

function asked(is_error = false): NewEvent[] {
  const id = newId('event');
  const model_usage = {
    input_tokens: 10,
    output_tokens: 5,
    cache_read_input_tokens: 100,
    cache_creation_input_tokens: 1,
  };
  return [
    { id, type: 'span.model_request_start' },
    {
      id: newId('event'),
      type: 'span.model_request_end',
      model_request_start_id: id,
      is_error,
      model_usage,
    },
  ];
}

function called(name: string, is_error = false): [NewEvent, NewEvent] {
  const id = newId('event');
  const content = [{ type: 'text' as const, text: SECRET }];
  return [
    { id, type: 'agent.tool_use', name, input: { command: SECRET } },
    { id: newId('event'), type: 'agent.tool_result', tool_use_id: id, is_error, content },
  ];
}

async function send(thread_id: string, at = endpoint, headers = {}): Promise<void> {
  const head = await headOf(ports, thread_id);
  const config = (await ports.table.get(configKey(head.session_id))) as SessionConfig;
  const sink = otlpSink({ endpoint: at, headers: async () => headers });
  await exportSpans(ports, { sink, provider: 'anthropic' }, head, config);
}

const named = (spans: readonly { name: string }[]) => spans.map(({ name }) => name);

test('a turn is an agent\u2019s span, with those of its requests and tools below it', async () => {
  const { session_id, thread_id } = await putSession(ports, aCall());
  await append(ports, thread_id, [
    running(thread_id),
    aMessage(SECRET),
    ...asked(true),
    ...asked(),
  ]);
  ports.clock.ms += 1_500;
  await append(ports, thread_id, [...called('bash', true), aReply(SECRET), idle(thread_id)]);
  await send(thread_id, endpoint, { authorization: 'Bearer key' });

  const request = receiver.requests.at(-1);
  expect(request).toMatchObject({
    path: '/v1/traces',
    headers: { authorization: 'Bearer key', 'content-type': 'application/json' },
  });
  expect(request?.text).not.toContain(SECRET);
  expect(request?.text).toContain('"service.name"');
  const spans = receiver.spansOf(session_id);
  expect(named(spans)).toEqual([
    'chat claude-opus-5-5',
    'chat claude-opus-5-5',
    'execute_tool bash',
    'invoke_agent Tester',
  ]);
  const turn = spans.at(-1);
  expect(turn).toMatchObject({
    kind: 1,
    traceId: traceIdOf(session_id),
    attributes: {
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.provider.name': 'anthropic',
      'gen_ai.agent.name': 'Tester',
      'gen_ai.conversation.id': session_id,
      'gen_ai.request.model': 'claude-opus-5-5',
      'gen_ai.usage.input_tokens': 222,
      'gen_ai.usage.output_tokens': 10,
      'gen_ai.usage.cache_read.input_tokens': 200,
      'gen_ai.usage.cache_creation.input_tokens': 2,
      'reverie.thread_id': thread_id,
      'reverie.stop_reason': 'end_turn',
    },
  });
  expect(turn?.parentSpanId).toBeUndefined();
  const took_ns = BigInt(turn?.endTimeUnixNano ?? 0) - BigInt(turn?.startTimeUnixNano ?? 0);
  expect(took_ns).toBe(1_500_000_000n);
  for (const span of spans.slice(0, -1)) {
    expect(span).toMatchObject({ traceId: turn?.traceId, parentSpanId: turn?.spanId });
  }
  expect(spans[0]).toMatchObject({
    kind: 3,
    status: { code: 2 },
    attributes: { 'error.type': 'model_error' },
  });
  expect(spans[2]).toMatchObject({
    status: { code: 2 },
    attributes: {
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'bash',
      'gen_ai.tool.type': 'extension',
      'error.type': 'tool_error',
    },
  });
});

test('what was sent is not sent again, and what follows is', async () => {
  const { session_id, thread_id } = await putSession(ports, aCall());
  await append(ports, thread_id, [running(thread_id), ...asked(), idle(thread_id)]);
  await send(thread_id);
  await send(thread_id);
  expect(receiver.spansOf(session_id)).toHaveLength(2);
  await append(ports, thread_id, [running(thread_id), idle(thread_id, 'retries_exhausted')]);
  await send(thread_id);
  const spans = receiver.spansOf(session_id);
  expect(named(spans.slice(2))).toEqual(['invoke_agent Tester']);
  expect(spans[2]).toMatchObject({
    status: { code: 2 },
    attributes: { 'error.type': 'retries_exhausted' },
  });
});

test('what an endpoint refuses is sent at the next rest, under the same ids', async () => {
  const { session_id, thread_id } = await putSession(ports, aCall());
  await append(ports, thread_id, [running(thread_id), ...asked(), idle(thread_id)]);
  receiver.status = 503;
  await expect(send(thread_id)).rejects.toThrow('The OTLP endpoint answered 503.');
  receiver.status = 200;
  await send(thread_id);
  const ids = receiver.spansOf(session_id).map(({ spanId }) => spanId);
  expect(ids).toHaveLength(4);
  expect(ids.slice(2)).toEqual(ids.slice(0, 2));
  await expect(send(thread_id, 'http://127.0.0.1:1')).resolves.toBeUndefined();
  await append(ports, thread_id, [running(thread_id), idle(thread_id)]);
  await expect(send(thread_id, 'http://127.0.0.1:1')).rejects.toThrow('fetch failed');
});

test('a call that waits for a person is a span of the turn that made it, once it is answered', async () => {
  const { session_id, thread_id } = await putSession(ports, aCall());
  const [call, result] = called('write');
  await append(ports, thread_id, [running(thread_id), call, idle(thread_id, 'requires_action')]);
  await send(thread_id);
  await append(ports, thread_id, [running(thread_id), result, idle(thread_id)]);
  await send(thread_id);
  const [first, tool, second] = receiver.spansOf(session_id);
  expect(tool).toMatchObject({ name: 'execute_tool write', parentSpanId: first?.spanId });
  expect(second?.name).toBe('invoke_agent Tester');
});

test('a child\u2019s turn stands below the turn that sent it its message', async () => {
  const { session_id, thread_id } = await putSession(ports, aCall());
  const child_id = newId('thread');
  const content = [{ type: 'text' as const, text: SECRET }];
  await append(ports, thread_id, [running(thread_id), idle(thread_id)]);
  ports.clock.ms += 1_000;
  await append(ports, thread_id, [running(thread_id)]);
  ports.clock.ms += 1_000;
  const primary = await headOf(ports, thread_id);
  const empty = { ...primary, ...threadKey(child_id), thread_id: child_id, seq: 0, version: 0 };
  const head: ThreadHead = { ...empty, agent_name: 'Writer', parent_thread_id: thread_id };
  const received: NewEvent = {
    id: newId('event'),
    type: 'agent.thread_message_received',
    from_session_thread_id: thread_id,
    content,
  };
  const log = [received, running(child_id), ...asked(), idle(child_id)];
  const lines = log.map((event) => ({ event }));
  const { head: next, writes } = await prepareAppend(ports, head, lines);
  const agent = { json: JSON.stringify({ model: { id: 'claude-haiku-5-5' } }) };
  const member = { pk: sessionKey(session_id).pk, sk: `T#${child_id}`, thread_id: child_id, agent };
  await ports.table.transact([{ put: next }, { put: member }, ...writes.slice(1)]);
  ports.clock.ms += 1_000;
  await append(ports, thread_id, [idle(thread_id)]);
  await append(ports, thread_id, [running(thread_id), idle(thread_id)]);
  await send(child_id);
  await send(thread_id);
  const [chat, turn, , sender] = receiver.spansOf(session_id);
  expect(chat?.name).toBe('chat claude-haiku-5-5');
  expect(turn).toMatchObject({ name: 'invoke_agent Writer', parentSpanId: sender?.spanId });
  expect(turn?.traceId).toBe(sender?.traceId);
});

test('many spans go in requests of a bounded size', async () => {
  const { session_id, thread_id } = await putSession(ports, aCall());
  const spans = limits.otlp_spans_max + 10;
  await append(ports, thread_id, [running(thread_id)]);
  for (let n = 0; n < spans; n += 40) {
    await append(ports, thread_id, Array.from({ length: 40 }, () => called('read')).flat());
  }
  await append(ports, thread_id, [idle(thread_id)]);
  const before = receiver.requests.length;
  await send(thread_id);
  const sent = receiver.requests.slice(before);
  expect(sent).toHaveLength(2);
  expect(new Set(receiver.spansOf(session_id).map(({ spanId }) => spanId)).size).toBe(
    Math.ceil(spans / 40) * 40 + 1,
  );
});

test.each([
  ['is no JSON', async () => JSON.parse('Bearer key-in-plain-text') as never],
  ['has a line break in a header', async () => ({ authorization: 'Bearer key-in-plain\ntext' })],
])('a secret that %s is not quoted', async (_what, headers) => {
  const { session_id, thread_id } = await putSession(ports, aCall());
  await append(ports, thread_id, [running(thread_id), idle(thread_id)]);
  const head = await headOf(ports, thread_id);
  const config = (await ports.table.get(configKey(session_id))) as SessionConfig;
  const sink = otlpSink({ endpoint, headers });
  const sent = exportSpans(ports, { sink, provider: 'anthropic' }, head, config);
  const error: unknown = await sent.catch((caught: unknown) => caught);
  expect(inspect(error)).toContain('The secret of the OTLP headers cannot be read');
  expect(inspect(error)).not.toContain('key-in-pla');
});
