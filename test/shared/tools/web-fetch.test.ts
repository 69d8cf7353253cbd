import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Fault } from '#shared/core/fault.ts';
import { limits } from '#shared/core/limits.ts';
import type { ToolCall, ToolOutcome } from '#shared/tools/tools.ts';
import { isFromSources, isInDomains, urlsIn, type WebRules } from '#shared/tools/web-rules.ts';
import { aCall, startRig, textOf, type Rig } from './rig.ts';

const pages: Record<string, (response: ServerResponse) => void> = {
  '/html': (response) =>
    response
      .writeHead(200, { 'content-type': 'text/html; charset=iso-8859-1' })
      .end(
        Buffer.from(
          '<html><head><title>T</title><style>x{}</style></head><body><h1>Caf\u00e9</h1><script>evil()</script><p>See <a href="/b">b</a>.</p></body></html>',
          'latin1',
        ),
      ),
  '/json': (response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"a":1}'),
  '/md': (response) => response.writeHead(200, { 'content-type': 'text/markdown' }).end('# M'),
  '/pdf': (response) =>
    response.writeHead(200, { 'content-type': 'application/pdf' }).end('%PDF-1.7'),
  '/png': (response) =>
    response.writeHead(200, { 'content-type': 'image/png' }).end('\x89PNG\r\n\x1a\n', 'latin1'),
  '/jpeg-as-png': (response) =>
    response.writeHead(200, { 'content-type': 'image/png' }).end('\xff\xd8\xff\xe0', 'latin1'),
  '/page-as-png': (response) =>
    response.writeHead(200, { 'content-type': 'image/png' }).end('<h1>Not here</h1>'),
  '/no-pdf': (response) => response.writeHead(200, { 'content-type': 'application/pdf' }).end(),
  '/late-charset': (response) =>
    response
      .writeHead(200, { 'content-type': 'application/json; odata=none; charset=iso-8859-1' })
      .end('"Caf\xe9"', 'latin1'),
  '/zip': (response) => response.writeHead(200, { 'content-type': 'application/zip' }).end('PK'),
  '/404': (response) => response.writeHead(404).end('no'),
  '/long': (response) =>
    response.writeHead(200, { 'content-type': 'text/plain' }).end('x'.repeat(150_000)),
  '/huge': (response) =>
    response
      .writeHead(200, { 'content-type': 'text/plain' })
      .end(Buffer.alloc(limits.fetch_body_bytes_max + 1, 65)),
  '/bomb': (response) =>
    response
      .writeHead(200, { 'content-type': 'text/plain', 'content-encoding': 'gzip' })
      .end(gzipSync(Buffer.alloc(limits.fetch_body_bytes_max * 3))),
  '/loop': (response) => response.writeHead(302, { location: '/loop' }).end(),
  '/hop': (response) => response.writeHead(302, { location: 'http://elsewhere.example/md' }).end(),
  '/inner': (response) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
  '/cut': (response) => {
    response.writeHead(200, { 'content-type': 'text/plain', 'content-length': '100' });
    response.write('part');
    setImmediate(() => response.destroy());
  },
};

let rig: Rig;
let server: Server;
beforeAll(async () => {
  server = createServer((request, response) => pages[request.url ?? '']?.(response));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  rig = await startRig({ port: (server.address() as AddressInfo).port });
});
afterAll(async () => {
  server.close();
  await rig.stop();
});

async function fetched(path: string, patch: Partial<ToolCall> = {}): Promise<ToolOutcome> {
  const url = path.startsWith('/') ? `http://site.example${path}` : path;
  return await rig.runner.run(aCall('web_fetch', { url }, patch), new AbortController().signal);
}

test('a page comes as Markdown, in its own character set, without its scripts', async () => {
  const text = textOf(await fetched('/html'));
  expect(text).toMatch(/^http:\/\/site\.example\/html\n/);
  expect(text).toContain('# Caf\u00e9');
  expect(text).toContain('[b](/b)');
  expect(text).not.toMatch(/evil|x\{\}/);
});

