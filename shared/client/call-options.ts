/** Options of one request that changes something. */
export interface CallOptions {
  /** Sent as `Idempotency-Key`: who repeats the request with it gets the first one's answer, for a day. */
  readonly idempotencyKey?: string;
}

/** They are headers on the wire. */
export function withOptions({ idempotencyKey }: CallOptions): { headers: Record<string, string> } {
  return { headers: idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey } };
}
