import { expect, test } from 'vitest';
import { Fault, faults, type FaultKind } from '#shared/core/fault.ts';
import {
  checkVersion,
  errorReply,
  fromProxyEvent,
  readJson,
  readQuery,
  type ProxyEvent,
} from '#shared/core/http.ts';

const event: ProxyEvent = { httpMethod: 'GET', path: '/v1/agents' };

test('the event of a custom domain with a base path loses that path', () => {
  const path = '/base/v1/agents';
  const at_root = { ...event, path, resource: '/{proxy+}', pathParameters: { proxy: 'v1/agents' } };
  expect(fromProxyEvent(at_root).path).toBe('/v1/agents');
  expect(fromProxyEvent(event).path).toBe('/v1/agents');
});

test('a proxy resource below fixed and named parts keeps them', () => {
  const resource = '/v1/sessions/{session_id}/{proxy+}';
  const pathParameters = { session_id: 'sesn_1', proxy: 'events/x' };
  const path = '/v1/sessions/sesn_1/events/x';
  expect(fromProxyEvent({ ...event, path, resource, pathParameters }).path).toBe(path);
});

test('headers are known by their names in lower case, several lines of one joined', () => {
  const headers = { 'X-Api-Key': 'a', 'Anthropic-Beta': 'b' };
  const multiValueHeaders = { 'X-Api-Key': ['a'], 'Anthropic-Beta': ['b', 'c'] };
  expect(fromProxyEvent({ ...event, headers }).headers).toEqual({
    'x-api-key': 'a',
    'anthropic-beta': 'b',
  });
  expect(fromProxyEvent({ ...event, headers, multiValueHeaders }).headers).toEqual({
    'x-api-key': 'a',
    'anthropic-beta': 'b,c',
  });
});

test.each<[string, [string, string][], unknown]>([
  ['a bare value', [['limit', '1']], { limit: '1' }],
  ['a list of one', [['statuses[]', 'a']], { statuses: ['a'] }],
  [
    'a list',
    [
      ['s[]', 'a'],
      ['s[]', 'b'],
    ],
    { s: ['a', 'b'] },
  ],
  [
    'a bare name repeated',
    [
      ['s', 'a'],
      ['s', 'b'],
      ['s', 'c'],
    ],
    { s: ['a', 'b', 'c'] },
  ],
  [
    'both ways at once',
    [
      ['s', 'a'],
      ['s[]', 'b'],
    ],
    { s: ['a', 'b'] },
  ],
  ['a range', [['created_at[gte]', 'x']], { 'created_at[gte]': 'x' }],
  ['the beta parameter of older SDKs', [['beta', 'true']], {}],
  ['an empty value', [['page', '']], {}],
  ['a name of Object.prototype', [['constructor', 'x']], { constructor: 'x' }],
])('a query with %s is grouped', (_, entries, expected) => {
  expect(readQuery(entries)).toEqual(expected);
});

test('a query is read from either form of the event', () => {
  const single = { ...event, queryStringParameters: { a: '1' } };
  const multi = { ...single, multiValueQueryStringParameters: { a: ['1', '2'] } };
  expect(fromProxyEvent(single).query).toEqual({ a: '1' });
  expect(fromProxyEvent(multi).query).toEqual({ a: ['1', '2'] });
  expect(fromProxyEvent(event).query).toEqual({});
});

const post = (body: string | Buffer, type?: string, more: object = {}): unknown =>
  readJson(
    fromProxyEvent({
      httpMethod: 'POST',
      path: '/',
      headers: { ...(type === undefined ? {} : { 'content-type': type }), ...more },
      body: typeof body === 'string' ? body : body.toString('base64'),
      isBase64Encoded: typeof body !== 'string',
    }),
  );

test.each([
  undefined,
  'application/json',
  'Application/JSON; charset=utf-8',
  'application/json;charset="UTF-8"',
])('content type %s is accepted', (type) => {
  expect(post('{"a":1}', type)).toEqual({ a: 1 });
});

test.each<[string, FaultKind, RegExp]>([
  ['text/plain', 'media', /must be application\/json/],
  ['application/x-www-form-urlencoded', 'media', /must be application\/json/],
  ['application/json; charset=utf-16', 'invalid', /charset utf-8/],
])('content type %s is refused', (type, kind, message) => {
  expect(() => post('{}', type)).toThrow(expect.objectContaining({ kind }));
  expect(() => post('{}', type)).toThrow(message);
});

test('a compressed body is refused as such, and not for what it holds', () => {
  const gzip = { 'Content-Encoding': 'gzip' };
  expect(() => post(Buffer.from([0x1f, 0x8b]), undefined, gzip)).toThrow(/^content-encoding: /);
  expect(post('{}', undefined, { 'content-encoding': 'identity' })).toEqual({});
});

test('bytes that are not UTF-8 are refused, and those that are come through', () => {
  expect(post(Buffer.from('{"a":"ü€𝄞"}'))).toEqual({ a: 'ü€𝄞' });
  expect(() => post(Buffer.from([0x22, 0xc3, 0x28, 0x22]))).toThrow(/not valid UTF-8/);
});

test('no body is no value, whatever the content type', () => {
  expect(post('', 'text/plain')).toBeUndefined();
});

test.each(['2023-06-01', '2026-10-21', undefined])('version %s is accepted', (version) => {
  const headers: Record<string, string> =
    version === undefined ? {} : { 'anthropic-version': version };
  expect(() => checkVersion(headers)).not.toThrow();
});

test('another version is refused and the known ones are named', () => {
  expect(() => checkVersion({ 'anthropic-version': '2024-01-01' })).toThrow(
    /2024-01-01.*2023-06-01 or 2026-10-21/,
  );
});

test.each(Object.keys(faults) as FaultKind[])('a Fault %s becomes its envelope', (kind) => {
  const details = { error_code: 'some_code' };
  const reply = errorReply(new Fault(kind, 'Why.', { details }), 'req_1');
  expect(reply.status).toBe(faults[kind].status);
  expect(reply.headers).toMatchObject({
    'request-id': 'req_1',
    'x-should-retry': String(faults[kind].retryable),
  });
  expect(JSON.parse(reply.body)).toEqual({
    type: 'error',
    error: { type: faults[kind].type, message: 'Why.', details },
    request_id: 'req_1',
  });
});

test('AWS that is busy is a 529 that may be sent again, and tells nothing of what was asked', () => {
  const throttled = Object.assign(new Error('Rate exceeded for table 42'), {
    name: 'ThrottlingException',
  });
  const reply = errorReply(throttled, 'req_3');
  expect(reply).toMatchObject({ status: 529, headers: { 'x-should-retry': 'true' } });
  expect(JSON.parse(reply.body)).toEqual({
    type: 'error',
    error: { type: 'overloaded_error', message: 'AWS is busy. Try again in a moment.' },
    request_id: 'req_3',
  });
});

test('an unknown error is a 500 that tells nothing of it', () => {
  const reply = errorReply(new Error('the secret is 42'), 'req_2');
  expect(reply.status).toBe(500);
  expect(reply.body).not.toContain('the secret');
  expect(JSON.parse(reply.body)).toMatchObject({
    error: { type: 'api_error' },
    request_id: 'req_2',
  });
  expect(reply.headers['x-should-retry']).toBe('true');
});
