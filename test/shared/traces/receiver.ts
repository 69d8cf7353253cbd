import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A span as OTLP/HTTP JSON has it, its attributes by name. */
export interface ReceivedSpan {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code?: number };
  readonly attributes: Readonly<Record<string, string | number>>;
}

interface Value {
  readonly stringValue?: string;
  readonly intValue?: number | string;
}
interface KeyValue {
  readonly key: string;
  readonly value: Value;
}
type RawSpan = Omit<ReceivedSpan, 'attributes'> & { readonly attributes: readonly KeyValue[] };
interface Body {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeSpans: readonly { readonly spans: readonly RawSpan[] }[];
  }[];
}

const valuesOf = (attributes: readonly KeyValue[]): Record<string, string | number> =>
  Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? Number(value.intValue)]),
  );

/** A real OTLP endpoint over HTTP, that keeps what it is sent. */
export class Receiver {
  readonly requests: { path: string; headers: IncomingHttpHeaders; text: string }[] = [];
  /** Answers with this; a refusal quotes what it was sent. */
  status = 200;
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      this.requests.push({ path: String(request.url), headers: request.headers, text });
      const body = this.status < 300 ? {} : { refused: request.headers };
      response.writeHead(this.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    });
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Of a session, in the order in which they came. */
  spansOf(session_id: string): ReceivedSpan[] {
    const bodies = this.requests.map(({ text }) => JSON.parse(text) as Body);
    const spans = bodies
      .flatMap(({ resourceSpans }) => resourceSpans)
      .flatMap(({ scopeSpans }) => scopeSpans)
      .flatMap(({ spans: own }) => own)
      .map((span) => ({ ...span, attributes: valuesOf(span.attributes) }));
    return spans.filter(({ attributes }) => attributes['gen_ai.conversation.id'] === session_id);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
