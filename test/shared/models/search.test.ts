import type { ContentBlock } from '@anthropic-ai/sdk/resources/messages';
import { afterEach, describe, expect, test } from 'vitest';
import { aborted, withSpent } from '#shared/models/model-error.ts';
import type { Model } from '#shared/models/model.ts';
import {
  providerSearch,
  providerSearches,
  searchWith,
  type SearchFindings,
} from '#shared/models/search.ts';
import type { Search } from '#shared/tools/search.ts';
import { startModel, type ScriptedModel } from '../../model/model.ts';
import { costing, fail, reply, say, whole, type Reply } from '../../model/replies.ts';
import { modelAt, never, noUsage } from './samples.ts';

const servers: ScriptedModel[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function search(
  over: object,
  ...replies: readonly Reply[]
): Promise<SearchFindings & { server: ScriptedModel }> {
  const server = await startModel();
  servers.push(server);
  server.on(() => true, ...replies);
  const model = { id: 'claude-opus-5', effort: { type: 'high' }, speed: 'fast' } as const;
  const query = { query: 'tides', model, thread_id: 'sthr_1', ...over };
  return { ...(await searchWith(modelAt(server.url))(query, never())), server };
}

const results = (content: unknown): Reply =>
  whole({ type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content } as ContentBlock);
const hit = (n: number) => ({
  type: 'web_search_result',
  title: `Title ${n}`,
  url: `https://example.com/${n}`,
  page_age: n === 1 ? 'May 1, 2026' : null,
  encrypted_content: 'secret',
});
const quoting = (text: string, ...quotes: [n: number, quote: string][]): Reply =>
  whole({
    type: 'text',
    text,
    citations: quotes.map(([n, cited_text]) => ({
      type: 'web_search_result_location',
      cited_text,
      encrypted_index: 'x',
      title: `Title ${n}`,
      url: `https://example.com/${n}`,
    })),
  } as ContentBlock);
const once = { server_tool_use: { web_search_requests: 1, web_fetch_requests: 0 } };

test('hits come with what was quoted of them, and the search is counted', async () => {
  const { server, ...found } = await search(
    {},
    costing(
      once,
      reply(results([hit(1), hit(2)]), quoting('Twice a day.', [1, 'two tides'], [1, 'a day'])),
    ),
  );
  expect(found).toMatchObject({
    hits: [
      {
        title: 'Title 1',
        url: 'https://example.com/1',
        page_age: 'May 1, 2026',
        text: 'Twice a day. [“two tides”]\nTwice a day. [“a day”]',
      },
      { title: 'Title 2', url: 'https://example.com/2', page_age: null, text: '' },
    ],
    summary: 'Twice a day.',
    error_code: null,
    usage: { web_search_requests: 1 },
  });
  expect(server.requests[0]?.body).toMatchObject({
    tools: [{ type: 'web_search_20250305', name: 'web_search', max_uses: 1 }],
    output_config: { effort: 'low' },
  });
  // Newer models refuse a forced tool.
  expect(server.requests[0]?.body).not.toHaveProperty('tool_choice');
});

test.each([
  ['allowed_domains', ['a.org']],
  ['blocked_domains', ['b.org']],
])('%s are the provider’s to keep', async (field, domains) => {
  const { server } = await search({ [field]: domains }, say('nothing'));
  expect(server.requests[0]?.body.tools?.[0]).toMatchObject({ [field]: domains });
});

test('a search that failed says why', async () => {
  const failure = { type: 'web_search_tool_result_error', error_code: 'too_many_requests' };
  const found = await search({}, reply(results(failure), say('It failed.')));
  expect(found).toMatchObject({ hits: [], error_code: 'too_many_requests' });
});

test('a model that did not search has found nothing', async () => {
  expect(await search({}, say('I know that.'))).toMatchObject({ hits: [], error_code: null });
});

test('the provider’s failure is a ModelError', async () => {
  await expect(search({}, fail(529))).rejects.toMatchObject({ kind: 'overloaded' });
});

test('what a search has used that is stopped is told, all of its requests together', async () => {
  let asked = 0;
  const usage = { ...noUsage, input_tokens: 7 };
  const model: Model = {
    async *stream() {
      asked += 1;
      if (asked > 1) throw withSpent(aborted(), usage);
      const message = { content: [], stop_reason: 'pause_turn' as const, stop_details: null };
      yield { type: 'done', message: { ...message, usage, speed: null } };
    },
  };
  await expect(providerSearch(model).search('q', {}, never())).rejects.toMatchObject({
    kind: 'upstream',
    usage: { input_tokens: 14, model_id: 'claude-haiku-5-5' },
  });
});

test('only Bedrock has no search of its own', () => {
  expect(providerSearches('anthropic')).toBe(true);
  expect(providerSearches('claude-platform-aws')).toBe(true);
  expect(providerSearches('bedrock')).toBe(false);
});

test('a pause is not the end: the answer so far is sent back, and all of it is counted', async () => {
  const asked: number[] = [];
  const usage = { ...noUsage, web_search_requests: 1 };
  // The scripted server does not pause, so the port itself is played here.
  const model: Model = {
    async *stream({ messages }) {
      asked.push(messages.length);
      const stop_reason = asked.length < 3 ? 'pause_turn' : 'end_turn';
      const content = [{ type: 'text' as const, text: `${asked.length}`, citations: null }];
      yield {
        type: 'done',
        message: { content, stop_reason, stop_details: null, usage, speed: null },
      };
    },
  };
  const query = { query: 'q', model: { id: 'm' }, thread_id: 't' };
  const found = await searchWith(model)(query, never());
  expect(asked).toEqual([1, 2, 3]);
  expect(found).toMatchObject({ summary: '123', usage: { web_search_requests: 3 } });
});

test('pauses have an end', async () => {
  let asked = 0;
  const model: Model = {
    async *stream() {
      asked += 1;
      const stop_reason = 'pause_turn';
      yield {
        type: 'done',
        message: { content: [], stop_reason, stop_details: null, usage: noUsage, speed: null },
      };
    },
  };
  await searchWith(model)({ query: 'q', model: { id: 'm' }, thread_id: 't' }, never());
  expect(asked).toBe(4);
});

describe('the port of the tools', () => {
  async function port(...replies: readonly Reply[]): Promise<[Search, ScriptedModel]> {
    const server = await startModel();
    servers.push(server);
    return [providerSearch(modelAt(server.url)), server.on(() => true, ...replies)];
  }

  test('searches with a small model, by the rules of the agent', async () => {
    const [found, server] = await port(
      costing(once, reply(results([hit(1)]), quoting('Two.', [1, '2']))),
    );
    const rules = { allowed_domains: ['example.com'] };
    expect(await found.search('tides', rules, never())).toMatchObject({
      results: [
        { title: 'Title 1 (May 1, 2026)', url: 'https://example.com/1', text: 'Two. [“2”]' },
      ],
      usage: { web_search_requests: 1 },
    });
    expect(server.requests[0]?.body).toMatchObject({
      model: 'claude-haiku-5-5',
      tools: [{ allowed_domains: ['example.com'] }],
    });
  });

  test.each([
    ['the provider fails', fail(529)],
    [
      'the search fails',
      results({ type: 'web_search_tool_result_error', error_code: 'unavailable' }),
    ],
  ])('says so when %s', async (_name, said) => {
    const [found] = await port(said);
    await expect(found.search('tides', {}, never())).rejects.toMatchObject({ kind: 'upstream' });
  });
});
