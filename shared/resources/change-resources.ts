import type { Call } from '../core/call.ts';
import { Fault } from '../core/fault.ts';
import type { Table, Write } from '../core/table.ts';
import { readParts } from '../sessions/read-session.ts';
import { changeSession } from '../sessions/session-change.ts';
import { configKey, type SessionConfig, type SessionHead } from '../sessions/session.ts';
import { resourcesOf } from './read-resources.ts';
import type { Resource } from './resource.ts';

/** What a change of a session's resources is decided from. */
export interface ResourceRows {
  readonly session: SessionHead;
  readonly config: SessionConfig;
  readonly resources: readonly Resource[];
}

/** @throws Fault `missing`; `invalid` when the session's time is over */
export async function readChangeable(
  table: Table,
  call: Call,
  session_id: string,
): Promise<ResourceRows> {
  const { session, config } = await readParts(table, call, session_id);
  if (session.status === 'terminated') {
    const why = session.archived_at === null ? 'terminated' : 'archived';
    throw new Fault('invalid', `Session ${session_id} is ${why}: its resources are final.`);
  }
  return { session, config, resources: await resourcesOf(table, config) };
}

/** Part of every transaction that changes a resource: refused once the session is gone or archived. */
export function touchSession(session_id: string, at: string): Write[] {
  return [changeSession(session_id, {}, at), risen(session_id)];
}

/** The session's resources are not any more what they were. */
export function risen(session_id: string): Write {
  return {
    update: configKey(session_id),
    expression: 'ADD resources_revision :one',
    condition: 'attribute_exists(pk)',
    values: { ':one': 1 },
  };
}

/** The resource that a client names: a memory store by the store's id, for it has no other. */
export function named(resources: readonly Resource[], id: string): Resource {
  const found = resources.find((resource) =>
    resource.type === 'memory_store'
      ? resource.memory_store_id === id
      : resource.resource_id === id,
  );
  if (found === undefined) {
    throw new Fault('missing', `Resource '${id.slice(0, 80)}' was not found in this session.`);
  }
  return found;
}
