import type { BetaManagedAgentsDeletedSession } from '@anthropic-ai/sdk/resources/beta/sessions/sessions';
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../core/backoff.ts';
import type { Call } from '../core/call.ts';
import { timestamp } from '../core/clock.ts';
import { limits } from '../core/limits.ts';
import type { Ports } from '../core/ports.ts';
import { ConditionFailed, type Write } from '../core/table.ts';
import { unreferEnvironment } from '../environments/environments.ts';
import { redactionOf } from '../redactions/redaction.ts';
import { prepareAppend } from '../threads/log.ts';
import { agentListingKey } from './new-session.ts';
import { checkNotRunning, readRows, tooBusy, type SessionRows } from './read-session.ts';
import { configKey, sessionKey, type SessionHead } from './session.ts';
import { sweepContents } from './sweep-session.ts';

export type DeletedSession = BetaManagedAgentsDeletedSession;

export interface DeletePorts extends Ports {
  /** What could not be swept at once: logged here, done by reconcile. */
  readonly sweepLost: (error: unknown) => void;
}

/**
 * `DELETE /v1/sessions/{session_id}`. One transaction makes it gone for every reader, takes it out
 * of the lists, gives the environment back and says so in the log, which ends open streams; it can
 * happen once only. What is left is swept then, as far as a few seconds reach; the rest, what was
 * still being written, and what dreams have quoted, by reconcile.
 *
 * @throws Fault `missing`, also for a repeat; `invalid` while it runs
 */
export async function deleteSession(
  ports: DeletePorts,
  call: Call,
  session_id: string,
): Promise<DeletedSession> {
  for (let attempt = 1; attempt <= limits.head_attempts_max; attempt++) {
    const rows = await readRows(ports.table, call, session_id);
    checkNotRunning(rows.session, 'deleted');
    try {
      await ports.table.transact(await deletion(ports, rows));
      await sweep(ports, session_id).catch(ports.sweepLost);
      return { id: session_id, type: 'session_deleted' };
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
    }
    await sleep(backoffMs(attempt));
  }
  throw tooBusy(session_id);
}

async function deletion(ports: Ports, { session, config, thread }: SessionRows): Promise<Write[]> {
  const { session_id, workspace_id } = session;
  const at = timestamp(ports.clock);
  const event = { id: ports.newId('event'), type: 'session.deleted' as const };
  const append = await prepareAppend(ports, thread, [{ event }], {
    status: 'terminated',
    queue: [],
    calls: [],
  });
  return [
    ...append.writes,
    tombstone(session, at),
    redactionOf(workspace_id, { type: 'session', session_id }, at),
    {
      update: configKey(config.session_id),
      expression: 'REMOVE gsi1pk, gsi1sk',
      condition: 'attribute_exists(pk)',
    },
    ...(session.gsi1pk === undefined ? [{ delete: agentListingKey(session.session_id) }] : []),
    ...(config.dream_id === undefined ? [unreferEnvironment(config.environment_id)] : []),
  ];
}

function tombstone({ session_id, version }: SessionHead, at: string): Write {
  return {
    update: sessionKey(session_id),
    expression:
      'SET deleted_at = :at, updated_at = :at, gsi2pk = :deleted, gsi2sk = :place, #version = :next REMOVE gsi1pk, gsi1sk',
    condition: '#version = :read',
    names: { '#version': 'version' },
    values: {
      ':at': at,
      ':deleted': 'DELETED',
      ':place': `${at}#${session_id}`,
      ':next': version + 1,
      ':read': version,
    },
  };
}

async function sweep(ports: Ports, session_id: string): Promise<void> {
  const until_ms = performance.now() + limits.sweep_inline_ms;
  await sweepContents(ports, session_id, () => performance.now() >= until_ms);
}
