import type { Context } from 'aws-lambda';
import type { ProxyEvent } from '#shared/core/http.ts';
import { routeTable } from './route-table.ts';
import { serveStreams, type Prelude, type ResponseStream } from './serve-streams.ts';
import { door, ports } from './wiring.ts';

type Handler = (event: ProxyEvent, response: ResponseStream, context: Context) => Promise<void>;

/** What Lambda's Node runtime brings for a function whose response is streamed. */
declare const awslambda: {
  streamifyResponse(handler: Handler): Handler;
  HttpResponseStream: { from(response: ResponseStream, prelude: Prelude): ResponseStream };
};

export const handler = awslambda.streamifyResponse(
  serveStreams(routeTable(ports), door, (response, prelude) =>
    awslambda.HttpResponseStream.from(response, prelude),
  ),
);
