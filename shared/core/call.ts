import type { Request } from './commit.ts';

/** What a key may do. Scopes do not include one another: a key that only writes cannot read back. */
export const scopes = ['read', 'write', 'admin'] as const;
export type Scope = (typeof scopes)[number];

/** Who calls, for which workspace, and how the answer is remembered: the frame of one request. */
export interface Call {
  readonly request_id: string;
  readonly workspace_id: string;
  readonly api_key_id: string;
  readonly scopes: readonly Scope[];
  /** Set when the caller sent an `Idempotency-Key` with a POST. */
  readonly idempotency?: Request;
}
