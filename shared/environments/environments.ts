import { createHash } from 'node:crypto';
import { again } from '../core/again.ts';
import type { Call } from '../core/call.ts';
import { timestamp } from '../core/clock.ts';
import { commit } from '../core/commit.ts';
import { Fault } from '../core/fault.ts';
import { parseId } from '../core/id.ts';
import { listByTime, listKeys } from '../core/listing.ts';
import { forwardOnly, type Page } from '../core/page.ts';
import type { Ports } from '../core/ports.ts';
import { load, store, type Stored } from '../core/stored.ts';
import { ConditionFailed, type Write } from '../core/table.ts';
import {
  environmentKey,
  nameKey,
  type Environment,
  type EnvironmentHead,
  type NameClaim,
} from './environment.ts';
import { newEnvironment, updateEnvironment } from './environment-rules.ts';
import type {
  EnvironmentCreate,
  EnvironmentListQuery,
  EnvironmentUpdate,
} from './environment-wire.ts';

/** @throws Fault `invalid`; Fault `conflict` when another environment has the name. */
export async function createEnvironment(
  ports: Ports,
  call: Call,
  body: EnvironmentCreate,
): Promise<Environment> {
  const { workspace_id } = call;
  const id = ports.newId('environment');
  const environment = newEnvironment(id, body, timestamp(ports.clock));
  const head: EnvironmentHead = {
    ...environmentKey(id),
    workspace_id,
    revision: 1,
    name: environment.name,
    archived_at: null,
    environment: await keep(ports, environment),
    ...listKeys(workspace_id, 'environment', environment),
  };
  const writes: Write[] = [
    claim(workspace_id, environment),
    { put: head, condition: 'attribute_not_exists(pk)' },
  ];
  try {
    return await commit(ports, call, writes, { answer: environment });
  } catch (error) {
    throw nameTaken(error, environment.name);
  }
}

/** @throws Fault `missing`, also for another workspace's environment. */
export async function getEnvironment(ports: Ports, call: Call, id: string): Promise<Environment> {
  return await shown(ports, await readHead(ports, call, id));
}

/**
 * Change an environment for the sessions that are created from now on. The last write wins: a lost
 * race decides again upon what the winner wrote.
 *
 * @throws Fault `missing`, `invalid`; Fault `conflict` when another environment has the new name.
 */
export async function changeEnvironment(
  ports: Ports,
  call: Call,
  id: string,
  body: EnvironmentUpdate,
): Promise<Environment> {
  return await again(`environment '${id}'`, async () => {
    const head = await readHead(ports, call, id);
    const environment = await shown(ports, head);
    const next = updateEnvironment(environment, body, timestamp(ports.clock));
    const writes = next === environment ? [] : await changeWrites(ports, head, next);
    try {
      return await commit(ports, call, writes, { answer: next });
    } catch (error) {
      // The head is the first write: when it would have held, the claim stood in the way.
      const head_failed = error instanceof ConditionFailed && error.failed.includes(0);
      throw head_failed ? error : nameTaken(error, next.name);
    }
  });
}

async function changeWrites(
  ports: Ports,
  head: EnvironmentHead,
  next: Environment,
): Promise<Write[]> {
  const { workspace_id } = head;
  const change: Write = {
    update: environmentKey(next.id),
    expression: 'SET environment = :environment, #name = :name, revision = :next',
    condition: 'revision = :read',
    names: { '#name': 'name' },
    values: {
      ':environment': await keep(ports, next),
      ':name': next.name,
      ':next': head.revision + 1,
      ':read': head.revision,
    },
  };
  if (next.name === head.name) return [change];
  return [change, claim(workspace_id, next), release(workspace_id, next.id, head.name)];
}

/** Newest first. */
export async function listEnvironments(
  ports: Ports,
  call: Call,
  query: EnvironmentListQuery,
): Promise<Page<Environment>> {
  const { limit, page, include_archived } = query;
  const list = { limit, page, workspace_id: call.workspace_id, key: environmentKey };
  return forwardOnly(
    await listByTime(ports.table, { ...list, noun: 'environment' }, async (row) => {
      const head = row as EnvironmentHead;
      if (head.archived_at !== null && !include_archived) return undefined;
      return await shown(ports, head);
    }),
  );
}

