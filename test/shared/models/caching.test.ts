/**
 * Prompt caching. Method: random conversations grow round by round; each request must mark the end
 * of the one before it, on bytes that did not change. The last test asks the scripted Messages API,
 * which keeps a cache by the documented rules, what a long session really paid.
 */
import type { BetaMessageParam } from '@anthropic-ai/sdk/resources/beta/messages/messages';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ModelRequest } from '#shared/models/model.ts';
import { toParams } from '#shared/models/params.ts';
import { startModel } from '../../model/model.ts';
import { calls, reply, say, think } from '../../model/replies.ts';
import { aRequest, modelAt, never, partsOf } from './samples.ts';

const anthropic = { provider: 'anthropic', model_ids: {} } as const;

interface Piece {
  readonly text: string;
  readonly marked: boolean;
}

/** Everything that the cache reads, in its order, and where the marks are. */
function pieces(request: ModelRequest): Piece[] {
  const { tools = [], system = [], messages } = toParams(request, anthropic);
  const said = messages.flatMap(({ role, content }): object[] =>
    Array.isArray(content) ? content.map((block) => ({ ...block, role })) : [{ role, content }],
  );
  const blocks: object[] = [...tools, ...(typeof system === 'string' ? [] : system), ...said];
  return blocks.map((block) => {
    const { cache_control, ...rest } = block as { cache_control?: unknown };
    return { text: JSON.stringify(rest), marked: cache_control !== undefined };
  });
}

type Round = { calls: number; thought: boolean; words: string; follow_up: boolean };

const round = fc.record({
  calls: fc.integer({ min: 0, max: 30 }),
  thought: fc.boolean(),
  words: fc.string({ minLength: 1, maxLength: 5 }).filter((text) => text.trim() !== ''),
  follow_up: fc.boolean(),
});

/** What one round appends: the model's answer, and what the user's side says to it. */
function append(
  messages: BetaMessageParam[],
  { calls: n, thought, words, follow_up }: Round,
): void {
  const at = messages.length;
  const ids = Array.from({ length: n }, (_, index) => `toolu_${at}_${index}`);
  messages.push({
    role: 'assistant',
    content: [
      ...(thought ? [{ type: 'thinking' as const, thinking: 'hm', signature: 's' }] : []),
      { type: 'text', text: words },
      ...ids.map((id) => ({ type: 'tool_use' as const, id, name: 'bash', input: {} })),
    ],
  });
  for (const tool_use_id of ids) {
    messages.push({ role: 'user', content: [{ type: 'tool_result', tool_use_id, content: 'ok' }] });
  }
  if (follow_up || n === 0) messages.push({ role: 'user', content: `${words}?` });
}

test('a request marks the end of the one before it, and changes nothing up to there', () => {
  fc.assert(
    fc.property(
      fc.array(round, { minLength: 1, maxLength: 8 }),
      fc.boolean(),
      (rounds, prompted) => {
        const messages: BetaMessageParam[] = [{ role: 'user', content: 'go' }];
        const tools = [{ name: 'bash', input_schema: { type: 'object' as const } }];
        const request = () =>
          pieces(aRequest({ messages: [...messages], tools, system: prompted ? 'You work.' : '' }));
        let before = request();
        for (const one of rounds) {
          append(messages, one);
          const now = request();
          const end = before.findLastIndex(({ marked }) => marked);
          expect(now.slice(0, end + 1).map(({ text }) => text)).toEqual(
            before.slice(0, end + 1).map(({ text }) => text),
          );
          expect(now[end]?.marked).toBe(true);
          expect(now.filter(({ marked }) => marked).length).toBeLessThanOrEqual(4);
          before = now;
        }
      },
    ),
  );
});

test('the end of tools and system is marked, and the last message', () => {
  const tools = [
    { name: 'a', input_schema: { type: 'object' as const } },
    { name: 'b', input_schema: { type: 'object' as const } },
  ];
  const marks = (over: Partial<ModelRequest>) => pieces(aRequest(over)).map(({ marked }) => marked);
  expect(marks({ tools })).toEqual([false, false, true, true]);
  expect(marks({ tools, system: '' })).toEqual([false, true, true]);
  expect(marks({ system: '' })).toEqual([true]);
});

test('a long session of parallel rounds pays each token once', async () => {
  const server = await startModel();
  server.onTurns(
    'go',
    ...Array.from({ length: 6 }, (_, n) =>
      n === 5
        ? say('done')
        : reply(
            think(`thought ${n}`),
            calls(...Array.from({ length: 25 }, (_, i) => ['bash', { n, i }] as const)),
          ),
    ),
  );
  const model = modelAt(server.url);
  const tools = [{ name: 'bash', input_schema: { type: 'object' as const } }];
  const messages: BetaMessageParam[] = [{ role: 'user', content: 'go' }];
  for (;;) {
    const request = aRequest({ system: 'You work. '.repeat(600), tools, messages: [...messages] });
    const last = (await partsOf(model.stream(request, never()))).at(-1);
    if (last?.type !== 'done') throw new Error('no end');
    const { content, stop_reason } = last.message;
    if (stop_reason !== 'tool_use') break;
    messages.push({ role: 'assistant', content: [...content] });
    for (const block of content) {
      if (block.type !== 'tool_use') continue;
      const result = {
        type: 'tool_result',
        tool_use_id: block.id,
        content: 'x'.repeat(400),
      } as const;
      messages.push({ role: 'user', content: [result] });
    }
  }
  await server.close();
  expect(server.violations).toEqual([]);
  const usage = server.requests.map(({ cache }) => cache);
  const cached = usage.map((one) =>
    one === undefined ? 0 : one.cache_read_input_tokens + one.cache_creation_input_tokens,
  );
  expect(usage.map((one) => one?.cache_read_input_tokens)).toEqual([0, ...cached.slice(0, -1)]);
  expect(usage.map((one) => one?.input_tokens)).toEqual(usage.map(() => 0));
});
