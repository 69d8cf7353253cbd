import { createHash, randomBytes } from 'node:crypto';
import type { Scope } from '../core/call.ts';
import type { Key, Row } from '../core/table.ts';

/** A key as it is shown: never with its secret. */
export interface ApiKey {
  readonly id: string;
  readonly type: 'api_key';
  readonly name: string;
  readonly workspace_id: string;
  readonly scopes: readonly Scope[];
  /** The end of the secret, to tell keys apart. */
  readonly last_four: string;
  readonly created_at: string;
  /** The key that made this one. */
  readonly created_by: string;
  readonly expires_at: string | null;
  readonly revoked_at: string | null;
}

/** The answer to its creation. A repeat under the same `Idempotency-Key` has null: it was shown. */
export interface CreatedApiKey extends ApiKey {
  readonly secret: string | null;
}

/** `APIKEY#<id>` / `HEAD` */
export interface ApiKeyRow extends Row {
  readonly workspace_id: string;
  /** Where the secret's row stands, to revoke it. */
  readonly secret_hash: string;
  readonly api_key: ApiKey;
}

/** `SECRET#<sha256>` / `KEY`: what a presented secret opens. Gone once the key is revoked. */
export interface SecretRow extends Row {
  readonly api_key_id: string;
  readonly workspace_id: string;
  readonly scopes: readonly Scope[];
  readonly valid_until: string | null;
}

/** The workspace of a caller who names none. */
export const default_workspace_id = 'wrkspc_default0000000000000000';

/** The id that the deployment's own key has in logs; it has no row. */
export const admin_key_id = 'apikey_admin';

export function apiKeyKey(id: string): Key {
  return { pk: `APIKEY#${id}`, sk: 'HEAD' };
}

export function secretKey(hash: string): Key {
  return { pk: `SECRET#${hash}`, sk: 'KEY' };
}

const SECRET = /^rvr_[A-Za-z0-9_-]{43}$/;

export function isSecret(text: string): boolean {
  return SECRET.test(text);
}

/** A new secret with 256 bits of randomness, which is why a plain SHA-256 keeps it safe at rest. */
export function newSecret(): string {
  return `rvr_${randomBytes(32).toString('base64url')}`;
}

export function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
