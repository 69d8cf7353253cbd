/** Secrets Manager's cache, against a server on this machine that speaks its JSON. */
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AwsSecrets } from '#shared/core/aws-secrets.ts';
import { limits } from '#shared/core/limits.ts';

let server: Server;
let secrets: AwsSecrets;
let asked: number;
let answer: { status: number; body: object };
let now_ms: number;

beforeEach(async () => {
  asked = 0;
  now_ms = 0;
  server = createServer((_incoming, outgoing) => {
    asked += 1;
    outgoing.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.1' });
    outgoing.end(JSON.stringify(answer.body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const place = {
    endpoint: `http://127.0.0.1:${port}`,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    attempts_max: 1,
  };
  secrets = new AwsSecrets(place, { now: () => new Date(now_ms) });
  answer = { status: 200, body: { SecretString: 'one' } };
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

test('a secret is asked for once in some minutes, also by readers at the same time', async () => {
  expect(await Promise.all([secrets.read('arn'), secrets.read('arn')])).toEqual(['one', 'one']);
  answer = { status: 200, body: { SecretString: 'two' } };
  now_ms = limits.secret_cache_ms - 1;
  expect(await secrets.read('arn')).toBe('one');
  expect(asked).toBe(1);
  now_ms = limits.secret_cache_ms;
  expect(await secrets.read('arn')).toBe('two');
});

test('a fresh reading replaces the remembered one for all', async () => {
  await secrets.read('arn');
  answer = { status: 200, body: { SecretString: 'two' } };
  expect(await secrets.readFresh('arn')).toBe('two');
  expect(await secrets.read('arn')).toBe('two');
  expect(asked).toBe(2);
});

test('secrets are told apart by their ARN', async () => {
  await secrets.read('arn');
  answer = { status: 200, body: { SecretString: 'two' } };
  expect(await secrets.read('other')).toBe('two');
});

test('a failure is not remembered', async () => {
  answer = { status: 400, body: { __type: 'ResourceNotFoundException' } };
  await expect(secrets.read('arn')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  answer = { status: 200, body: { SecretString: 'one' } };
  expect(await secrets.read('arn')).toBe('one');
});

test('a secret without text is a broken deployment', async () => {
  answer = { status: 200, body: { SecretBinary: 'AAAA' } };
  await expect(secrets.read('arn')).rejects.toThrow('holds no text');
});
