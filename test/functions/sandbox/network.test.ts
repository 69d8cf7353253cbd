import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isAllowed } from '../../../functions/sandbox/egress.ts';
import { askStore } from '../../../functions/sandbox/store.ts';
import { unpack } from '../../../functions/sandbox/unpack.ts';
import type { SandboxRequest } from '#shared/tools/sandbox.ts';
import { inSession, startRig, type Rig } from '../../shared/tools/rig.ts';

/** The network of commands: a loopback server plays every host of the internet. */
let rig: Rig;
let server: Server;
/** What a store says before it answers: a status, or 0 for a lost connection. */
let store_says: number[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    const said = request.url === '/store' ? store_says.shift() : undefined;
    if (said === 0) request.socket.destroy();
    else if (said !== undefined) response.writeHead(said).end();
    else if (request.url === '/inner')
      response.writeHead(302, { location: 'http://10.0.0.1/' }).end();
    else if (request.url === '/other')
      response.writeHead(302, { location: 'http://other.example/' }).end();
    else if (request.url === '/gzip')
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('unpacked'));
    else response.end(`${request.method} ${request.headers.host} ${request.url}`);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  rig = await startRig({ port: (server.address() as AddressInfo).port });
});
afterAll(async () => {
  server.close();
  await rig.stop();
});

const limited = {
  networking: { type: 'limited' as const, allowed_hosts: ['a.example', '*.b.example'] },
};
const unrestricted = { networking: { type: 'unrestricted' as const } };

test.each([
  [[503, 0], 200, 0],
  [[503, 503, 503, 503], 503, 1],
  [[403, 503], 403, 1],
])('a store that says %j is asked again while that may pass', async (says, status, left) => {
  store_says = [...says];
  const { port } = server.address() as AddressInfo;
  const response = await askStore(`http://127.0.0.1:${port}/store`, { method: 'PUT', body: 'x' });
  expect([response.status, store_says.length]).toEqual([status, left]);
});

test('a store that cannot be reached is asked three times, and then is an error', async () => {
  store_says = [0, 0, 0, 200];
  const { port } = server.address() as AddressInfo;
  await expect(askStore(`http://127.0.0.1:${port}/store`)).rejects.toThrow('fetch failed');
  expect(store_says).toEqual([200]);
});

test('an archive that the store does not give is not said to be damaged', async () => {
  store_says = [403];
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/store`;
  const call = { tool: 'unpack', url, mount_path: '/workspace/repository' } as const;
  const asked = unpack({ upload_url: url } as SandboxRequest, call);
  await expect(asked).rejects.toThrow('the store answered 403');
});

test('a limited environment reaches its hosts and no other', async () => {
  const use = inSession(rig, 'sesn_limited', { environment: limited });
  expect(await use('bash', { command: 'curl -s http://a.example/x' })).toBe('GET a.example /x');
  expect(await use('bash', { command: 'curl -s http://x.b.example/' })).toBe('GET x.b.example /');
  expect(await use('bash', { command: 'curl -sS http://b.example/' })).toMatch(
    /^! .*not among the allowed hosts/,
  );
  expect(await use('bash', { command: 'curl -sSL http://a.example/other' })).toMatch(
    /^! .*not among the allowed hosts/,
  );
});

test('an unrestricted environment reaches the internet, also with a body and a packed answer', async () => {
  const use = inSession(rig, 'sesn_open', { environment: unrestricted });
  expect(await use('bash', { command: 'curl -s -X POST -d a=1 http://any.example/p' })).toBe(
    'POST any.example /p',
  );
  expect(await use('bash', { command: 'curl -s http://any.example/gzip -o f; cat f' })).toBe(
    'unpacked',
  );
});

test.each([
  'http://127.0.0.1/',
  'http://localhost.example/',
  'http://169.254.169.254/latest/meta-data/',
  'http://[::1]/',
  'http://2130706433/',
  'file:///etc/passwd',
  'ftp://any.example/',
])('no environment reaches %s', async (url) => {
  rig.dialer.resolve = async (name) => [
    name === 'localhost.example' ? '127.0.0.1' : '93.184.215.14',
  ];
  const use = inSession(rig, 'sesn_inner', { environment: unrestricted });
  expect(await use('bash', { command: `curl -sS '${url}'` })).toMatch(/^! /);
});

test('a redirect to an inner address is not followed', async () => {
  const use = inSession(rig, 'sesn_redirect', { environment: unrestricted });
  expect(await use('bash', { command: 'curl -sSL http://any.example/inner' })).toMatch(
    /^! .*not on the public internet/,
  );
});

test.each([
  ['a.example', 'a.example', true],
  ['a.example', 'A.EXAMPLE.', true],
  ['a.example', 'x.a.example', false],
  ['*.a.example', 'x.a.example', true],
  ['*.a.example', 'x.y.a.example', true],
  ['*.a.example', 'a.example', false],
  ['*.a.example', 'evila.example', false],
])('the allowed host %s against %s: %s', (allowed, host, expected) => {
  expect(isAllowed({ type: 'limited', allowed_hosts: [allowed] }, host)).toBe(expected);
});
