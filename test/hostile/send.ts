import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';

/** A request as it goes over the wire: nothing of it is put right on the way. */
export interface RawRequest {
  readonly method: string;
  /** With its query, encoded. */
  readonly target: string;
  /** In order; a name may stand twice. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body?: Uint8Array | string;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Empty where the answer is a stream that does not end by itself. */
  readonly text: string;
}

/** Longer than any answer takes. */
const HANG_MS = 30_000;

/** A connection that is kept, over which one request goes after the other. */
export class Sender {
  readonly #base: URL;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4 });

  constructor(base_url: string) {
    this.#base = new URL(base_url);
  }

  /** @throws Error when there is no answer in time, or none at all */
  async send(request: RawRequest): Promise<RawAnswer> {
    return await new Promise((resolve, reject) => {
      const outgoing = httpRequest({
        host: this.#base.hostname,
        port: this.#base.port,
        agent: this.#agent,
        method: request.method,
        path: request.target,
        headers: [
          ...[['host', this.#base.host], ...request.headers].flat(),
          ...lengthOf(request.body),
        ] as unknown as Record<string, string>,
        timeout: HANG_MS,
      });
      outgoing.once('timeout', () => outgoing.destroy(new Error(`no answer in ${HANG_MS} ms`)));
      outgoing.once('error', reject);
      outgoing.once('response', (incoming) => {
        const status = incoming.statusCode ?? 0;
        const { headers } = incoming;
        if (headers['content-type']?.startsWith('text/event-stream') === true) {
          resolve({ status, headers, text: '' });
          outgoing.destroy();
          return;
        }
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.once('error', reject);
        incoming.once('end', () => {
          resolve({ status, headers, text: Buffer.concat(chunks).toString('utf8') });
        });
      });
      outgoing.end(request.body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function lengthOf(body: RawRequest['body']): string[] {
  return body === undefined ? [] : ['content-length', String(Buffer.byteLength(body))];
}
