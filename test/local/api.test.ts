/** The REST API's front: events in, answers and streams out, and the limits of API Gateway. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Template } from '../../infra/local/template/template.ts';
import { aFunction, role, startRig, type Rig } from './fixture.ts';

const echo = `export const handler = async (event) => {
  if (event.path === '/broken') return { body: 1 };
  if (event.path === '/slow') await new Promise((resolve) => setTimeout(resolve, 6_000));
  if (event.path === '/bytes') return { statusCode: 200, isBase64Encoded: true, body: 'AAEC' };
  return { statusCode: 201, headers: { 'x-one': '1' }, multiValueHeaders: { 'x-two': ['a', 'b'] },
    body: JSON.stringify({ ...event, body: event.body?.length > 100 ? event.body.length : event.body }) };
};`;

/** Ticks every 10 ms until its client goes away, and says on the next call that it saw that. */
const stream = `let closed = 0;
export const handler = awslambda.streamifyResponse(async (event, raw) => {
  const query = event.queryStringParameters ?? {};
  if (query.fail === 'early') throw new Error('early');
  const response = awslambda.HttpResponseStream.from(raw, { statusCode: query.seen ? 202 : 200, headers: { 'content-type': 'text/event-stream' } });
  if (query.seen) return response.end(String(closed));
  response.write('first ');
  if (query.fail === 'late') throw new Error('late');
  if (query.large) { for (let n = 0; n < 64; n++) if (!response.write('x'.repeat(65_536))) await new Promise((r) => response.once('drain', r)); return response.end(); }
  response.once('close', () => closed++);
  while (!response.destroyed) { await new Promise((r) => setTimeout(r, 10)); if (!response.destroyed) response.write('tick '); }
});`;

const response = (
  ResponseType: string,
  body: string,
  more = {},
): Template['Resources'][string] => ({
  Type: 'AWS::ApiGateway::GatewayResponse',
  Properties: {
    RestApiId: { Ref: 'Api' },
    ResponseType,
    ResponseTemplates: { 'application/json': body },
    ResponseParameters: { 'gatewayresponse.header.x-who': "'gateway'" },
    ...more,
  },
});

let rig: Rig;
let url: string;

beforeAll(async () => {
  rig = await startRig(
    {
      ...role('Echo'),
      ...aFunction('Echo', echo),
      ...role('Stream'),
      ...aFunction('Stream', stream),
      Api: {
        Type: 'AWS::ApiGateway::RestApi',
        Properties: { Name: 'test', BinaryMediaTypes: ['multipart/form-data'] },
      },
      TooLarge: response('REQUEST_TOO_LARGE', '{"large":"$context.error.message"}'),
      Any5: response('DEFAULT_5XX', '{"id":"$context.requestId"}'),
      Options: {
        Type: 'AWS::ApiGateway::Method',
        Properties: {
          AuthorizationType: 'NONE',
          HttpMethod: 'OPTIONS',
          ResourceId: { Ref: 'Proxy' },
          RestApiId: { Ref: 'Api' },
          Integration: {
            Type: 'MOCK',
            IntegrationResponses: [
              {
                StatusCode: '204',
                ResponseParameters: { 'method.response.header.Access-Control-Allow-Origin': "'*'" },
              },
            ],
          },
        },
      },
    },
    {
      template: (template) => {
        const method = template.Resources['ProxyMethod'];
        Object.assign(method?.Properties?.['Integration'] as object, { TimeoutInMillis: 2_000 });
        return template;
      },
    },
  );
  url = rig.host.base_url;
});
afterAll(() => rig.stop());

test('a request arrives as a proxy event, and its answer keeps status and headers', async () => {
  const answer = await fetch(`${url}/v1/a%20b?x=1&x=2&y=`, {
    method: 'POST',
    headers: { 'X-Case': 'Kept', 'content-type': 'application/json' },
    body: '{"a":1}',
  });
  const headers = [answer.headers.get('x-one'), answer.headers.get('x-two')];
  expect([answer.status, ...headers]).toEqual([201, '1', 'a, b']);
  expect(await answer.json()).toMatchObject({
    resource: '/{proxy+}',
    path: '/v1/a%20b',
    httpMethod: 'POST',
    pathParameters: { proxy: 'v1/a b' },
    queryStringParameters: { x: '2', y: '' },
    multiValueQueryStringParameters: { x: ['1', '2'], y: [''] },
    multiValueHeaders: { 'X-Case': ['Kept'] },
    requestContext: { path: '/prod/v1/a%20b', stage: 'prod' },
    body: '{"a":1}',
    isBase64Encoded: false,
  });
});

