import { limits } from '../core/limits.ts';
import { stalled, type ModelError } from './model-error.ts';

/** What became of one request on the wire. */
export interface Watch {
  /** Set once the watch has given up on it. */
  failure: ModelError | undefined;
  /** The credentials that it has carried: whoever answers may quote them. */
  readonly sent: Set<string>;
}

const credentials = ['x-api-key', 'authorization', 'x-amz-security-token'];

/**
 * A `fetch` that gives up when no byte came for `stall_ms`, before the headers or in the body. Bytes
 * and not events: the API's pings keep a thinking model alive, and the SDK does not show them.
 *
 * @param send How it is sent: `fetchAwake` where a request may be sent once more.
 */
export function watchFetch(stall_ms: number, watch: Watch, send = fetch): typeof fetch {
  return async (input, init) => {
    const headers = new Headers(init?.headers);
    for (const name of credentials) {
      const value = headers.get(name)?.replace(/^Bearer /, '') ?? '';
      if (value !== '') watch.sent.add(value);
    }
    const given_up = new AbortController();
    /** Only waiting is timed: a slow reader of ours is not the provider's silence. */
    const timed = async <T>(bytes: Promise<T>): Promise<T> => {
      const timer = setTimeout(() => {
        watch.failure = stalled(stall_ms);
        given_up.abort(watch.failure);
      }, stall_ms);
      return await bytes.finally(() => clearTimeout(timer));
    };
    const signals = [given_up.signal, init?.signal].filter((one) => one instanceof AbortSignal);
    const signal = AbortSignal.any(signals);
    const response = await timed(send(input, { ...init, signal }));
    return response.body === null ? response : rebuild(response, watched(response.body, timed));
  };
}

/** When this process last heard of a request: its connections are open since, as far as anybody knows. */
let heard_at_ms = Infinity;

/**
 * `fetch`, and once more where no answer came on what may be a connection from before a pause: Lambda
 * freezes a function between its invocations, and what was closed meanwhile looks open. To say so
 * to a session as an error, and to wait, would be how every first turn after a break began.
 */
export const fetchAwake: typeof fetch = async (input, init) => {
  const has_rested = Date.now() - heard_at_ms >= limits.connection_rest_ms;
  try {
    return await fetch(input, init);
  } catch (cause) {
    if (!has_rested || init?.signal?.aborted === true) throw cause;
    return await fetch(input, init);
  } finally {
    heard_at_ms = Date.now();
  }
};

type Timed = <T>(bytes: Promise<T>) => Promise<T>;

function watched(body: ReadableStream<Uint8Array>, timed: Timed): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await timed(reader.read());
      heard_at_ms = Date.now();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel(reason) {
      await reader.cancel(reason);
    },
  });
}

/** A Response made by hand forgets its URL, which the SDKs read. */
function rebuild(response: Response, body: ReadableStream<Uint8Array>): Response {
  const { status, statusText, headers, url } = response;
  const rebuilt = new Response(body, { status, statusText, headers });
  Object.defineProperty(rebuilt, 'url', { value: url });
  return rebuilt;
}
