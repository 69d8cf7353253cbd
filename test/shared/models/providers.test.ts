/**
 * The two AWS doors against a server on this machine, reached by the secret's `base_url`. What is
 * checked is what differs: who signs, the path, the names of models, and Bedrock's binary frames.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { once } from 'node:events';
import { EventStreamCodec } from '@smithy/eventstream-codec';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { completeMessage, encodeMessage } from '../../../infra/local/offline-model/messages-sse.ts';
import { aRequest, failureOf, modelAt, never, partsOf } from './samples.ts';

interface Seen {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Record<string, unknown>;
}

let server: Server;
let url: string;
let seen: Seen[];
let answer: { status: number; type: string; chunks: readonly (string | Uint8Array)[] };

const aws = { AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'AKIDTEST', AWS_SECRET_ACCESS_KEY: 'x' };
const frames = encodeMessage(
  completeMessage({ content: [{ type: 'text', text: 'hi', citations: null }] }),
);

beforeEach(async () => {
  Object.assign(process.env, aws);
  seen = [];
  answer = { status: 200, type: 'text/event-stream', chunks: frames };
  server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
    seen.push({ path: incoming.url ?? '', headers: incoming.headers, body });
    outgoing.writeHead(answer.status, { 'content-type': answer.type });
    for (const chunk of answer.chunks) outgoing.write(chunk);
    outgoing.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
});

afterEach(() => {
  for (const name of Object.keys(aws)) delete process.env[name];
  server.closeAllConnections();
  server.close();
});

const codec = new EventStreamCodec(
  (bytes) => new TextDecoder().decode(bytes as Uint8Array),
  (text) => new TextEncoder().encode(text),
);
const header = (value: string) => ({ type: 'string' as const, value });

/** The frames of Server-Sent Events as Bedrock sends them: base64 in JSON in a binary message. */
function binary(sse: string): Uint8Array {
  const data = sse.slice(sse.indexOf('data: ') + 6).trim();
  const bytes = Buffer.from(data).toString('base64');
  return codec.encode({
    headers: {
      ':event-type': header('chunk'),
      ':content-type': header('application/json'),
      ':message-type': header('event'),
    },
    body: new TextEncoder().encode(JSON.stringify({ bytes })),
  });
}

const binaryType = 'application/vnd.amazon.eventstream';

const onBedrock = (over = {}, secret: object = { api_key: undefined }) =>
  modelAt(url, { provider: 'bedrock', secret }).stream(aRequest(over), never());

test('Bedrock is asked for the stream of a profile, signed with the role', async () => {
  answer = { status: 200, type: binaryType, chunks: frames.map(binary) };
  const model = { id: 'claude-sonnet-5-5', effort: { type: 'low' }, speed: 'fast' } as const;
  const parts = await partsOf(onBedrock({ model }));
  expect(parts.at(-1)).toMatchObject({ type: 'done', message: { content: [{ text: 'hi' }] } });
  const [{ path, headers, body } = {} as Seen] = seen;
  expect(decodeURIComponent(path)).toBe(
    '/model/global.anthropic.claude-sonnet-5-5/invoke-with-response-stream',
  );
  expect(headers.authorization).toMatch(
    /^AWS4-HMAC-SHA256 Credential=AKIDTEST\/.*eu-west-1\/bedrock/,
  );
  expect(body).toMatchObject({
    anthropic_version: '2026-10-21',
    thinking: { type: 'adaptive' },
    output_config: { effort: 'low' },
  });
  // Neither exists there: a request that named them would be refused.
  expect(body).not.toHaveProperty('speed');
  expect(body).not.toHaveProperty('anthropic_beta');
});

