import type { BetaMessageParam } from '@anthropic-ai/sdk/resources/beta/messages/messages';
import { afterEach, expect, test } from 'vitest';
import { compact, mustCompact, type Compaction } from '#shared/models/compaction.ts';
import { startModel, type ScriptedModel } from '../../model/model.ts';
import { call, costing, fail, say, stopped, type Reply } from '../../model/replies.ts';
import { aRequest, modelAt, never } from './samples.ts';

const servers: ScriptedModel[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

const big = 'x'.repeat(2_000_000);
const messages: BetaMessageParam[] = [
  { role: 'user', content: 'go' },
  { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'bash', input: {} }] },
  { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: big }] },
];
const tools = [{ name: 'bash', input_schema: { type: 'object' as const } }];

async function run(...replies: readonly Reply[]): Promise<[Compaction, ScriptedModel]> {
  const server = await startModel();
  servers.push(server);
  server.on(() => true, ...replies);
  const request = aRequest({ messages, tools });
  return [await compact(modelAt(server.url), request, never()), server];
}

const long = fail(400, 'prompt is too long: 9 tokens > 8 maximum');
const sizeOf = ({ requests }: ScriptedModel) =>
  requests.map(({ body }) => JSON.stringify(body.messages).length);

test.each([
  ['claude-opus-5', 0, false],
  ['claude-opus-5', 800_000, false],
  ['claude-opus-5', 800_001, true],
  ['claude-haiku-4-5', 160_001, true],
  ['claude-haiku-4-5', 160_000, false],
  ['unknown-model', 160_001, true],
])('%s with %i tokens of context: %s', (id, tokens, expected) => {
  expect(mustCompact(id, tokens)).toBe(expected);
});

test('the summary is what stands between its tags', async () => {
  const [compaction, server] = await run(say('Sure.\n<summary>\nTask: go.\n</summary>'));
  expect(compaction).toMatchObject({ type: 'compacted', summary: 'Task: go.' });
  expect(server.violations).toEqual([]);
});

test('a summary without tags is the whole text', async () => {
  expect((await run(say('Task: go.')))[0]).toMatchObject({ summary: 'Task: go.' });
});

test('the request is the thread’s own, so that the cache reads it', async () => {
  const [, server] = await run(say('s'));
  const body = server.requests[0]?.body;
  expect(body).toMatchObject({ tools: [{ name: 'bash' }], system: [{ text: 'You work.' }] });
  expect(body).not.toHaveProperty('tool_choice');
  expect(sizeOf(server)[0]).toBeGreaterThan(big.length);
});

test('what is too long is tried again with shorter results', async () => {
  const [compaction, server] = await run(long, long, say('s'));
  expect(compaction.type).toBe('compacted');
  const [first = 0, second = 0, third = 0] = sizeOf(server);
  expect(second).toBeLessThan(first);
  expect(third).toBeLessThan(second);
});

test('what users wrote is shortened too, and pictures are left out: else they would be too long for ever', async () => {
  const server = await startModel();
  servers.push(server);
  server.on(() => true, long, say('s'));
  const source = { type: 'base64' as const, media_type: 'image/png' as const, data: 'AAAA' };
  const content = [
    ...Array.from({ length: 4 }, () => ({ type: 'text' as const, text: big })),
    { type: 'text' as const, text: 'Keep this.' },
    { type: 'image' as const, source },
  ];
  const request = aRequest({ messages: [{ role: 'user', content }] });
  expect(await compact(modelAt(server.url), request, never())).toMatchObject({ summary: 's' });
  const [first = 0, second = 0] = sizeOf(server);
  expect([first > 8_000_000, second < 1_600_000]).toEqual([true, true]);
  const again = JSON.stringify(server.requests[1]?.body.messages);
  expect(again).toContain('Keep this.');
  expect(again).toContain('[image: left out]');
  expect(again).not.toContain('base64');
});

test('pictures that tools gave back are left out, and take no room from what they said', async () => {
  const server = await startModel();
  servers.push(server);
  server.on(() => true, long, say('s'));
  const data = 'iVBORw'.repeat(700_000);
  const source = { type: 'base64' as const, media_type: 'image/png' as const, data };
  const content = [
    { type: 'text' as const, text: 'A picture of it.' },
    { type: 'image' as const, source },
  ];
  const answer: BetaMessageParam = {
    role: 'user',
    content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content }],
  };
  const shown = aRequest({ messages: [...messages.slice(0, 2), answer], tools });
  await compact(modelAt(server.url), shown, never());
  const again = JSON.stringify(server.requests[1]?.body.messages);
  expect(again).toContain('A picture of it.');
  expect(again).toContain('[image: left out]');
  expect(again).not.toContain('iVBORw');
});

test.each([
  ['always too long', long],
  ['a call instead of words', call('bash')],
  ['an empty text', say('<summary> </summary>')],
  ['a summary cut by its length', stopped('max_tokens', say('<summary>half'))],
])('%s reaches the limit after three tries', async (_name, said) => {
  const [compaction, server] = await run(said, said, said, said);
  expect(compaction).toMatchObject({ type: 'limit_reached' });
  expect(server.requests).toHaveLength(3);
});

test('the provider’s failure is handed on, for the loop to retry', async () => {
  const [compaction, server] = await run(fail(529), say('s'));
  expect(compaction).toMatchObject({
    type: 'failed',
    error: { kind: 'overloaded', retryable: true },
  });
  expect(server.requests).toHaveLength(1);
});

test('tries that brought no summary are charged as well', async () => {
  const empty = costing({ output_tokens: 7 }, say('<summary></summary>'));
  const [done] = await run(empty, costing({ output_tokens: 5 }, say('s')));
  expect(done).toMatchObject({ type: 'compacted', usage: { output_tokens: 12 } });
  const [given_up] = await run(empty, long, empty);
  expect(given_up).toMatchObject({ type: 'limit_reached', usage: { output_tokens: 14 } });
  expect((await run(long, long, long))[0]).toEqual({ type: 'limit_reached', usage: null });
});
