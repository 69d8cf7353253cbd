import {
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type HrTime,
  type SpanContext,
} from '@opentelemetry/api';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import * as z from 'zod';
import { limits } from '../core/limits.ts';
import type { Span } from './spans.ts';

/** Where spans are sent to. */
export interface SpanSink {
  /** @throws Error that says what the endpoint answered */
  send(spans: readonly Span[]): Promise<void>;
}

/** The secret of headers: what the endpoint wants to be told, e.g. `{"authorization": "Bearer …"}`. */
export const HeadersSecret = z.record(z.string(), z.string());

export interface OtlpOptions {
  /** As OTEL_EXPORTER_OTLP_ENDPOINT: `/v1/traces` is put behind it. */
  readonly endpoint: string;
  readonly headers: () => Promise<Readonly<Record<string, string>>>;
}

/** OTLP over HTTP, as JSON. */
export function otlpSink({ endpoint, headers }: OtlpOptions): SpanSink {
  const url = `${endpoint.replace(/\/$/, '')}/v1/traces`;
  return {
    async send(spans) {
      const body = JsonTraceSerializer.serializeRequest(spans.map(readable));
      if (body === undefined) return;
      const response = await fetch(url, {
        method: 'POST',
        headers: await headersOf(headers),
        body: Buffer.from(body),
        signal: AbortSignal.timeout(limits.otlp_timeout_ms),
        // Headers are secrets of this endpoint's alone.
        redirect: 'error',
      });
      // Read in any case, so that the connection is free again.
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`The OTLP endpoint answered ${response.status}.`);
    },
  };
}

/** Neither the parser's message nor that of `Headers`: both quote what they read, and a log would hold it. */
async function headersOf(read: OtlpOptions['headers']): Promise<Headers> {
  try {
    return new Headers({ ...(await read()), 'content-type': 'application/json' });
  } catch {
    throw new Error(
      'The secret of the OTLP headers cannot be read: it must be a JSON object of headers.',
    );
  }
}

const resource = resourceFromAttributes({ 'service.name': 'reverie' });
const instrumentationScope = { name: 'reverie' };

type ReadableSpan = Parameters<typeof JsonTraceSerializer.serializeRequest>[0][number];

function readable(span: Span): ReadableSpan {
  const context = (spanId: string): SpanContext => ({
    traceId: span.trace_id,
    spanId,
    traceFlags: TraceFlags.SAMPLED,
  });
  const own = context(span.span_id);
  const { parent_span_id } = span;
  return {
    name: span.name,
    kind: span.kind === 'client' ? SpanKind.CLIENT : SpanKind.INTERNAL,
    spanContext: () => own,
    ...(parent_span_id === undefined ? {} : { parentSpanContext: context(parent_span_id) }),
    startTime: timeOf(span.started_at),
    endTime: timeOf(span.ended_at),
    duration: [0, 0],
    ended: true,
    status: { code: span.is_error ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes: span.attributes,
    links: [],
    events: [],
    resource,
    instrumentationScope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** Seconds, and what is left in nanoseconds. */
function timeOf(at: string): HrTime {
  const ms = Date.parse(at);
  return [Math.floor(ms / 1_000), (ms % 1_000) * 1_000_000];
}