test.each([
  ['/json', 'http://site.example/json\n\n{"a":1}'],
  ['/md', 'http://site.example/md\n\n# M'],
  ['/hop', 'http://elsewhere.example/md\n\n# M'],
  ['/pdf', '<document>'],
  ['/png', '<image>'],
  ['/late-charset', 'http://site.example/late-charset\n\n"Caf\u00e9"'],
])('%s is shown', async (path, expected) => {
  expect(textOf(await fetched(path))).toBe(expected);
});

test.each([
  ['/404', 'url_not_accessible: the host answered 404'],
  ['/page-as-png', 'url_not_accessible: the host says image/png, and its answer is none'],
  ['/no-pdf', 'url_not_accessible: the host says application/pdf, and its answer is none'],
  ['/zip', 'unsupported_content_type: application/zip'],
  ['/huge', 'url_not_allowed: The answer is larger'],
  ['/bomb', 'url_not_allowed: The answer is larger'],
  ['/loop', 'url_not_allowed: More than 5 redirects'],
  ['/inner', "url_not_allowed: The host '169.254.169.254' is not on the public internet"],
  ['/cut', 'url_not_accessible: The answer broke off'],
  ['http://user:secret@site.example/md', 'invalid_input'],
  ['nonsense', 'invalid_input'],
  ['ftp://site.example/', 'url_not_allowed: Only http and https'],
])('%s is refused as an error of the tool', async (path, expected) => {
  expect(textOf(await fetched(path))).toContain(`! ${expected}`);
});

test('an image is named by what it is, not by what its host says: a provider refuses the other', async () => {
  const { content } = await fetched('/jpeg-as-png');
  expect(content).toMatchObject([{ type: 'image', source: { media_type: 'image/jpeg' } }]);
});

test('a long page goes to a file of the session, and the model gets its beginning and the path', async () => {
  const outcome = await fetched('/long', { session_id: 'sesn_long', event_id: 'sevt_long' });
  const text = textOf(outcome);
  expect(text.length).toBeLessThan(5_000);
  expect(text).toContain('The whole is in /mnt/session/tool_outputs/sevt_long.txt.');
  const { bytes } = await rig.files.read('sesn_long', '/mnt/session/tool_outputs/sevt_long.txt');
  expect(bytes.length).toBeGreaterThan(150_000);
});

test('a long page in a session that is full has its beginning, and says that the rest is not kept', async () => {
  const write = vi
    .spyOn(rig.files, 'write')
    .mockRejectedValue(new Fault('too_large', 'The session has no room.'));
  const text = textOf(await fetched('/long'));
  write.mockRestore();
  expect(text).toMatch(/^http:\/\/site\.example\/long\n\nx{1000}/);
  expect(text).toContain('The rest could not be kept. The session has no room.');
});

test('domain rules hold for the address and for every redirect', async () => {
  const web: WebRules = { allowed_domains: ['site.example'] };
  expect(textOf(await fetched('/md', { web }))).toContain('# M');
  expect(textOf(await fetched('/hop', { web }))).toMatch(/^! url_not_allowed/);
  expect(textOf(await fetched('/md', { web: { blocked_domains: ['example'] } }))).toMatch(
    /^! url_not_allowed/,
  );
});

test('a page is cut at the tokens that the agent allows', async () => {
  expect(textOf(await fetched('/long', { web: { max_content_tokens: 10 } }))).toBe(
    `http://site.example/long\n\n${'x'.repeat(40)}\n\n[cut here]`,
  );
});

