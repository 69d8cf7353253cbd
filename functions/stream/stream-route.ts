import type { Ports } from '#shared/core/ports.ts';
import type { Request } from '#shared/door/route.ts';
import type { Tail } from '#shared/threads/tail.ts';

/** What the streams act upon. */
export interface StreamPorts extends Ports {
  readonly tail: Tail;
}

/** What a route may look at beside the request. */
export interface Listener {
  /** Of the request; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Aborted when the client has gone and when the function's time is up. */
  readonly signal: AbortSignal;
}

/** A streamed answer: everything that can be refused has been. */
export interface Streamed {
  readonly headers: Readonly<Record<string, string>>;
  /** The body. Fails where it cannot be given whole: the connection is then broken, not ended. */
  readonly chunks: AsyncIterable<Uint8Array | string>;
  /** Its reader comes back for the rest, so it may end anywhere. @default - it is whole or broken */
  readonly resumable?: true;
}

/** Refuse, or answer with a body that is yet to come. @throws Fault */
export type StreamRoute = (request: Request, listener: Listener) => Promise<Streamed>;
