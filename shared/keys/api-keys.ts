import type { Call } from '../core/call.ts';
import { timestamp } from '../core/clock.ts';
import { commit } from '../core/commit.ts';
import { Fault } from '../core/fault.ts';
import { listByTime, listKeys } from '../core/listing.ts';
import { forwardOnly, type Page } from '../core/page.ts';
import type { Ports } from '../core/ports.ts';
import { ConditionFailed } from '../core/table.ts';
import {
  admin_key_id,
  apiKeyKey,
  hashOf,
  secretKey,
  type ApiKey,
  type ApiKeyRow,
  type CreatedApiKey,
  type SecretRow,
} from './api-key.ts';
import type { ApiKeyCreate, ApiKeyListQuery } from './api-key-wire.ts';

/**
 * Make a key. Its secret is in this answer and nowhere else.
 *
 * @param secret From {@link newSecret}.
 * @throws Fault `forbidden` for a workspace or a scope that the caller does not have itself;
 *   Fault `invalid` for an expiry in the past.
 */
export async function createApiKey(
  ports: Ports,
  call: Call,
  body: ApiKeyCreate,
  secret: string,
): Promise<CreatedApiKey> {
  const { workspace_id = call.workspace_id } = body;
  checkGrant(call, workspace_id, body);
  const now = timestamp(ports.clock);
  const expires_at = body.expires_at === null ? null : new Date(body.expires_at).toISOString();
  if (expires_at !== null && expires_at <= now) {
    throw new Fault('invalid', 'expires_at: is in the past. Send a later time, or null.');
  }
  const api_key: ApiKey = {
    id: ports.newId('api_key'),
    type: 'api_key',
    name: body.name,
    workspace_id,
    scopes: [...new Set(body.scopes)],
    last_four: secret.slice(-4),
    created_at: now,
    created_by: call.api_key_id,
    expires_at,
    revoked_at: null,
  };
  const secret_hash = hashOf(secret).toString('hex');
  const head: ApiKeyRow = {
    ...apiKeyKey(api_key.id),
    workspace_id,
    secret_hash,
    api_key,
    ...listKeys(workspace_id, 'api_key', api_key),
  };
  const opens: SecretRow = {
    ...secretKey(secret_hash),
    api_key_id: api_key.id,
    workspace_id,
    scopes: api_key.scopes,
    valid_until: expires_at,
  };
  const writes = [head, opens].map((put) => ({ put, condition: 'attribute_not_exists(pk)' }));
  return await commit<CreatedApiKey>(ports, call, writes, {
    answer: { ...api_key, secret },
    kept: { ...api_key, secret: null },
  });
}

function checkGrant(call: Call, workspace_id: string, body: ApiKeyCreate): void {
  if (workspace_id !== call.workspace_id && call.api_key_id !== admin_key_id) {
    throw new Fault(
      'forbidden',
      "workspace_id: only the deployment's admin key makes keys for other workspaces.",
    );
  }
  const missing = body.scopes.find((scope) => !call.scopes.includes(scope));
  if (missing !== undefined) {
    throw new Fault(
      'forbidden',
      `scopes: your key does not have '${missing}', so it cannot give it.`,
    );
  }
}

/** @throws Fault `missing` */
export async function getApiKey(ports: Ports, call: Call, id: string): Promise<ApiKey> {
  return (await readRow(ports, call, id)).api_key;
}

async function readRow(ports: Ports, call: Call, id: string): Promise<ApiKeyRow> {
  const row = (await ports.table.get(apiKeyKey(id))) as ApiKeyRow | undefined;
  if (row === undefined || row.workspace_id !== call.workspace_id) {
    throw new Fault('missing', `api_key '${id}' was not found.`);
  }
  return row;
}

/** Newest first. */
export async function listApiKeys(
  ports: Ports,
  call: Call,
  query: ApiKeyListQuery,
): Promise<Page<ApiKey>> {
  const page = await listByTime(
    ports.table,
    { ...query, workspace_id: call.workspace_id, noun: 'api_key', key: apiKeyKey },
    async (row) => {
      const { api_key } = row as ApiKeyRow;
      return query.include_revoked || api_key.revoked_at === null ? api_key : undefined;
    },
  );
  return forwardOnly(page);
}

/**
 * Revoke a key: its secret opens nothing from now on, at the latest `key_cache_ms` later. The
 * record stays. A repeat answers as the first did.
 *
 * @throws Fault `missing`
 */
export async function revokeApiKey(ports: Ports, call: Call, id: string): Promise<ApiKey> {
  const row = await readRow(ports, call, id);
  if (row.api_key.revoked_at !== null) return row.api_key;
  const api_key = { ...row.api_key, revoked_at: timestamp(ports.clock) };
  try {
    await ports.table.transact([
      // Deleting what is not there is harmless: the head's condition decides who revokes.
      { delete: secretKey(row.secret_hash) },
      {
        update: apiKeyKey(id),
        expression: 'SET api_key = :api_key',
        condition: 'api_key.revoked_at = :never',
        values: { ':api_key': api_key, ':never': null },
      },
    ]);
    return api_key;
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
    return await getApiKey(ports, call, id);
  }
}
