import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../../core/backoff.ts';
import { Fault } from '../../core/fault.ts';
import { newId, prefixes, primaryThreadId } from '../../core/id.ts';
import { limits } from '../../core/limits.ts';
import { ConditionFailed, type Table, type Write } from '../../core/table.ts';
import type { Line } from '../../events/event.ts';
import { lineOf, loadQueued } from '../../events/inbox.ts';
import type { Actor } from '../../memory/memory.ts';
import { newConfig, newHead, newThread, type NewSession } from '../../sessions/new-session.ts';
import { sessionKey, type SessionAgent, type SessionHead } from '../../sessions/session.ts';
import { prepareAppend } from '../../threads/log.ts';
import { runningLines } from '../../threads/status-lines.ts';
import { threadKey, type ThreadHead } from '../../threads/thread.ts';
import { activeMs, terminate } from '../../turn/settle.ts';
import { dreamKey, type DreamHead } from '../dream.ts';
import { say } from './pipeline-log.ts';
import type { StagePorts, Work } from './work.ts';

/** Who writes what a dream writes. */
export function dreamer({ pipeline_session_id }: DreamHead): Actor {
  return { type: 'session_actor', session_id: pipeline_session_id };
}

/** An id of the dream's own in the place of a thing that it does not need. */
function ownId(noun: 'agent' | 'environment', { dream_id }: DreamHead): string {
  return `${prefixes[noun]}_${dream_id.slice(prefixes.dream.length + 1)}`;
}

/**
 * Begin the session that the dream runs as, so that its work can be watched like any session's. It is
 * no session of the session machine: it stands in no index that reconcile reads. Runs twice: the
 * first one's stands.
 */
export async function openSession(work: Work): Promise<void> {
  const { ports, head } = work;
  if (head.session_id !== null) return;
  const made = newPipeline(work);
  const empty = newThread(made);
  const opened = { ...empty, status: 'running', announced: true, running_since: made.at } as const;
  const append = await prepareAppend(ports, empty, runningLines(empty), opened);
  // The head is new, so it is put with the other rows and not over what was read.
  const [, ...entries] = append.writes;
  const is_new = { condition: 'attribute_not_exists(pk)' };
  const session: SessionHead = { ...newHead(made), status: 'running', running_since: made.at };
  const rows = [session, { ...newConfig(made), dream_id: head.dream_id }, append.head];
  const writes: Write[] = [...rows.map((put): Write => ({ put, ...is_new })), ...entries];
  try {
    await ports.table.transact([...writes, shown(head)]);
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
  }
}

function shown({ dream_id, pipeline_session_id }: DreamHead): Write {
  return {
    update: dreamKey(dream_id),
    expression: 'SET session_id = :session',
    condition: 'session_id = :null',
    values: { ':session': pipeline_session_id, ':null': null },
  };
}

function newPipeline({ ports, head, model }: Work): NewSession {
  const agent: SessionAgent = {
    id: ownId('agent', head),
    type: 'agent',
    version: 1,
    name: 'reverie.dreamer',
    description: 'Reads past sessions and writes down what is worth remembering.',
    system: null,
    model,
    tools: [],
    mcp_servers: [],
    skills: [],
    multiagent: null,
    execution_identity: { type: 'service_account' },
  };
  return {
    session_id: head.pipeline_session_id,
    workspace_id: head.workspace_id,
    body: {
      agent: { type: 'agent', id: agent.id },
      environment_id: ownId('environment', head),
      title: `Dream ${head.dream_id}`,
    },
    agent,
    stored_agent: { json: JSON.stringify(agent) },
    environment: {
      networking: {
        type: 'limited',
        allowed_hosts: [],
        allow_mcp_servers: false,
        allow_package_managers: false,
      },
    },
    resources: [],
    at: ports.clock.now().toISOString(),
  };
}

/**
 * Say something in the dream's session, in one transaction with what it is about. Refused, it has been
 * written before, and said with it. @returns false when it was refused
 */
export async function tell(
  { ports, head }: Pick<Work, 'ports' | 'head'>,
  text: string,
  writes: readonly Write[],
): Promise<boolean> {
  const line: Line = {
    event: { id: newId('event'), type: 'agent.message', content: [{ type: 'text', text }] },
  };
  return await say(ports, head, { lines: [line], writes });
}

async function threadOf(table: Table, thread_id: string): Promise<ThreadHead | undefined> {
  return (await table.get(threadKey(thread_id))) as ThreadHead | undefined;
}

/** Why the dream has failed, for who watches its session. */
function failureOf({ error }: DreamHead): Line[] {
  if (error === null) return [];
  const { message } = error;
  const shown = { type: 'unknown_error', message, retry_status: { type: 'terminal' } } as const;
  return [{ event: { id: newId('event'), type: 'session.error', error: shown } }];
}

/** End the dream's session and archive it; its log stays readable. Runs twice: the second does nothing. */
export async function closeSession(ports: StagePorts, dream: DreamHead): Promise<void> {
  if (dream.session_id === null) return;
  const key = sessionKey(dream.session_id);
  for (let attempt = 1; attempt <= limits.head_attempts_max; attempt++) {
    const thread = await threadOf(ports.table, primaryThreadId(dream.session_id));
    // Archived before, or deleted since.
    if (thread?.status !== 'running') return;
    const now = ports.clock.now();
    const end = terminate(thread, now);
    const last = [...failureOf(dream), ...end.lines];
    // What clients sent to it is kept: a message that was accepted is never dropped.
    const waiting = (await loadQueued(ports, thread.thread_id, thread.queue)).map(lineOf);
    const append = await prepareAppend(ports, thread, [...waiting, ...last], end.patch);
    const archived: Write = {
      update: key,
      expression:
        'SET #status = :terminated, archived_at = :at, updated_at = :at, ended_at = :at, running_since = :null, #usage.active_ms = #usage.active_ms + :active, #version = #version + :one',
      condition: 'attribute_exists(pk)',
      names: { '#status': 'status', '#version': 'version', '#usage': 'usage' },
      values: {
        ':terminated': 'terminated',
        ':at': now.toISOString(),
        ':null': null,
        ':active': activeMs(thread, now),
        ':one': 1,
      },
    };
    try {
      await ports.table.transact([archived, ...append.writes]);
      return;
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
    }
    await sleep(backoffMs(attempt));
  }
  throw new Fault('busy', `The session of dream ${dream.dream_id} is changed by too many at once.`);
}
