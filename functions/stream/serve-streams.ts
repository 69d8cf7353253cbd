import type { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { cors, errorReply, fromProxyEvent, type ProxyEvent } from '#shared/core/http.ts';
import { limits } from '#shared/core/limits.ts';
import { admit, type Seen } from '#shared/door/admit.ts';
import type { Door } from '#shared/door/serve.ts';
import { routerOf, type Router } from '#shared/door/router.ts';
import type { StreamRouteName } from '#shared/routes.ts';
import type { Streamed, StreamRoute } from './stream-route.ts';

export type ResponseStream = Writable;

/** What goes out before the body, in Lambda's form. */
export interface Prelude {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** Puts the prelude in front of a response; it goes out with the first write, be it empty. */
export type Respond = (response: ResponseStream, prelude: Prelude) => ResponseStream;

/** Thrown at Lambda once bytes have gone out: it breaks the connection, so nobody takes it for whole. */
export class StreamBroken extends Error {
  override readonly name = 'StreamBroken';
}

/** Why a stream stops before its end. */
interface Stops {
  readonly gone: AbortSignal;
  readonly time_up: AbortSignal;
  readonly any: AbortSignal;
}

/**
 * The door of the function that streams. Errors before the first byte are ordinary answers. After it
 * a stream that is cut is broken, but for one that its reader takes up again: that one just ends.
 */
export function serveStreams(
  table: Readonly<Record<StreamRouteName, StreamRoute>>,
  door: Door,
  respond: Respond,
): (event: ProxyEvent, response: ResponseStream, context: Context) => Promise<void> {
  const router = routerOf<StreamRoute>(table);
  return async (event, response, context) => {
    // Of a streaming handler Lambda awaits not only the promise but, as long as this is true, that nothing is
    // left to happen in the process: a socket or a timer of anybody's would hold, and bill, it up to its time-out.
    context.callbackWaitsForEmptyEventLoop = false;
    const request_id = door.ports.newId('request');
    const seen: Seen = { request_id };
    const stops = stopsOf(response, context);
    let opened: Opened;
    try {
      opened = await open(event, router, door, { seen, stops });
    } catch (error) {
      const { status, headers, body } = errorReply(error, request_id);
      if (status >= 500) door.logger.error('failed', { ...seen, error: error as Error });
      else door.logger.debug('refused', { ...seen, error: error as Error });
      const failed = respond(response, { statusCode: status, headers });
      failed.write(body);
      failed.end();
      return;
    }
    const headers = { ...opened.streamed.headers, 'request-id': request_id, ...cors };
    const out = respond(response, { statusCode: 200, headers });
    await send(opened, out, stops, { logger: door.logger, seen });
  };
}

function stopsOf(response: ResponseStream, context: Context): Stops {
  const left = new AbortController();
  response.once('close', () => left.abort());
  response.on('error', () => left.abort());
  const time_ms = context.getRemainingTimeInMillis() - limits.stream_reserve_ms;
  const time_up = AbortSignal.timeout(Math.max(0, time_ms));
  return { gone: left.signal, time_up, any: AbortSignal.any([left.signal, time_up]) };
}

type Chunks = AsyncIterator<Uint8Array | string>;

interface Opened {
  readonly streamed: Streamed;
  readonly chunks: Chunks;
  readonly first: IteratorResult<Uint8Array | string>;
}

/** Everything that can be refused, and the first chunk: what cannot be begun is refused too. */
async function open(
  event: ProxyEvent,
  router: Router<StreamRoute>,
  door: Door,
  { seen, stops }: { readonly seen: Seen; readonly stops: Stops },
): Promise<Opened> {
  const http = fromProxyEvent(event);
  const { entry, request } = await admit(http, router, door.keyring, seen);
  const streamed = await entry.route(request, { headers: http.headers, signal: stops.any });
  const chunks = streamed.chunks[Symbol.asyncIterator]();
  return { streamed, chunks, first: await chunks.next() };
}

/** Write the body, say in the log how that went, and end the connection as it deserves. */
async function send(
  opened: Opened,
  out: ResponseStream,
  { gone, any }: Stops,
  { logger, seen }: { readonly logger: Logger; readonly seen: Seen },
): Promise<void> {
  const began_ms = performance.now();
  const { chunks_count, failure } = await pump(opened, out, any);
  const duration_ms = Math.round(performance.now() - began_ms);
  const whole = failure === undefined;
  logger.info('stream', { ...seen, chunks_count, left: gone.aborted, whole, duration_ms });
  if (!whole && !any.aborted) logger.error('stream failed', { ...seen, error: failure as Error });
  if (whole || gone.aborted || opened.streamed.resumable) out.end();
  else throw new StreamBroken('a stream was cut', { cause: failure });
}

/** Write chunks until they end, the reader leaves, or our time is up. */
async function pump({ chunks, first }: Opened, out: ResponseStream, stop: AbortSignal) {
  let chunks_count = 0;
  try {
    let next = first;
    // An empty body has a prelude too.
    if (next.done === true) out.write('');
    for (; next.done !== true && !stop.aborted; next = await chunks.next()) {
      chunks_count += 1;
      if (!out.write(next.value)) await once(out, 'drain', { signal: stop });
    }
    if (next.done !== true) throw new StreamBroken('it was stopped');
    return { chunks_count, failure: undefined };
  } catch (failure) {
    // Stops what it reads from; a generator that has failed is at its end anyway.
    await chunks.return?.().catch(() => undefined);
    return { chunks_count, failure };
  }
}
