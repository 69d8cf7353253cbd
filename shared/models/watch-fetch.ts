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
 */
export function watchFetch(stall_ms: number, watch: Watch): typeof fetch {
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
    const response = await timed(fetch(input, { ...init, signal: AbortSignal.any(signals) }));
    return response.body === null ? response : rebuild(response, watched(response.body, timed));
  };
}

type Timed = <T>(bytes: Promise<T>) => Promise<T>;

function watched(body: ReadableStream<Uint8Array>, timed: Timed): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await timed(reader.read());
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
