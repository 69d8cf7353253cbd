import type { BetaRawMessageStreamEvent } from '@anthropic-ai/sdk/resources/beta/messages/messages';
import { expect, test } from 'vitest';
import { Fold } from '#shared/models/fold.ts';
import type { ModelReply } from '#shared/models/model.ts';
import { ModelError } from '#shared/models/model-error.ts';

type Frame = { type: string; [field: string]: unknown };

const start = (usage: object = {}): Frame => ({
  type: 'message_start',
  message: {
    id: 'msg_1',
    role: 'assistant',
    model: 'm',
    content: [],
    stop_reason: null,
    usage: { input_tokens: 7, output_tokens: 1, ...usage },
  },
});
const open = (index: number, content_block: object): Frame => ({
  type: 'content_block_start',
  index,
  content_block,
});
const json = (index: number, partial_json: string): Frame => ({
  type: 'content_block_delta',
  index,
  delta: { type: 'input_json_delta', partial_json },
});
const end = (stop_reason: string, usage: object = { output_tokens: 5 }): Frame[] => [
  { type: 'message_delta', delta: { stop_reason, stop_details: null }, usage },
  { type: 'message_stop' },
];
const a_call = { type: 'tool_use', id: 'toolu_1', name: 'bash', input: {} };

function fold(...frames: Frame[]): ModelReply | undefined {
  const folded = new Fold();
  for (const frame of frames) folded.take(frame as unknown as BetaRawMessageStreamEvent);
  return folded.reply;
}

test.each(['max_tokens', 'model_context_window_exceeded'])(
  'a call that %s cut in half stands apart: it can neither be run nor sent back',
  (stop_reason) => {
    const reply = fold(start(), open(0, a_call), json(0, '{"command":"l'), ...end(stop_reason));
    expect(reply).toMatchObject({ content: [], cut: a_call, stop_reason });
  },
);

test.each([
  ['is cut without such a reason', [open(0, a_call), json(0, '{"co')]],
  ['is a list', [open(0, a_call), json(0, '["ls"]')]],
  ['is null', [open(0, a_call), json(0, 'null')]],
  ['has the id of another one', [open(0, a_call), open(1, a_call)]],
])('a call that %s is a failure that may be tried again', (_, frames) => {
  const broken = () => fold(start(), ...frames, ...end('tool_use'));
  expect(broken).toThrow(ModelError);
  expect(broken).toThrow(expect.objectContaining({ kind: 'failed', retryable: true }));
});

test('a call without input has an empty one', () => {
  const reply = fold(start(), open(0, a_call), json(0, ''), ...end('tool_use'));
  expect(reply?.content).toEqual([a_call]);
});

test('frames out of order are a failure', () => {
  expect(() => fold(open(0, a_call))).toThrow(ModelError);
  expect(() => fold(start(), json(3, '{}'))).toThrow(ModelError);
});

test('frames and deltas of a kind we do not know are passed over', () => {
  const later = { type: 'content_block_delta', index: 0, delta: { type: 'later_delta', x: 1 } };
  const block = { type: 'later_block', said: 'x' };
  const reply = fold(start(), open(0, block), later, { type: 'later' }, ...end('end_turn'));
  expect(reply?.content).toEqual([block]);
});

test('the last usage replaces the first, and keeps what it does not name', () => {
  const first = {
    cache_read_input_tokens: 100,
    cache_creation_input_tokens: 30,
    cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
    speed: 'fast',
  };
  const last = {
    output_tokens: 9,
    cache_read_input_tokens: null,
    server_tool_use: { web_search_requests: 2 },
  };
  const reply = fold(start(first), ...end('end_turn', last));
  expect(reply?.speed).toBe('fast');
  expect(reply?.usage).toEqual({
    input_tokens: 7,
    output_tokens: 9,
    cache_read_input_tokens: 100,
    cache_creation_5m_input_tokens: 10,
    cache_creation_1h_input_tokens: 20,
    web_search_requests: 2,
  });
});

test('cache writes that are not split by lifetime are of five minutes', () => {
  const reply = fold(start({ cache_creation_input_tokens: 30 }), ...end('end_turn'));
  expect(reply?.usage.cache_creation_5m_input_tokens).toBe(30);
});

test('citations are kept with their text', () => {
  const cited = (n: number): Frame => ({
    type: 'content_block_delta',
    index: 0,
    delta: { type: 'citations_delta', citation: { url: `u${n}` } },
  });
  const text = { type: 'text', text: 'a', citations: null };
  const reply = fold(start(), open(0, text), cited(1), cited(2), ...end('end_turn'));
  expect(reply?.content).toEqual([{ ...text, citations: [{ url: 'u1' }, { url: 'u2' }] }]);
});