test('Bedrock takes its own version for older models, and US inference by the profile', async () => {
  answer = { status: 200, type: binaryType, chunks: frames.map(binary) };
  const model = { id: 'claude-haiku-4-5', effort: { type: 'high' }, inference_geo: 'us' } as const;
  await partsOf(onBedrock({ model }));
  expect(decodeURIComponent(seen[0]?.path ?? '')).toContain(
    '/us.anthropic.claude-haiku-4-5-20251001-v1:0/',
  );
  expect(seen[0]?.body['anthropic_version']).toBe('bedrock-2023-05-31');
  expect(seen[0]?.body).not.toHaveProperty('inference_geo');
});

test('a Bedrock API key in the secret takes the place of the role', async () => {
  answer = { status: 200, type: binaryType, chunks: frames.map(binary) };
  await partsOf(onBedrock({}, { api_key: 'bedrock-key' }));
  expect(seen[0]?.headers.authorization).toBe('Bearer bedrock-key');
});

test.each([
  ['throttlingException', { kind: 'rate_limited', retryable: true }],
  ['serviceUnavailableException', { kind: 'overloaded', retryable: true }],
  ['modelStreamErrorException', { kind: 'failed', retryable: true }],
])('an exception frame %s in mid-stream is told as it is', async (exception, facts) => {
  const failure = codec.encode({
    headers: {
      ':exception-type': header(exception),
      ':content-type': header('application/json'),
      ':message-type': header('exception'),
    },
    body: new TextEncoder().encode(JSON.stringify({ message: 'no' })),
  });
  answer = { status: 200, type: binaryType, chunks: [...frames.slice(0, 3).map(binary), failure] };
  const { error } = await failureOf(onBedrock());
  expect(error).toMatchObject(facts);
});

test.each([
  [400, { message: 'Input is too long for requested model.' }, 'context_too_long'],
  [403, { message: 'You do not have access' }, 'unauthorized'],
  [429, { message: 'Too many requests' }, 'rate_limited'],
  [503, { message: 'Unavailable' }, 'overloaded'],
])('Bedrock’s %i, whose body has no envelope, is understood', async (status, body, kind) => {
  answer = { status, type: 'application/json', chunks: [JSON.stringify(body)] };
  const { error } = await failureOf(onBedrock());
  expect(error).toMatchObject({ kind, status });
  expect((error as Error).message.includes(body.message)).toBe(status !== 403);
});

test('Claude Platform on AWS is signed with the role and names the workspace', async () => {
  const model = modelAt(url, {
    provider: 'claude-platform-aws',
    secret: { api_key: undefined, workspace_id: 'wrkspc_1' },
  });
  const parts = await partsOf(model.stream(aRequest(), never()));
  expect(parts.at(-1)?.type).toBe('done');
  const [{ path, headers, body } = {} as Seen] = seen;
  expect(path).toBe('/v1/messages');
  expect(headers.authorization).toMatch(/aws-external-anthropic/);
  expect(headers['anthropic-workspace-id']).toBe('wrkspc_1');
  expect(body['model']).toBe('claude-opus-5');
});

test('Claude Platform on AWS without a workspace fails, saying what is missing', async () => {
  const model = modelAt(url, { provider: 'claude-platform-aws' });
  const { error } = await failureOf(model.stream(aRequest(), never()));
  expect(error).toMatchObject({ kind: 'unauthorized', retryable: false });
  expect((error as Error).message).toContain('workspace_id');
});

test('the environment of the function cannot redirect a request or lend it a key', async () => {
  Object.assign(process.env, {
    ANTHROPIC_BASE_URL: 'http://127.0.0.1:1',
    ANTHROPIC_API_KEY: 'env',
    ANTHROPIC_AUTH_TOKEN: 'env',
  });
  try {
    await partsOf(modelAt(url).stream(aRequest(), never()));
    expect(seen[0]?.headers.authorization).toBe('Bearer sk-test-key');
  } finally {
    delete process.env['ANTHROPIC_BASE_URL'];
    delete process.env['ANTHROPIC_API_KEY'];
    delete process.env['ANTHROPIC_AUTH_TOKEN'];
  }
});
