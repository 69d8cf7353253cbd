import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { apiSearch } from '#shared/tools/search-api.ts';
import type { WebRules } from '#shared/tools/web-rules.ts';
import { aCall, dialerTo, startRig, textOf, type Rig } from './rig.ts';

const KEY = 'canary-of-a-search-key';

/** A search API on loopback that answers what `answer` says, and remembers how it was asked. */
let server: Server;
let rig: Rig;
let answer = { status: 200, body: '' };
let asked: { url: URL; key: string | undefined } | undefined;

beforeAll(async () => {
  server = createServer((request, response) => {
    const key = request.headers['x-subscription-token'];
    asked = { url: new URL(request.url ?? '', 'http://x'), key: String(key) };
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const dialer = dialerTo((server.address() as AddressInfo).port);
  const secret = { api_key: KEY, url: 'http://search.example/res/v1/web/search?lang=en' };
  rig = await startRig({ search: apiSearch(dialer, async () => secret) });
});
afterAll(async () => {
  server.close();
  await rig.stop();
});

async function search(web: WebRules = {}) {
  return await rig.runner.run(
    aCall('web_search', { query: 'wide rivers' }, { web }),
    new AbortController().signal,
  );
}

const found = JSON.stringify({
  web: {
    results: [
      {
        title: '<b>Rivers</b>',
        url: 'https://a.example/r',
        description: 'Long <strong>rivers</strong>',
        extra_snippets: ['More'],
      },
      { title: 'Other', url: 'https://b.example/r' },
      { title: 'Broken', url: 'nonsense' },
    ],
  },
});

test('results come as search_result blocks, and the search is counted', async () => {
  answer = { status: 200, body: found };
  expect(await search()).toEqual({
    content: [
      {
        type: 'search_result',
        title: 'Rivers',
        source: 'https://a.example/r',
        content: [{ type: 'text', text: 'Long rivers\nMore' }],
        citations: { enabled: true },
      },
      {
        type: 'search_result',
        title: 'Other',
        source: 'https://b.example/r',
        content: [{ type: 'text', text: 'Other' }],
        citations: { enabled: true },
      },
    ],
    is_error: false,
    usage: { web_search_requests: 1 },
  });
  expect(asked?.key).toBe(KEY);
  expect(asked?.url.searchParams.get('q')).toBe('wide rivers');
  expect(asked?.url.searchParams.get('lang')).toBe('en');
});

test('domain rules go into the query and are checked again on what comes back', async () => {
  answer = { status: 200, body: found };
  const outcome = await search({ allowed_domains: ['b.example'] });
  expect(asked?.url.searchParams.get('q')).toBe('wide rivers site:b.example');
  expect(outcome.content.map((block) => block.type === 'search_result' && block.source)).toEqual([
    'https://b.example/r',
  ]);
  const none = await search({ blocked_domains: ['a.example', 'b.example'] });
  expect(textOf(none)).toBe('No results.');
  expect(none.usage).toEqual({ web_search_requests: 1 });
});

test.each([
  [{ status: 429, body: `{"bad":"${KEY}"}` }, 'unavailable: The search answered 429.'],
  [
    { status: 200, body: `no json: ${KEY}` },
    'unavailable: The search gave an answer that cannot be read.',
  ],
  [
    { status: 200, body: '{"web":{"results":[{"title":1}]}}' },
    'unavailable: The search gave an answer that cannot be read.',
  ],
])('a search that fails with %j is an error result', async (bad, expected) => {
  answer = bad;
  expect(textOf(await search())).toBe(`! ${expected}`);
});

test('a secret that is not JSON is not quoted', async () => {
  const searching = apiSearch(dialerTo(1), async () => JSON.parse('key-in-plain-text') as never);
  const tried = searching.search('wide rivers', {}, new AbortController().signal);
  const error: unknown = await tried.catch((caught: unknown) => caught);
  expect(inspect(error)).toContain('The search secret cannot be read.');
  expect(inspect(error)).not.toContain('key-in-pla');
});

test('nor is the key, where the search cannot be reached', async () => {
  const secret = { api_key: KEY, url: 'http://search.example/' };
  const searching = apiSearch(dialerTo(1), async () => secret);
  const tried = searching.search('wide rivers', {}, new AbortController().signal);
  const error: unknown = await tried.catch((caught: unknown) => caught);
  expect(inspect(error, { depth: 20 })).toContain('could not be reached');
  expect(inspect(error, { depth: 20 })).not.toContain(KEY);
});
