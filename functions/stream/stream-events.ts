import type { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import * as z from 'zod';
import type { Call } from '#shared/core/call.ts';
import { Fault } from '#shared/core/fault.ts';
import {
  checkVersion,
  cors,
  errorReply,
  fromProxyEvent,
  type ProxyEvent,
} from '#shared/core/http.ts';
import { parseId } from '#shared/core/id.ts';
import { limits } from '#shared/core/limits.ts';
import { parseQuery, queryList } from '#shared/core/parse.ts';
import type { Ports } from '#shared/core/ports.ts';
import { Follower } from '#shared/events/follow.ts';
import { frameText, opening, ping } from '#shared/events/frame.ts';
import type { Keyring } from '#shared/keys/keyring.ts';
import { routes } from '#shared/routes.ts';
import { readThread } from '#shared/threads/read-thread.ts';
import type { Tail } from '#shared/threads/tail.ts';

export interface StreamDoor {
  readonly ports: Ports;
  readonly keyring: Keyring;
  readonly tail: Tail;
  readonly logger: Logger;
}

export type ResponseStream = Writable;

/** What goes out before the body, in Lambda's form. */
export interface Prelude {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** Puts the prelude in front of a response; it goes out with the first byte of the body. */
export type Respond = (response: ResponseStream, prelude: Prelude) => ResponseStream;

const Query = z.strictObject({
  event_deltas: queryList(z.enum(['agent.message', 'agent.thinking']))
    .refine((types) => types.length <= limits.event_deltas_max, 'has too many values.')
    .optional(),
});

/**
 * The two streams: errors before the first byte are ordinary answers; after it a stream ends, and
 * its reader connects again with `Last-Event-ID`.
 */
export function streamEvents(
  door: StreamDoor,
  respond: Respond,
): (event: ProxyEvent, response: ResponseStream, context: Context) => Promise<void> {
  return async (event, response, context) => {
    const request_id = door.ports.newId('request');
    const logger = door.logger.createChild({ persistentKeys: { request_id } });
    const time_ms = context.getRemainingTimeInMillis() - limits.stream_reserve_ms;
    const time_up = AbortSignal.timeout(Math.max(0, time_ms));
    let follower: Follower;
    try {
      follower = await open(door, event, request_id);
    } catch (error) {
      const { status, headers, body } = errorReply(error, request_id);
      if (status >= 500) logger.error('failed', { error: error as Error });
      else logger.debug('refused', { error: error as Error });
      const failed = respond(response, { statusCode: status, headers });
      failed.end(body);
      return;
    }
    const out = respond(response, {
      statusCode: 200,
      headers: {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-cache, no-transform',
        'request-id': request_id,
        ...cors,
      },
    });
    logger.appendKeys({ session_id: follower.session_id, thread_id: follower.thread_id });
    await send(follower, out, time_up, logger);
  };
}

/** Everything that can be refused, and the position from which nothing is missed. */
async function open(door: StreamDoor, event: ProxyEvent, request_id: string): Promise<Follower> {
  const http = fromProxyEvent(event);
  const caller = await door.keyring.identify(http.headers);
  checkVersion(http.headers);
  const { scope } = routes['GET /v1/sessions/{session_id}/events/stream'];
  if (!caller.scopes.includes(scope)) {
    throw new Fault('forbidden', `This key lacks the scope '${scope}' that streams need.`);
  }
  const { event_deltas = [] } = parseQuery(Query, http.query);
  const call: Call = { ...caller, request_id };
  const session_id = parseId('session', event.pathParameters?.['session_id']);
  const thread_id = event.pathParameters?.['thread_id'];
  const head = await readThread(
    door.ports.table,
    call,
    session_id,
    thread_id === undefined ? undefined : parseId('thread', thread_id),
  );
  const after_id = http.headers['last-event-id'] || undefined;
  return await Follower.open(door.ports, door.tail, head, { after_id, event_deltas });
}

/** Write frames until the thread ends, the reader leaves, or our time is up. */
async function send(
  follower: Follower,
  out: ResponseStream,
  time_up: AbortSignal,
  logger: Logger,
): Promise<void> {
  const gone = new AbortController();
  out.once('close', () => gone.abort());
  out.on('error', () => gone.abort());
  const signal = AbortSignal.any([gone.signal, time_up]);
  const began_ms = performance.now();
  let written_ms = began_ms;
  let frames_count = 0;
  const write = async (text: string): Promise<void> => {
    written_ms = performance.now();
    if (!out.write(text)) await once(out, 'drain', { signal });
  };
  try {
    await write(opening);
    for await (const frames of follower.frames(signal)) {
      if (frames.length > 0) await write(frames.map(frameText).join(''));
      frames_count += frames.length;
      if (performance.now() - written_ms >= limits.stream_ping_ms) await write(ping);
    }
  } catch (error) {
    if (!signal.aborted) logger.error('stream failed', { error: error as Error });
  }
  out.end();
  const duration_ms = Math.round(performance.now() - began_ms);
  logger.info('stream', { frames_count, left: gone.signal.aborted, duration_ms });
}
