/** The offline model on the wire that the SDK speaks, and its analyst on tools that answer. */
import Anthropic from '@anthropic-ai/sdk';
import type { MessageParam, ContentBlock } from '@anthropic-ai/sdk/resources/messages';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { completeMessage, encodeMessage } from '../../infra/local/offline-model/messages-sse.ts';
import { offlineModel } from '../../infra/local/offline-model/offline-model.ts';
import { report, tableCommand } from '../../infra/local/offline-model/report.ts';
import type { MessagesServer } from '../../infra/local/offline-model/server.ts';

let server: MessagesServer;
let client: Anthropic;

beforeAll(async () => {
  server = await offlineModel();
  client = new Anthropic({ apiKey: 'x', baseURL: server.url, maxRetries: 0 });
});
afterAll(() => server.close());

const ask = { model: 'claude-sonnet-5-5', max_tokens: 100 };
const user = (content: string): MessageParam => ({ role: 'user', content });

test('it says that it is the offline model, streamed and whole alike', async () => {
  const messages = [user('What is 2 + 2?')];
  const whole = await client.messages.create({ ...ask, messages });
  const streamed = await client.messages.stream({ ...ask, messages }).finalMessage();
  expect(whole.content).toEqual([
    expect.objectContaining({ text: expect.stringContaining('offline model') }),
  ]);
  expect(streamed).toMatchObject({ content: whole.content, stop_reason: 'end_turn' });
  expect(streamed.usage).toEqual(whole.usage);
});

test('a message’s frames put every kind of block together again', async () => {
  const content = [
    { type: 'thinking', thinking: 'so 👩‍👩‍👧 it is', signature: 'sig' },
    { type: 'text', text: 'wörds', citations: null },
    { type: 'tool_use', id: 't', name: 'bash', input: { a: [1, { b: '€' }] } },
    { type: 'redacted_thinking', data: 'x' },
  ] as ContentBlock[];
  const frames = encodeMessage(completeMessage({ content, usage: { output_tokens: 9 } }), {
    chunk_chars: 1,
  });
  const fetch = async (): Promise<Response> =>
    new Response(frames.join(''), { headers: { 'content-type': 'text/event-stream' } });
  const fed = new Anthropic({ apiKey: 'x', fetch });
  const message = await fed.messages.stream({ ...ask, messages: [] }).finalMessage();
  expect(message).toMatchObject({ content, stop_reason: 'tool_use', usage: { output_tokens: 9 } });
});

const results: Readonly<Record<string, string>> = {
  write: 'Wrote the file.',
  glob: '/mnt/session/uploads/t.csv',
  read: '1\tyear,temp',
  bash: 't.csv\ttemp\tall\t3\t1880\t-0.1\t1882\t0.5\t-0.2\t0.5\t0.066',
};

test('the analyst saves, looks, computes, writes the report from what it got, and checks it', async () => {
  const tools = Object.keys(results).map((name) => ({
    name,
    input_schema: { type: 'object' as const },
  }));
  const document = {
    type: 'document' as const,
    title: 't.csv',
    source: {
      type: 'text' as const,
      media_type: 'text/plain' as const,
      data: 'year,temp\n1880,-0.1',
    },
  };
  const messages: MessageParam[] = [
    { role: 'user', content: [document, { type: 'text', text: 'Write a report.' }] },
  ];
  const called: string[] = [];
  let written = '';
  for (let turn = 0; turn < 10; turn += 1) {
    // oxlint-disable-next-line no-await-in-loop -- a conversation is one message after the other
    const { content, stop_reason } = await client.messages.create({
      ...ask,
      tools,
      messages,
      system: 'You are a careful data analyst.',
    });
    const calls = content.filter((block) => block.type === 'tool_use');
    called.push(...calls.map(({ name }) => name));
    written = calls.find(({ name }) => name === 'write') ? JSON.stringify(calls) : written;
    messages.push({ role: 'assistant', content });
    if (stop_reason === 'end_turn') break;
    const answers = calls.map(({ id, name }) => ({
      type: 'tool_result' as const,
      tool_use_id: id,
      content: results[name] ?? '',
    }));
    messages.push({ role: 'user', content: answers });
  }
  expect(called).toEqual(['write', 'glob', 'read', 'bash', 'write', 'bash']);
  expect(written).toContain('/mnt/session/outputs/report.md');
  expect(JSON.stringify(messages.at(-1))).toContain('rose from -0.1 (1880) to 0.5 (1882)');
});

test('a name with quotes stays one word of the command', () => {
  const file = `it's "a" $x.csv`;
  const command = tableCommand([`/mnt/session/uploads/${file}`]);
  const word = String.raw`it'\''s "a" $x.csv'`;
  expect(command).toContain(`file='${word} "$PROGRAM" '/mnt/session/uploads/${word}`);
});

test('a report holds what was computed, and nothing that was not', () => {
  const text = report('Do it.', `${results['bash']}\nnoise`);
  expect(text).toContain('| t.csv | all | 3 | -0.1 | 0.5 | -0.2 | 0.5 | 0.066 |');
  expect(text).toContain('**t.csv**: 3 rows of `temp`, in 1 series.');
  expect(text).not.toContain('noise');
});