/** One-way; frees the name. A repeat answers as the first did. @throws Fault `missing` */
export async function archiveEnvironment(
  ports: Ports,
  call: Call,
  id: string,
): Promise<Environment> {
  return await again(`environment '${id}'`, async () => {
    const head = await readHead(ports, call, id);
    const environment = await shown(ports, head);
    const archived_at = environment.archived_at ?? timestamp(ports.clock);
    const archive: Write = {
      update: environmentKey(id),
      expression: 'SET archived_at = :archived_at, revision = :next',
      condition: 'revision = :read',
      values: {
        ':archived_at': archived_at,
        ':next': head.revision + 1,
        ':read': head.revision,
      },
    };
    const writes =
      head.archived_at === null ? [archive, release(head.workspace_id, id, head.name)] : [];
    return await commit(ports, call, writes, { answer: { ...environment, archived_at } });
  });
}

/**
 * Delete an environment that no session refers to. Not remembered as a POST is: a repeat is a 404.
 *
 * @throws Fault `missing`; Fault `conflict` while a session refers to it.
 */
export async function deleteEnvironment(ports: Ports, call: Call, id: string): Promise<void> {
  await again(`environment '${id}'`, async () => {
    const head = await readHead(ports, call, id);
    if ((head.sessions_count ?? 0) > 0) throw inUse(id);
    const gone: Write = {
      delete: environmentKey(id),
      // A session that is created meanwhile counts itself first, and this is refused.
      condition:
        'revision = :read AND (attribute_not_exists(sessions_count) OR sessions_count = :none)',
      values: { ':read': head.revision, ':none': 0 },
    };
    const freed = release(head.workspace_id, id, head.name);
    await ports.table.transact(head.archived_at === null ? [gone, freed] : [gone]);
  });
}

/**
 * The environment that a new session names.
 *
 * @throws Fault `missing`; Fault `invalid` when it is archived.
 */
export async function environmentForSession(
  ports: Ports,
  call: Call,
  id: string,
): Promise<Environment> {
  const environment = await getEnvironment(ports, call, parseId('environment', id));
  if (environment.archived_at !== null) throw archived(id);
  return environment;
}

/**
 * Count a session in: part of the transaction that creates it. Its condition fails when the
 * environment was archived or deleted after {@link environmentForSession} read it.
 */
export function referEnvironment(id: string): Write {
  return {
    update: environmentKey(id),
    expression: 'ADD sessions_count :one',
    condition: 'archived_at = :never',
    values: { ':one': 1, ':never': null },
  };
}

/** Count a session out: part of the transaction that deletes it, under that one's own condition. */
export function unreferEnvironment(id: string): Write {
  return {
    update: environmentKey(id),
    expression: 'ADD sessions_count :minus_one',
    condition: 'sessions_count > :none',
    values: { ':minus_one': -1, ':none': 0 },
  };
}

/** What {@link referEnvironment}'s failed condition means to the caller. */
export function archived(id: string): Fault {
  return new Fault('invalid', `environment_id: '${id}' is archived. Use another environment.`, {
    details: { error_code: 'environment_archived' },
  });
}

function inUse(id: string): Fault {
  return new Fault(
    'conflict',
    `environment '${id}' is used by sessions. Delete them first, or archive the environment.`,
    { details: { error_code: 'environment_in_use' } },
  );
}

function nameTaken(error: unknown, name: string): unknown {
  if (!(error instanceof ConditionFailed)) return error;
  return new Fault('conflict', `name: an environment '${name}' exists already. Use another name.`, {
    cause: error,
    details: { error_code: 'environment_name_taken' },
  });
}

async function readHead(ports: Ports, call: Call, id: string): Promise<EnvironmentHead> {
  const head = (await ports.table.get(environmentKey(id))) as EnvironmentHead | undefined;
  if (head === undefined || head.workspace_id !== call.workspace_id) {
    throw new Fault('missing', `environment '${id}' was not found.`);
  }
  return head;
}

async function shown(ports: Ports, head: EnvironmentHead): Promise<Environment> {
  return { ...(await load(ports.blobs, head.environment)), archived_at: head.archived_at };
}

/** The hash keeps two racing updates from sharing an object. */
async function keep(ports: Ports, environment: Environment): Promise<Stored<Environment>> {
  const hash = createHash('sha256').update(JSON.stringify(environment)).digest('hex');
  return await store(ports.blobs, `configs/${environment.id}/${hash}.json`, environment);
}

function claim(workspace_id: string, environment: Environment): Write {
  const put: NameClaim = {
    ...nameKey(workspace_id, environment.name),
    environment_id: environment.id,
  };
  return { put, condition: 'attribute_not_exists(pk)' };
}

function release(workspace_id: string, id: string, name: string): Write {
  return {
    delete: nameKey(workspace_id, name),
    condition: 'environment_id = :id',
    values: { ':id': id },
  };
}
