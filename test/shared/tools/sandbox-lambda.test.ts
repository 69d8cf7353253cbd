import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { limits } from '#shared/core/limits.ts';
import { LambdaSandbox } from '#shared/tools/sandbox-lambda.ts';
import { SandboxBusy, type SandboxRequest } from '#shared/tools/sandbox.ts';

/** Lambda's Invoke on loopback: one answer after the other, and what was asked. */
let server: Server;
let answers: { status: number; headers?: Record<string, string>; body?: string }[] = [];
let asked: { url: string; tenant: string | undefined }[] = [];
let sandbox: LambdaSandbox;

beforeEach(async () => {
  [answers, asked] = [[], []];
  server = createServer((request: IncomingMessage, response) => {
    asked.push({ url: request.url ?? '', tenant: String(request.headers['x-amz-tenant-id']) });
    request.resume();
    const answer = answers.shift();
    if (answer === undefined) request.socket.destroy();
    else response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  sandbox = new LambdaSandbox('sandbox-fn', {
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
});
afterEach(() => {
  vi.useRealTimers();
  server.close();
  server.closeAllConnections();
});

const request: SandboxRequest = {
  session_id: 'sesn_1',
  event_id: 'sevt_1',
  call: { tool: 'bash', input: { command: 'ls' } },
  parts: [],
  upload_url: '',
  mounts: [],
  networking: { type: 'unrestricted' },
};
const reply = JSON.stringify({
  content: [{ type: 'text', text: 'x' }],
  is_error: false,
  changes: [],
});
const never = new AbortController().signal;

test('a call goes to the session\u2019s own tenant', async () => {
  answers = [{ status: 200, body: reply }];
  expect((await sandbox.invoke(request, never)).content).toEqual([{ type: 'text', text: 'x' }]);
  expect(asked).toEqual([
    { url: '/2015-03-31/functions/sandbox-fn/invocations', tenant: 'sesn_1' },
  ]);
});

test('calls share a connection, but none that a pause may have closed unseen', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  let connections = 0;
  server.on('connection', () => (connections += 1));
  answers = Array.from({ length: 4 }, () => ({ status: 200, body: reply }));
  await sandbox.invoke(request, never);
  await sandbox.invoke(request, never);
  expect(connections).toBe(1);
  vi.setSystemTime(Date.now() + limits.connection_rest_ms);
  await sandbox.invoke(request, never);
  await sandbox.invoke(request, never);
  expect(connections).toBe(2);
});

test('a call that Lambda refused for its rate is made again, for it ran nothing', async () => {
  const busy = {
    status: 429,
    headers: { 'x-amzn-errortype': 'TooManyRequestsException' },
    body: '{}',
  };
  answers = [busy, busy, { status: 200, body: reply }];
  await sandbox.invoke(request, never);
  expect(asked.length).toBe(3);
});

test('a call that Lambda refuses for its rate each time has run nothing, and is not lost', async () => {
  const headers = { 'x-amzn-errortype': 'TooManyRequestsException' };
  answers = Array.from({ length: 10 }, () => ({ status: 429, headers, body: '{}' }));
  await expect(sandbox.invoke(request, never)).rejects.toBeInstanceOf(SandboxBusy);
  expect(asked.length).toBe(10);
}, 30_000);

test.each([
  [
    {
      status: 200,
      headers: { 'x-amz-function-error': 'Unhandled' },
      body: '{"errorMessage":"Task timed out after 150.00 seconds"}',
    },
    'it ran out of time',
  ],
  [
    {
      status: 200,
      headers: { 'x-amz-function-error': 'Unhandled' },
      body: '{"errorMessage":"x","errorType":"Runtime.ExitError"}',
    },
    'it failed',
  ],
  [
    { status: 500, headers: { 'x-amzn-errortype': 'ServiceException' }, body: '{}' },
    'the connection to it was lost',
  ],
  [undefined, 'the connection to it was lost'],
])('%j is a lost call, and is made once', async (answer, message) => {
  answers = answer === undefined ? [] : [answer];
  await expect(sandbox.invoke(request, never)).rejects.toMatchObject({
    name: 'SandboxLost',
    message,
  });
  expect(asked.length).toBe(1);
});

test('a call that Lambda does not permit is our fault, not a lost call', async () => {
  answers = [{ status: 403, headers: { 'x-amzn-errortype': 'AccessDeniedException' }, body: '{}' }];
  await expect(sandbox.invoke(request, never)).rejects.toMatchObject({
    name: 'AccessDeniedException',
  });
});

test('a reply of another form than ours is not believed', async () => {
  answers = [{ status: 200, body: '{"content":[],"is_error":false,"changes":[],"more":1}' }];
  await expect(sandbox.invoke(request, never)).rejects.toThrow(/more/);
});
