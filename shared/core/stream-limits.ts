/** The bounds of streams and connections: a part of `limits`, through which they are read. */
export const stream_limits = {
  /** Proxies and clients take a silent stream for dead after 30 to 60 s. */
  stream_ping_ms: 15_000,
  /** What is kept of the function's time to end a stream cleanly. */
  stream_reserve_ms: 5_000,
  /**
   * How long a stream stays with a session that rests. Source: Lambda documentation of response
   * streaming: the function is not told that its client has gone, and runs on; each reader that has
   * left would hold, and be billed for, a whole run of the function.
   */
  stream_rest_ms: 120_000,
  /** Source: Lambda quota: 200 MB of a streamed response; beyond it is cut. */
  stream_bytes_max: 200_000_000,
  /**
   * How long a connection may have been idle to be used again without a doubt. Source: Lambda's best
   * practices: idle connections are taken away, and to use one again is an error.
   */
  connection_rest_ms: 5_000,
  /** Source: API reference. */
  event_deltas_max: 100,
} as const;
