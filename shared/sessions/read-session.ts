import type { Call } from '../core/call.ts';
import { Fault } from '../core/fault.ts';
import { primaryThreadId } from '../core/id.ts';
import type { Ports } from '../core/ports.ts';
import { load } from '../core/stored.ts';
import { outcomesOf } from '../outcomes/outcome.ts';
import { resourcesOf } from '../resources/read-resources.ts';
import type { Row, Table } from '../core/table.ts';
import { threadKey, type ThreadHead } from '../threads/thread.ts';
import { configKey, sessionKey, type SessionConfig, type SessionHead } from './session.ts';
import { showSession, type Session } from './show-session.ts';

/** Everything that a command on a session decides from, as it stands now. */
export interface SessionRows {
  readonly session: SessionHead;
  readonly config: SessionConfig;
  /** The head of the primary thread. */
  readonly thread: ThreadHead;
}

/** @throws Fault `missing`: unknown, deleted and another workspace's are the same to a caller. */
export async function readHead(table: Table, call: Call, session_id: string): Promise<SessionHead> {
  return visible(await table.get(sessionKey(session_id)), call, session_id);
}

/** @throws Fault `missing` */
export async function readRows(table: Table, call: Call, session_id: string): Promise<SessionRows> {
  const rows = await table.getMany([
    sessionKey(session_id),
    configKey(session_id),
    threadKey(primaryThreadId(session_id)),
  ]);
  const [first, config, thread] = rows;
  const session = visible(first?.sk === 'HEAD' ? first : undefined, call, session_id);
  // A batch is no snapshot: a deletion may have swept the rest meanwhile.
  if (rows.length < 3) throw unknownSession(session_id);
  return { session, config: config as SessionConfig, thread: thread as ThreadHead };
}

/** `GET /v1/sessions/{session_id}`. @throws Fault `missing` */
export async function retrieveSession(
  ports: Ports,
  call: Call,
  session_id: string,
): Promise<Session> {
  const { session, config } = await readParts(ports.table, call, session_id);
  return await showRows(ports, session, config);
}

/** A session without its thread. @throws Fault `missing` */
export async function readParts(
  table: Table,
  call: Call,
  session_id: string,
): Promise<Pick<SessionRows, 'session' | 'config'>> {
  const [head, config] = await table.getMany([sessionKey(session_id), configKey(session_id)]);
  const session = visible(head?.sk === 'HEAD' ? head : undefined, call, session_id);
  if (config === undefined) throw unknownSession(session_id);
  return { session, config: config as SessionConfig };
}

export async function showRows(
  ports: Ports,
  session: SessionHead,
  config: SessionConfig,
): Promise<Session> {
  const [agent, resources, outcomes] = await Promise.all([
    load(ports.blobs, config.agent),
    resourcesOf(ports.table, config),
    outcomesOf(ports, session.session_id, session.outcomes_count),
  ]);
  return showSession({ head: session, config, agent, resources, outcomes }, ports.clock.now());
}

function visible(row: Row | undefined, call: Call, session_id: string): SessionHead {
  const head = row as SessionHead | undefined;
  if (head?.workspace_id !== call.workspace_id || head.deleted_at !== null) {
    throw unknownSession(session_id);
  }
  return head;
}

export function unknownSession(session_id: string): Fault {
  return new Fault('missing', `Session ${session_id} was not found.`);
}

/** @throws Fault `invalid` */
export function checkNotRunning({ session_id, status }: SessionHead, what: string): void {
  if (status !== 'running' && status !== 'rescheduling') return;
  throw new Fault(
    'invalid',
    `Session ${session_id} is ${status} and cannot be ${what}. Send a user.interrupt, wait until it is idle, and try again.`,
  );
}

export function tooBusy(session_id: string): Fault {
  return new Fault('busy', `Session ${session_id} is changed by too many at once. Try again.`);
}
