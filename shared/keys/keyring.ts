import { timingSafeEqual } from 'node:crypto';
import { scopes, type Call } from '../core/call.ts';
import type { Clock } from '../core/clock.ts';
import { Fault } from '../core/fault.ts';
import { isId } from '../core/id.ts';
import { limits } from '../core/limits.ts';
import type { Table } from '../core/table.ts';
import {
  admin_key_id,
  default_workspace_id,
  hashOf,
  isSecret,
  secretKey,
  type SecretRow,
} from './api-key.ts';

/** Whom a request's headers name. */
export type Caller = Pick<Call, 'workspace_id' | 'api_key_id' | 'scopes'>;

type Headers = Readonly<Record<string, string | undefined>>;

/**
 * Knows the deployment's admin key and every key of the table. A revoked key is refused everywhere
 * within `key_cache_ms`; an unknown one is asked for each time, so that a new key works at once.
 */
export class Keyring {
  readonly #table: Table;
  readonly #clock: Clock;
  readonly #admin: () => Promise<string>;
  readonly #known = new Map<string, { readonly row: SecretRow; readonly read_at: number }>();

  /** @param admin Reads the deployment's own key; it is cached, and rotates within minutes. */
  constructor(table: Table, clock: Clock, admin: () => Promise<string>) {
    this.#table = table;
    this.#clock = clock;
    this.#admin = admin;
  }

  /**
   * @throws Fault `unauthenticated` without a key that is valid now; Fault `forbidden` when
   *   `anthropic-workspace-id` names another workspace than the key's.
   */
  async identify(headers: Headers): Promise<Caller> {
    const key = presented(headers);
    const hash = hashOf(key);
    const wanted = headers['anthropic-workspace-id'];
    if (timingSafeEqual(hash, hashOf(await this.#admin()))) return adminOf(wanted);
    const row = isSecret(key) ? await this.#find(hash.toString('hex')) : undefined;
    if (row === undefined) throw new Fault('unauthenticated', 'The API key is not valid.');
    const { workspace_id, api_key_id } = row;
    if (wanted !== undefined && wanted !== workspace_id) {
      throw new Fault(
        'forbidden',
        "anthropic-workspace-id: is not the workspace of this key. Leave the header out, or use that workspace's key.",
      );
    }
    return { workspace_id, api_key_id, scopes: row.scopes };
  }

  async #find(hash: string): Promise<SecretRow | undefined> {
    const now = this.#clock.now();
    let known = this.#known.get(hash);
    if (known === undefined || now.getTime() - known.read_at >= limits.key_cache_ms) {
      const row = (await this.#table.get(secretKey(hash))) as SecretRow | undefined;
      this.#known.delete(hash);
      if (row === undefined) return undefined;
      if (this.#known.size >= limits.key_cache_entries_max) this.#known.clear();
      // The age counts from before the read, which is when the row was surely there.
      known = { row, read_at: now.getTime() };
      this.#known.set(hash, known);
    }
    const { valid_until } = known.row;
    if (valid_until !== null && valid_until <= now.toISOString()) {
      throw new Fault('unauthenticated', `The API key expired at ${valid_until}.`);
    }
    return known.row;
  }
}

function presented(headers: Headers): string {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers['authorization'] ?? '')?.[1];
  const key = headers['x-api-key'] || bearer;
  if (key !== undefined) return key;
  throw new Fault(
    'unauthenticated',
    'No API key. Send it as x-api-key, or as Authorization: Bearer <key>.',
  );
}

/** The admin key belongs to the deployment: the header chooses for which workspace it acts. */
function adminOf(wanted: string | undefined): Caller {
  if (wanted !== undefined && !isId('workspace', wanted)) {
    throw new Fault(
      'invalid',
      'anthropic-workspace-id: must be wrkspc_ and 20 to 40 letters or digits.',
    );
  }
  return { workspace_id: wanted ?? default_workspace_id, api_key_id: admin_key_id, scopes };
}
