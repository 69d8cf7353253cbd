/**
 * Repositories as GitHub gives them, from a stand-in of it on loopback: what the platform asks, what
 * it takes, and what it says of each failure.
 */
import { packTar, type TarHeader } from 'modern-tar';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { limits } from '#shared/core/limits.ts';
import { bringRepository, type BringRepository } from '#shared/resources/bring-repository.ts';
import { newRepository } from '#shared/resources/repository.ts';
import type { RepositoryResource } from '#shared/resources/resource.ts';
import type { RepositoryParams } from '#shared/resources/resource-wire.ts';
import { MemoryCipher } from '../../memory-cipher.ts';
import { dialerTo, inSession, startRig, type Rig } from '../tools/rig.ts';

const API = 'http://api.github.test';
const ARCHIVES = 'http://codeload.github.test';
const TOKEN = 'ghp_a-token-of-this-test';

interface Asked {
  readonly host: string | undefined;
  readonly url: string | undefined;
  readonly authorization: string | undefined;
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let rig: Rig;
let server: Server;
let asked: Asked[] = [];
/** By host and path. */
let answers: Record<string, Answer> = {};
let bring: BringRepository;
const cipher = new MemoryCipher();

beforeAll(async () => {
  server = createServer((request, response) => {
    const { host, authorization } = request.headers;
    asked.push({ host, url: request.url, authorization });
    const answer = answers[`${host}${request.url}`];
    if (answer === undefined) response.writeHead(404).end('{}');
    else answer(request, response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  rig = await startRig({ port });
  const dialer = dialerTo(port);
  bring = bringRepository({
    github: { dialer, api_origin: API, archive_origin: ARCHIVES },
    cipher,
    blobs: rig.blobs,
    files: rig.files,
    sandbox: rig.sandbox,
  });
});
afterAll(async () => {
  server.close();
  await rig.stop();
});
beforeEach(() => {
  asked = [];
  answers = {};
  rig.sandbox.before = () => {};
});

type Entry = Partial<TarHeader> & { readonly name: string; readonly body?: string };

async function archiveOf(entries: readonly Entry[]): Promise<Buffer> {
  const packed = await packTar(
    entries.map(({ body = '', ...header }) => ({
      header: { type: 'file', size: Buffer.byteLength(body), ...header },
      body,
    })),
  );
  return gzipSync(packed, { level: 1 });
}

const usual: Entry[] = [
  { name: 'octo-hello-abc123/', type: 'directory' },
  {
    name: 'octo-hello-abc123/README.md',
    body: '# Hello\n',
    mode: 0o664,
    mtime: new Date('2024-05-06'),
  },
  { name: 'octo-hello-abc123/bin/', type: 'directory' },
  { name: 'octo-hello-abc123/bin/run.sh', body: 'echo ran', mode: 0o775 },
  { name: 'octo-hello-abc123/bin/link', type: 'symlink', linkname: '../README.md' },
];

const send =
  (body: Buffer): Answer =>
  (_request, response) =>
    void response.writeHead(200, { 'content-type': 'application/x-gzip' }).end(body);

const redirect =
  (location: string): Answer =>
  (_request, response) =>
    void response.writeHead(302, { location }).end();

const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (_request, response) =>
    void response.writeHead(code, headers).end('{}');

const tarball = 'api.github.test/repos/octo/hello/tarball';

/** GitHub with one repository, as it is in life: the API redirects to where archives are. */
async function serves(entries: readonly Entry[], ref = ''): Promise<void> {
  const path = `/octo/hello/legacy.tar.gz${ref}`;
  answers[`${tarball}${ref}`] = redirect(`${ARCHIVES}${path}?token=signed`);
  answers[`codeload.github.test${path}?token=signed`] = send(await archiveOf(entries));
}

let sessions = 0;

async function aRepository(params: Partial<RepositoryParams> = {}): Promise<RepositoryResource> {
  const session_id = `sesn_repo${++sessions}`;
  return await newRepository(
    { cipher, newId: rig.newId },
    { session_id, workspace_id: 'wrkspc_1', at: '2026-01-01T00:00:00.000Z' },
    { type: 'github_repository', url: 'https://github.com/octo/hello', ...params },
  );
}

const never = new AbortController().signal;
const fetched = async (resource: RepositoryResource) => await bring(resource, 'wrkspc_1', never);

describe('what is there', () => {
  test('comes into the session with modes, times and links, and the token goes to the API only', async () => {
    await serves(usual);
    const resource = await aRepository({ authorization_token: TOKEN });
    expect(await fetched(resource)).toBeUndefined();
    const run = inSession(rig, resource.session_id);
    expect(await run('bash', { command: 'cd hello && cat bin/link && bash bin/run.sh' })).toBe(
      '# Hello\nran',
    );
    const { manifest } = await rig.files.manifests.read(resource.session_id);
    expect(Object.fromEntries(manifest.entries)).toMatchObject({
      '/workspace/hello/README.md': { mode: 0o644, modified_at: '2024-05-06T00:00:00.000Z' },
      '/workspace/hello/bin/run.sh': { mode: 0o755 },
      '/workspace/hello/bin/link': { kind: 'link', target: '../README.md' },
    });
    expect(manifest.entries.size).toBe(3);
    expect(asked).toEqual([
      {
        host: 'api.github.test',
        url: '/repos/octo/hello/tarball',
        authorization: `Bearer ${TOKEN}`,
      },
      {
        host: 'codeload.github.test',
        url: '/octo/hello/legacy.tar.gz?token=signed',
        authorization: undefined,
      },
    ]);
    expect(JSON.stringify(rig.sandbox.requests)).not.toContain(TOKEN);
  });

  test.each([
    [{ type: 'branch' as const, name: 'feat/a b#c' }, '/refs/heads/feat/a%20b%23c'],
    [{ type: 'commit' as const, sha: 'a'.repeat(40) }, `/${'a'.repeat(40)}`],
  ])('%j is asked for by its name', async (checkout, ref) => {
    await serves(usual, ref);
    expect(await fetched(await aRepository({ checkout }))).toBeUndefined();
  });

  test('a large one passes by the bucket, and one that is there already is not written again', async () => {
    const big = Buffer.alloc(limits.reply_contents_bytes_max + 5, 'x').toString();
    await serves([...usual, { name: 'octo-hello-abc123/big.txt', body: big }]);
    const resource = await aRepository({ mount_path: '/tmp/deep/hello' });
    const lost: string[] = [];
    rig.sandbox.before = () => {
      if (lost.push('once') === 1) throw new Error('died here');
    };
    await expect(fetched(resource)).rejects.toThrow('died here');
    expect(await fetched(resource)).toBeUndefined();
    const path = '/tmp/deep/hello/big.txt';
    expect((await rig.files.read(resource.session_id, path)).bytes).toHaveLength(big.length);
    const before = (await rig.files.manifests.read(resource.session_id)).manifest;
    const run = inSession(rig, resource.session_id);
    await run('write', { file_path: '/tmp/deep/hello/README.md', content: 'mine' });
    expect(await fetched(resource)).toBeUndefined();
    const { manifest } = await rig.files.manifests.read(resource.session_id);
    expect(manifest.entries.get(path)).toEqual(before.entries.get(path));
    const { bytes } = await rig.files.read(resource.session_id, '/tmp/deep/hello/README.md');
    expect(Buffer.from(bytes).toString()).toBe('mine');
  });

  test.each(['file', 'symlink'] as const)(
    'of two entries of one name the later one, a %s, counts',
    async (type) => {
      const of: Entry[] = [
        { name: 'octo-hello-abc123/x', body: 'text' },
        { name: 'octo-hello-abc123/x', type: 'symlink', linkname: 'README.md' },
      ];
      await serves([...usual, ...(type === 'file' ? of.toReversed() : of)]);
      const resource = await aRepository();
      expect(await fetched(resource)).toBeUndefined();
      const { manifest } = await rig.files.manifests.read(resource.session_id);
      const kind = type === 'file' ? 'file' : 'link';
      expect(manifest.entries.get('/workspace/hello/x')).toMatchObject({ kind });
    },
  );

  test('links that lead out of it are left out', async () => {
    await serves([
      ...usual,
      { name: 'octo-hello-abc123/out', type: 'symlink', linkname: '../../../etc/passwd' },
      { name: 'octo-hello-abc123/abs', type: 'symlink', linkname: '/tmp/x' },
    ]);
    const resource = await aRepository();
    expect(await fetched(resource)).toBeUndefined();
    const { manifest } = await rig.files.manifests.read(resource.session_id);
    expect(manifest.entries.size).toBe(3);
  });
});

describe('what is refused', () => {
  const bombs: [string, Entry[], RegExp][] = [
    ['a name that climbs', [{ name: 'top/../../x', body: 'x' }], /path that cannot be used/],
    ['a name that climbs in the middle', [{ name: 'top/a/../b', body: 'x' }], /path that cannot/],
    ['an absolute name', [{ name: '/top/x', body: 'x' }], /path that cannot be used/],
    ['a name too long', [{ name: `top/${'x'.repeat(300)}`, body: 'x' }], /path that cannot/],
    ['a device', [{ name: 'top/dev', type: 'character-device' }], /is a character-device/],
    ['a pipe', [{ name: 'top/pipe', type: 'fifo' }], /is a fifo/],
    ['a hard link', [{ name: 'top/hard', type: 'link', linkname: 'top/a' }], /is a link/],
    ['a file without a folder', [{ name: 'top', body: 'x' }], /no folder at its top/],
  ];
  test.each(bombs)('%s', async (_title, entries, text) => {
    await serves([...usual, ...entries]);
    const resource = await aRepository();
    expect(await fetched(resource)).toMatchObject({
      type: 'repository_clone_error',
      message: expect.stringMatching(text),
    });
    expect((await rig.files.manifests.read(resource.session_id)).manifest.version).toBe(0);
  });

  test('more files than a session holds', async () => {
    const many = Array.from({ length: limits.session_files_max + 1 }, (_, n) => ({
      name: `top/f${n}`,
    }));
    await serves(many);
    expect(await fetched(await aRepository())).toMatchObject({
      message: expect.stringMatching(/more than 10000 files/),
    });
  });

  test('an archive that unpacks to more than a session holds', async () => {
    const body = 'x'.repeat(limits.repository_bytes_max / 3);
    await serves(['a', 'b', 'c'].map((name) => ({ name: `top/${name}`, body })));
    expect(await fetched(await aRepository())).toMatchObject({
      type: 'repository_clone_error',
      message: expect.stringMatching(/bytes when unpacked/),
    });
  });

  test('what is no archive', async () => {
    answers[tarball] = send(Buffer.from('<html>'));
    expect(await fetched(await aRepository())).toMatchObject({
      type: 'repository_clone_error',
      message: expect.stringMatching(/damaged/),
    });
  });

  test('a redirect to another host', async () => {
    answers[tarball] = redirect('http://elsewhere.test/x');
    expect(await fetched(await aRepository())).toMatchObject({
      type: 'repository_clone_error',
      message: expect.stringMatching(/another host/),
    });
    expect(asked).toHaveLength(1);
  });
});

describe('what GitHub answers', () => {
  const repository = 'api.github.test/repos/octo/hello';
  const checkout = { type: 'branch', name: 'gone' } as const;
  const table: [string, Record<string, Answer>, Partial<RepositoryParams>, string, RegExp][] = [
    [
      'a token that it does not know',
      { [tarball]: status(401) },
      { authorization_token: TOKEN },
      'authentication',
      /another one/,
    ],
    ['no access', { [tarball]: status(403) }, {}, 'forbidden', /refuses/],
    ['taken down', { [tarball]: status(451) }, {}, 'forbidden', /refuses/],
    ['nothing there', {}, {}, 'not_found', /private repository needs a token/],
    ['nothing there, with a branch', {}, { checkout }, 'not_found', /not found/],
    ['no such branch', { [repository]: status(200) }, { checkout }, 'checkout', /branch 'gone'/],
    ['an empty repository', { [repository]: status(200) }, {}, 'clone', /is empty/],
    ['too many requests', { [tarball]: status(429) }, {}, 'clone', /no more requests/],
    [
      'too many requests, in its other words',
      { [tarball]: status(403, { 'x-ratelimit-remaining': '0' }) },
      {},
      'clone',
      /no more requests/,
    ],
    ['its own failure', { [tarball]: status(502) }, {}, 'clone', /502/],
    [
      'a connection that breaks',
      { [tarball]: (request) => void request.socket.destroy() },
      {},
      'clone',
      /could not be fetched/,
    ],
  ];
  test.each(table)('%s is an error of its own type', async (...row) => {
    const [, answer, params, type, text] = row;
    answers = Object.fromEntries(
      Object.entries(answer).flatMap(([path, to]) => [
        [path, to],
        [`${path}/refs/heads/gone`, path === tarball ? to : status(404)],
      ]),
    );
    const fault = await fetched(await aRepository(params));
    expect(fault).toMatchObject({
      type: `repository_${type}_error`,
      message: expect.stringMatching(text),
    });
    expect(JSON.stringify(fault)).not.toContain(TOKEN);
  });
});