test.each<[rules: WebRules, url: string, expected: boolean]>([
  [{}, 'http://a.example/', true],
  [{ allowed_domains: ['a.example'] }, 'http://a.example/x', true],
  [{ allowed_domains: ['a.example'] }, 'http://sub.A.example/x', true],
  [{ allowed_domains: ['a.example'] }, 'http://a.example./x', true],
  [{ allowed_domains: ['a.example'] }, 'http://nota.example/', false],
  [{ allowed_domains: ['a.example'] }, 'http://a.example.evil.example/', false],
  [{ blocked_domains: ['a.example'] }, 'http://b.example/', true],
  [{ blocked_domains: ['a.example'] }, 'http://x.a.example/', false],
  [{ blocked_domains: ['a.example'] }, 'http://a.example../', false],
  [{ allowed_domains: ['a.example/docs'] }, 'http://a.example/docs/x', true],
  [{ allowed_domains: ['a.example/docs'] }, 'http://a.example/docsx', false],
])('%j allows %s: %s', (rules, url, expected) => {
  expect(isInDomains(rules, new URL(url))).toBe(expected);
});

const seen = {
  user_input: ['look at https://user.example/a, please'],
  client_tool_results: [{ tool: 'crm', text: '{"url":"https://crm.example/1"}' }],
  server_tool_results: [
    { tool: 'web_search', text: '[x](https://found.example/p_(1)) https://found.example/q.' },
  ],
};
const all = { type: 'all' as const };
const none = { type: 'none' as const };
const only = (name: string) => ({
  type: 'only' as const,
  tools: [{ type: 'tool_reference' as const, name }],
});
const except = (name: string) => ({
  type: 'except' as const,
  tools: [{ type: 'tool_reference' as const, name }],
});

test.each<[rules: WebRules['url_sources'], url: string, expected: boolean]>([
  [null, 'https://anywhere.example/', true],
  [
    { user_input: null, client_tool_results: null, server_tool_results: null },
    'https://anywhere.example/',
    false,
  ],
  [
    { user_input: all, client_tool_results: none, server_tool_results: none },
    'https://user.example/a',
    true,
  ],
  [
    { user_input: all, client_tool_results: none, server_tool_results: none },
    'https://user.example/a#part',
    true,
  ],
  [
    { user_input: all, client_tool_results: none, server_tool_results: none },
    'https://user.example/b',
    false,
  ],
  [
    { user_input: none, client_tool_results: all, server_tool_results: all },
    'https://user.example/a',
    false,
  ],
  [
    { user_input: none, client_tool_results: only('crm'), server_tool_results: none },
    'https://crm.example/1',
    true,
  ],
  [
    { user_input: none, client_tool_results: only('other'), server_tool_results: none },
    'https://crm.example/1',
    false,
  ],
  [
    { user_input: none, client_tool_results: except('crm'), server_tool_results: none },
    'https://crm.example/1',
    false,
  ],
  [
    { user_input: none, client_tool_results: none, server_tool_results: null },
    'https://found.example/p_(1)',
    true,
  ],
  [
    { user_input: none, client_tool_results: none, server_tool_results: null },
    'https://found.example/q',
    true,
  ],
  [
    { user_input: none, client_tool_results: all, server_tool_results: none },
    'https://found.example/q',
    false,
  ],
])('with the sources %j, %s may be fetched: %s', (url_sources, url, expected) => {
  expect(isFromSources({ url_sources: url_sources ?? null }, new URL(url), seen)).toBe(expected);
});

test.each([
  ['请看https://user.example/a。', 'https://user.example/a'],
  ['「https://user.example/a」を読んで', 'https://user.example/a'],
  ['(https://user.example/a)，谢谢', 'https://user.example/a'],
  ['https://user.example/資料、', 'https://user.example/%E8%B3%87%E6%96%99'],
])('in "%s" the address ends where the sentence goes on', (text, expected) => {
  expect(urlsIn(text).map(({ href }) => href)).toContain(expected);
});

test('addresses are found in a long text without addresses in time that does not explode', () => {
  const began = performance.now();
  urlsIn(
    `${'http://'.repeat(50_000)} ${'('.repeat(50_000)} ${'http://a.example/.'.repeat(50_000)}`,
  );
  expect(performance.now() - began).toBeLessThan(5_000);
});
