import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { Message, MessageCreateParams } from '@anthropic-ai/sdk/resources/messages';
import { isOfBatches, MessageBatches } from './batches.ts';
import { encodeMessage } from './messages-sse.ts';

export interface MessagesRequest {
  /** The parsed body. `/v1/messages/count_tokens` arrives here too: see `path`. */
  readonly body: MessageCreateParams;
  readonly headers: IncomingHttpHeaders;
  readonly path: string;
  /** Aborted when the client goes away before the answer is whole. */
  readonly signal: AbortSignal;
}

/** An answer that is not a message: an API error, or anything else the test wants on the wire. */
export interface MessagesError {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A message is streamed or sent whole as the request asks; frames go out as they come. */
export type MessagesAnswer = Message | MessagesError | AsyncIterable<string>;

export type OnRequest = (request: MessagesRequest) => MessagesAnswer | Promise<MessagesAnswer>;

export interface MessagesServer {
  readonly url: string;
  /** Its `/v1/messages/batches`. */
  readonly batches: MessageBatches;
  close(): Promise<void>;
}

/** A Messages API on 127.0.0.1 that speaks real HTTP and SSE and answers what `onRequest` says. */
export async function serveMessages(onRequest: OnRequest, port = 0): Promise<MessagesServer> {
  const batches = new MessageBatches(onRequest);
  const server = createServer((incoming, outgoing) => {
    serve({ onRequest, batches }, incoming, outgoing).catch((cause: unknown) => {
      const message = cause instanceof Error ? cause.message : String(cause);
      if (outgoing.headersSent) outgoing.destroy();
      else sendJson(outgoing, 500, { type: 'error', error: { type: 'api_error', message } });
    });
  });
  server.keepAliveTimeout = 60_000;
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    batches,
    url: `http://127.0.0.1:${address.port}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Served {
  readonly onRequest: OnRequest;
  readonly batches: MessageBatches;
}

async function serve(
  { onRequest, batches }: Served,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const path = new URL(incoming.url ?? '/', 'http://host').pathname;
  if (isOfBatches(path)) {
    const { method, headers } = incoming;
    const body = method === 'POST' ? await readJson(incoming) : undefined;
    const base_url = `http://${headers.host}`;
    const answered = await batches.serve({ method, path, headers, body }, base_url);
    return sendJson(outgoing, answered.status, answered.body, answered.headers);
  }
  if (incoming.method !== 'POST' || !path.startsWith('/v1/messages')) {
    const error = { type: 'not_found_error', message: `${incoming.method} ${path}` };
    sendJson(outgoing, 404, { type: 'error', error });
    return;
  }
  const aborted = new AbortController();
  outgoing.once('close', () => aborted.abort());
  const body = (await readJson(incoming)) as MessageCreateParams;
  const { headers } = incoming;
  const answer = await onRequest({ body, headers, path, signal: aborted.signal });
  if (Symbol.asyncIterator in answer) await sendFrames(outgoing, answer);
  else if ('status' in answer) sendJson(outgoing, answer.status, answer.body, answer.headers);
  else if (body.stream === true) await sendFrames(outgoing, encodeMessage(answer));
  else sendJson(outgoing, 200, answer);
}

async function readJson(incoming: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  // The cancellation of a batch has no body.
  return text === '' ? undefined : JSON.parse(text);
}

async function sendFrames(
  outgoing: ServerResponse,
  frames: Iterable<string> | AsyncIterable<string>,
): Promise<void> {
  outgoing.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  const gone = new Promise((resolve) => outgoing.once('close', resolve));
  for await (const frame of frames) {
    if (outgoing.destroyed) return;
    if (!outgoing.write(frame)) await Promise.race([once(outgoing, 'drain'), gone]);
  }
  outgoing.end();
}

function sendJson(
  outgoing: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  outgoing.writeHead(status, { 'content-type': 'application/json', ...headers });
  outgoing.end(typeof body === 'string' ? body : JSON.stringify(body));
}
