/** Goal: AWS takes our calls for its own client's. Method: a server that looks at what comes, and fails as AWS does. */
import { InvokeStore, InvokeStoreBase } from '@aws/lambda-invoke-store';
import type { NodeHttpHandlerOptions } from '@smithy/node-http-handler';
import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { thrownBy } from '#shared/core/aws-failure.ts';
import { AwsJson } from '#shared/core/aws-json.ts';
import { AwsCaller, bytesOf, endpointOf, shortCalls } from '#shared/core/aws-caller.ts';
import { S3Blobs } from '#shared/core/blobs-s3.ts';
import { invoke } from '#shared/core/invoke-lambda.ts';
import { LambdaFiring } from '#shared/dream-schedules/firing-lambda.ts';
import { SchedulerTimers } from '#shared/schedules/timers-scheduler.ts';

interface Came {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}
type Answer = (response: ServerResponse) => void;

let server: Server;
let endpoint: string;
let came: Came[];
/** To the first, the second … call; the last one also to all that follow. */
let answers: Answer[];

beforeEach(async () => {
  came = [];
  server = createServer(async (request, response) => {
    const { method, url: path, headers } = request;
    came.push({ method, path, headers, body: await text(request) });
    (answers[came.length - 1] ?? answers.at(-1))?.(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  vi.stubEnv('AWS_REGION', 'eu-west-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKID');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  vi.stubEnv('AWS_SESSION_TOKEN', 'token');
  vi.stubEnv('_X_AMZN_TRACE_ID', undefined);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  server.closeAllConnections();
  server.close();
});

const says =
  (status: number, body: object | string): Answer =>
  (response) =>
    response
      .writeHead(status, { 'x-amzn-requestid': 'R1' })
      .end(typeof body === 'string' ? body : JSON.stringify(body));
const hangsUp: Answer = (response) => response.destroy();
const breaksOff: Answer = (response) => {
  response.writeHead(200, { 'content-length': 100 }).write('{"half":');
  setImmediate(() => response.destroy());
};
const good = says(200, { Item: { name: { S: 'ä' } } });
const refused = (code: string, more: object = {}): Answer =>
  says(400, { __type: `com.amazonaws.dynamodb.v20120810#${code}`, message: 'No.', ...more });

/** The signature that AWS finds for what has come. Source: the description of Signature Version 4. */
function signatureOf({ method, path, headers, body }: Came, service: string): string {
  const [, names = ''] = /SignedHeaders=([^,]+)/.exec(headers.authorization ?? '') ?? [];
  const [sent = '', query = ''] = (path ?? '').split('?');
  // Of S3 alone the path is taken as it comes.
  const parts = sent.split('/').map((part) => (service === 's3' ? part : encodeURIComponent(part)));
  const lines = names.split(';').map((name) => `${name}:${String(headers[name])}`);
  const sha256 = (part: string) => createHash('sha256').update(part).digest('hex');
  const request = [method, parts.join('/'), query, ...lines, '', names, sha256(body)].join('\n');
  const signed_at = String(headers['x-amz-date']);
  const scope = [signed_at.slice(0, 8), 'eu-west-1', service, 'aws4_request'];
  const hmac = (key: string | Buffer, part: string) =>
    createHmac('sha256', key).update(part).digest();
  const key = scope.reduce<string | Buffer>(hmac, 'AWS4secret');
  const to_sign = ['AWS4-HMAC-SHA256', signed_at, scope.join('/'), sha256(request)].join('\n');
  return hmac(key, to_sign).toString('hex');
}

describe('a call', () => {
  test.each([
    ['dynamodb', 'DynamoDB_20120810', '1.0'],
    ['states', 'AWSStepFunctions', '1.0'],
    ['secretsmanager', 'secretsmanager', '1.1'],
    ['kms', 'TrentService', '1.1'],
  ] as const)('of %s is signed with what Lambda gives', async (service, target, version) => {
    answers = [good];
    const answer = await new AwsJson(service, { endpoint }).call('Do', { Key: 'ö' });
    expect(answer).toEqual({ Item: { name: { S: 'ä' } } });
    const [one] = came as [Came];
    expect(one).toMatchObject({ method: 'POST', path: '/', body: '{"Key":"ö"}' });
    expect(one.headers).toMatchObject({
      'content-type': `application/x-amz-json-${version}`,
      'x-amz-target': `${target}.Do`,
      'x-amz-security-token': 'token',
    });
    const authorization = one.headers.authorization ?? '';
    expect(authorization).toContain(`AKID/${String(one.headers['x-amz-date']).slice(0, 8)}/`);
    expect(authorization).toMatch(/SignedHeaders=[^,]*host[^,]*x-amz-security-token;x-amz-target/);
    expect(authorization.split('Signature=')[1]).toBe(signatureOf(one, service));
  });

  test('of S3 is signed with its path as it goes and the sum of its bytes', async () => {
    answers = [(response) => response.writeHead(200, { etag: '"1"' }).end()];
    const blobs = new S3Blobs('content', { endpoint });
    await blobs.put("files/a b+é*'()!", new TextEncoder().encode('bytes'), 'text/plain');
    const [one] = came as [Came];
    expect(one).toMatchObject({
      path: '/content/files/a%20b%2B%C3%A9%2A%27%28%29%21',
      body: 'bytes',
    });
    const sum = createHash('sha256').update('bytes').digest('hex');
    expect(one.headers).toMatchObject({ 'x-amz-content-sha256': sum, 'content-length': '5' });
    expect(one.headers.authorization?.split('Signature=')[1]).toBe(signatureOf(one, 's3'));
  });

  test('of Lambda is signed with its tenant', async () => {
    answers = [good];
    const invocation = { function_name: 'fn:1', event: {}, type: 'Event', tenant_id: 't' } as const;
    await invoke(new AwsCaller('lambda', { endpoint }), invocation, new AbortController().signal);
    const [one] = came as [Came];
    expect(one.path).toBe('/2015-03-31/functions/fn%3A1/invocations');
    expect(one.headers).toMatchObject({ 'x-amz-tenant-id': 't', 'x-amz-invocation-type': 'Event' });
    expect(one.headers.authorization).toContain('x-amz-tenant-id');
    expect(one.headers.authorization?.split('Signature=')[1]).toBe(signatureOf(one, 'lambda'));
  });

  test('of Scheduler is signed with its query', async () => {
    answers = [good];
    const own = { group: 'g', function_arn: 'f', role_arn: 'r' };
    await new SchedulerTimers(own, { endpoint }).remove('a.b');
    const [one] = came as [Came];
    expect(one).toMatchObject({ method: 'DELETE', path: '/schedules/a.b?groupName=g' });
    expect(one.headers.authorization?.split('Signature=')[1]).toBe(signatureOf(one, 'scheduler'));
  });

  test('tells of which trace it is, where there is one', async () => {
    answers = [good];
    const kms = new AwsJson('kms', { endpoint });
    await kms.call('Do', {});
    vi.stubEnv('_X_AMZN_TRACE_ID', 'Root=1-2-3');
    await kms.call('Do', {});
    // Where several invocations share a process, Lambda keeps it for each of them.
    const store = await InvokeStore.getInstanceAsync();
    const key = InvokeStoreBase.PROTECTED_KEYS.X_RAY_TRACE_ID;
    await store.run({ [key]: 'Root=4-5-6' }, async () => await kms.call('Do', {}));
    store.run({}, () => undefined);
    const traces = came.map(({ headers }) => headers['x-amzn-trace-id']);
    expect(traces).toEqual([undefined, 'Root=1-2-3', 'Root=4-5-6']);
    expect(came[1]?.headers.authorization).not.toContain('trace');
  });

  test('goes below the path of an endpoint that has one', async () => {
    answers = [good];
    await new AwsCaller('s3', { endpoint: `${endpoint}/s3` }).send(
      { method: 'GET', path: '/content/a' },
      async ({ body }) => await bytesOf(body),
    );
    expect(came[0]?.path).toBe('/s3/content/a');
  });

  test('leaves its connection to the next one, also where nothing is read of its answer', async () => {
    answers = [(response) => response.writeHead(200, { etag: '"1"' }).end('<more/>')];
    const connections = new Set();
    server.on('connection', (socket) => connections.add(socket));
    const blobs = new S3Blobs('content', { endpoint });
    for (const key of ['a', 'b', 'c']) await blobs.put(key, key, 'text/plain');
    expect(connections.size).toBe(1);
  });

  test('with large bytes is refused before they are sent', async () => {
    const refusing = createServer().listen(0, '127.0.0.1');
    await once(refusing, 'listening');
    let sent_bytes = 0;
    refusing.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      request.on('data', (chunk: Buffer) => (sent_bytes += chunk.length));
      response.writeHead(412).end();
    });
    const { port } = refusing.address() as AddressInfo;
    const blobs = new S3Blobs('content', { endpoint: `http://127.0.0.1:${port}` });
    expect(await blobs.replace('a', Buffer.alloc(4_000_000), 'text/plain', '"1"')).toBeUndefined();
    expect(sent_bytes).toBe(0);
    refusing.close();
  });

  test('is made by whom and where it is told', async () => {
    answers = [good];
    const credentials = { accessKeyId: 'OTHER', secretAccessKey: 's' };
    await new AwsJson('kms', { endpoint, region: 'us-west-2', credentials }).call('Do', {});
    expect(came[0]?.headers.authorization).toMatch(/OTHER\/\d+\/us-west-2\/kms\//);
    expect(came[0]?.headers).not.toHaveProperty('x-amz-security-token');
  });

  test('names the variable that is missing', () => {
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', '');
    expect(() => new AwsJson('kms', { endpoint })).toThrow('AWS_SECRET_ACCESS_KEY');
  });
});

test('a hundred calls and more are with the service at once', async () => {
  const all = Promise.withResolvers<void>();
  // None is answered before all have come.
  answers = [
    (response) => {
      if (came.length === 120) all.resolve();
      void all.promise.then(() => response.end('{}'));
    },
  ];
  const table = new AwsJson('dynamodb', { endpoint, attempts_max: 1 });
  const calls = Array.from({ length: 120 }, async () => await table.call('Do', {}));
  expect(await Promise.all(calls)).toHaveLength(120);
});

test.each<[string, () => Promise<unknown>]>([
  [
    'the fire function',
    async () => await new LambdaFiring('fire', { place: { endpoint } }).sync('d'),
  ],
  ['a large object', async () => await new S3Blobs('content', { endpoint }).get('a')],
])('%s may take longer than other calls, and is asked for once', async (_, ask) => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const asked = Promise.withResolvers<ServerResponse>();
  answers = [(response) => asked.resolve(response)];
  const answer = ask();
  const response = await asked.promise;
  await vi.advanceTimersByTimeAsync(15_000);
  response.end('{}');
  await answer;
  expect(came).toHaveLength(1);
});

describe('a failure', () => {
  test.each([
    ['a service that is broken', says(500, { __type: 'InternalServerError' })],
    ['a proxy that is overrun', says(503, '<html>Service Unavailable</html>')],
    ['a call too many', refused('ProvisionedThroughputExceededException')],
    ['a lost reply', hangsUp],
    ['half a reply', breaksOff],
  ])('that passes is tried again: %s', async (_, answer) => {
    answers = [answer, answer, good];
    const table = new AwsJson('dynamodb', { endpoint });
    expect(await table.call('Do', { n: 1 })).toEqual({ Item: { name: { S: 'ä' } } });
    expect(came.map(({ body }) => body)).toEqual(['{"n":1}', '{"n":1}', '{"n":1}']);
  });

  test.each([
    ['dynamodb', 4],
    ['states', 3],
  ] as const)('that stays is told after %s was asked %i times', async (service, times) => {
    answers = [says(500, { __type: 'InternalServerError', message: 'No.' })];
    const error: unknown = await new AwsJson(service, { endpoint })
      .call('Do', {})
      .catch((thrown: unknown) => thrown);
    expect(came).toHaveLength(times);
    expect(error).toMatchObject({ name: 'InternalServerError', message: 'No.' });
    expect(thrownBy(error)).toMatchObject({ kind: 'overloaded' });
  });

  test('of the connection is told to whoever may try again', async () => {
    answers = [hangsUp];
    const table = new AwsJson('dynamodb', { endpoint, attempts_max: 1 });
    const error: unknown = await table.call('Do', {}).catch((thrown: unknown) => thrown);
    expect(came).toHaveLength(1);
    expect(thrownBy(error)).toMatchObject({ kind: 'overloaded' });
  });

  test.each<[string, NodeHttpHandlerOptions, Answer]>([
    ['no answer', { requestTimeout: 50 }, () => undefined],
    [
      'half an answer',
      { socketTimeout: 50 },
      (response) => response.writeHead(200, { 'content-length': 9 }).write('{'),
    ],
  ])('is %s in the time that a call has', async (_, times, answer) => {
    answers = [answer];
    const caller = new AwsCaller('kms', { endpoint, attempts_max: 1 }, { ...shortCalls, ...times });
    const call = caller.send({ method: 'POST' }, async ({ body }) => await bytesOf(body));
    await expect(call).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  test('is tried again when the service wants it to be', async () => {
    const waits: Answer = (response) =>
      response.writeHead(503, { 'x-amz-retry-after': '300' }).end('{}');
    answers = [waits, good];
    const began_ms = performance.now();
    await new AwsJson('kms', { endpoint }).call('Do', {});
    expect(performance.now() - began_ms).toBeGreaterThan(290);
  });

  test('that is an answer is told at once, with all that it says', async () => {
    const Item = { pk: { S: 'A' } };
    answers = [refused('ConditionalCheckFailedException', { Item })];
    const error: unknown = await new AwsJson('dynamodb', { endpoint })
      .call('Do', {})
      .catch((thrown: unknown) => thrown);
    expect(came).toHaveLength(1);
    expect(error).toMatchObject({
      name: 'ConditionalCheckFailedException',
      message: 'No.',
      answer: { Item },
      $metadata: { httpStatusCode: 400, requestId: 'R1' },
    });
    // What a logger writes of it holds no row.
    expect(JSON.stringify({ ...(error as object) })).not.toContain('pk');
    expect(thrownBy(error)).toBe(error);
  });

  test('of S3 is told apart by what stands in its XML, and one of Lambda by its header', async () => {
    answers = [
      says(
        404,
        '<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Message>None.</Message></Error>',
      ),
      (response) =>
        response
          .writeHead(404, { 'x-amzn-errortype': 'ResourceNotFoundException:http://x' })
          .end('{}'),
    ];
    const names = ['NoSuchKey', 'ResourceNotFoundException'];
    for (const [n, service] of (['s3', 'lambda'] as const).entries()) {
      const call = new AwsCaller(service, { endpoint }).send({ method: 'GET' }, async () => true);
      await expect(call).rejects.toMatchObject({ name: names[n] });
    }
    expect(came).toHaveLength(2);
  });

  test('is told at once to who has waited long enough', async () => {
    answers = [() => undefined];
    const signal = AbortSignal.timeout(50);
    const call = new AwsCaller('lambda', { endpoint }).send(
      { method: 'POST' },
      async () => true,
      signal,
    );
    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
    expect(came.length).toBeLessThanOrEqual(1);
  });

  test.each([
    ['Name:http://x/#y', 'Name'],
    ['a.b#Name', 'Name'],
    ['Name,a:b', 'Name'],
  ])('by the code %s is named %s', async (__type, name) => {
    answers = [says(400, { __type })];
    await expect(new AwsJson('kms', { endpoint }).call('Do', {})).rejects.toMatchObject({ name });
  });

  test('without a body that says anything is one of its status', async () => {
    answers = [says(500, 'null')];
    const kms = new AwsJson('kms', { endpoint, attempts_max: 1 });
    const message = 'AWS answered 500';
    await expect(kms.call('Do', {})).rejects.toMatchObject({ name: 'UnknownError', message });
  });

  test('is named also where the service writes its name alone, and its message large', async () => {
    answers = [says(400, { __type: 'ExecutionDoesNotExist', Message: 'None.' })];
    await expect(new AwsJson('states', { endpoint }).call('Do', {})).rejects.toMatchObject({
      name: 'ExecutionDoesNotExist',
      message: 'None.',
    });
  });
});

test.each([
  ['the region', {}, 'eu-west-1', 'https://dynamodb.eu-west-1.amazonaws.com'],
  [
    'a region of the EU’s own',
    {},
    'eusc-de-east-1',
    'https://dynamodb.eusc-de-east-1.amazonaws.eu',
  ],
  ['a region of China', {}, 'cn-north-1', 'https://dynamodb.cn-north-1.amazonaws.com.cn'],
  ['the variable for all', { AWS_ENDPOINT_URL: 'http://all' }, 'eu-west-1', 'http://all'],
  [
    'its own variable first',
    { AWS_ENDPOINT_URL: 'http://all', AWS_ENDPOINT_URL_DYNAMODB: 'http://one' },
    'eu-west-1',
    'http://one',
  ],
])('a service is looked for by %s', (_, environment, region, url) => {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  expect(endpointOf('dynamodb', region)).toBe(url);
});