test('the stage may stand in the path, and is not part of the event’s', async () => {
  const event = await (await fetch(`${url}/prod/v1`)).json();
  expect(event).toMatchObject({ path: '/v1', requestContext: { path: '/prod/v1' }, body: null });
});

test('a body of bytes is sent as bytes', async () => {
  const bytes = await (await fetch(`${url}/bytes`)).bytes();
  expect([...bytes]).toEqual([0, 1, 2]);
});

interface Arrived {
  readonly body: string | number | null;
  readonly isBase64Encoded: boolean;
}

async function sent(content_type: string, body: Uint8Array<ArrayBuffer>): Promise<Arrived> {
  const headers = { 'content-type': content_type };
  const answer = await fetch(`${url}/v1`, { method: 'POST', headers, body });
  return (await answer.json()) as Arrived;
}

test.each([
  ['multipart/form-data; boundary=x', '/wBh', true],
  ['Multipart/Form-Data', '/wBh', true],
  ['application/json', '\ufffd\0a', false],
  ['multipart/mixed', '\ufffd\0a', false],
])('bytes sent as %s arrive as %j', async (type, body, isBase64Encoded) => {
  expect(await sent(type, Uint8Array.of(0xff, 0, 0x61))).toMatchObject({ body, isBase64Encoded });
});

test('a form is a third larger to a function than to its sender, and is refused from there', async () => {
  const form = (bytes: number) => ({
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=x' },
    body: new Uint8Array(bytes),
  });
  expect((await fetch(`${url}/v1`, form(4_700_000))).status).toBe(201);
  const large = await fetch(`${url}/v1`, form(4_720_000));
  expect([large.status, await large.json()]).toEqual([413, { large: 'Request Too Long' }]);
});

test('browsers are answered by the gateway itself', async () => {
  const answer = await fetch(`${url}/v1`, { method: 'OPTIONS' });
  expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([204, '*']);
});

test('a body over 10 MB is refused in the template’s words', async () => {
  const post = (bytes: number) => fetch(`${url}/v1`, { method: 'POST', body: 'x'.repeat(bytes) });
  const large = await post(10_485_761);
  expect([large.status, large.headers.get('x-who')]).toEqual([413, 'gateway']);
  expect(await large.json()).toEqual({ large: 'Request Too Long' });
  expect((await post(6_300_000)).status).toBe(413);
  expect(await (await post(5_000_000)).json()).toMatchObject({ body: 5_000_000 });
});

test('a function that answers nonsense is a 502, one that is late a 504', async () => {
  const broken = await fetch(`${url}/broken`);
  expect([broken.status, await broken.json()]).toEqual([502, { id: expect.any(String) }]);
  expect((await fetch(`${url}/slow`)).status).toBe(504);
});

test('a stream, which never ends by itself, arrives while it is written', async () => {
  const reader = (await fetch(`${url}/stream`)).body?.getReader();
  const first = await reader?.read();
  expect(Buffer.from(first?.value ?? []).toString()).toContain('first');
  await reader?.cancel();
});

test('a function learns that its client has gone', async () => {
  const seen = async () => Number(await (await fetch(`${url}/stream?seen=1`)).text());
  await expect.poll(seen).toBeGreaterThan(0);
  const before = await seen();
  const leaving = new AbortController();
  await fetch(`${url}/stream`, { signal: leaving.signal });
  await sleep(30);
  leaving.abort();
  await expect.poll(seen).toBe(before + 1);
});

test('a large stream is held to the pace of its client and comes whole', async () => {
  const body = await (await fetch(`${url}/stream?large=1`)).text();
  expect(body).toHaveLength(6 + 64 * 65_536);
});

test('a stream that fails before its first byte is a 502, one that fails after it is cut', async () => {
  expect((await fetch(`${url}/stream?fail=early`)).status).toBe(502);
  const late = await fetch(`${url}/stream?fail=late`);
  expect(late.status).toBe(200);
  await expect(late.text()).rejects.toThrow('terminated');
});

test('a prelude’s status and type go before the body', async () => {
  const answer = await fetch(`${url}/stream?seen=1`);
  expect([answer.status, answer.headers.get('content-type')]).toEqual([202, 'text/event-stream']);
});
