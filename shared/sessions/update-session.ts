import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../core/backoff.ts';
import type { Call } from '../core/call.ts';
import { commit } from '../core/commit.ts';
import { limits } from '../core/limits.ts';
import { load, store } from '../core/stored.ts';
import { ConditionFailed, type Update, type Write } from '../core/table.ts';
import type { NewEvent } from '../events/event.ts';
import { startPatch } from '../events/send-plan.ts';
import { outcomesOf } from '../outcomes/outcome.ts';
import { resourcesOf } from '../resources/read-resources.ts';
import { prepareAppend } from '../threads/log.ts';
import { planUpdate, type Updatable, type UpdatePlan } from './plan-update.ts';
import { readRows, tooBusy } from './read-session.ts';
import { changeSession } from './session-change.ts';
import type { SessionPorts } from './session-ports.ts';
import type { SessionUpdate } from './session-wire.ts';
import { configKey, sessionPrefix, type SessionConfig, type SessionHead } from './session.ts';
import { showSession, type Session } from './show-session.ts';

/**
 * `POST /v1/sessions/{session_id}`. What changed is said in the log in the same transaction; a
 * session that had stopped at its cap goes on by itself once that is raised or removed.
 *
 * @throws Fault `missing`; `invalid` when a part does not fit; `busy` after too many lost races
 */
export async function updateSession(
  ports: SessionPorts,
  call: Call,
  session_id: string,
  body: SessionUpdate,
): Promise<Session> {
  for (let attempt = 1; attempt <= limits.head_attempts_max; attempt++) {
    const rows = await readRows(ports.table, call, session_id);
    const agent = await load(ports.blobs, rows.config.agent);
    const updatable = { ...rows, agent, prices: ports.prices };
    const plan = planUpdate(updatable, body, ports.clock.now());
    try {
      return await write(ports, call, updatable, plan);
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
    }
    await sleep(backoffMs(attempt));
  }
  throw tooBusy(session_id);
}

async function write(
  ports: SessionPorts,
  call: Call,
  rows: Updatable,
  { changes, resumes }: UpdatePlan,
): Promise<Session> {
  const { session, config, thread } = rows;
  const now = ports.clock.now();
  const [resources, outcomes] = await Promise.all([
    resourcesOf(ports.table, config),
    outcomesOf(ports, session.session_id, session.outcomes_count),
  ]);
  const parts = { resources, outcomes };
  if (Object.keys(changes).length === 0) {
    const answer = showSession({ head: session, config, agent: rows.agent, ...parts }, now);
    return await commit(ports, call, [], { answer });
  }
  const at = now.toISOString();
  const run = thread.run + 1;
  const next = await nextConfig(ports, rows, changes);
  const event: NewEvent = { id: ports.newId('event'), type: 'session.updated', ...changes };
  const append = await prepareAppend(
    ports,
    thread,
    [{ event }],
    resumes ? startPatch(run, at) : {},
  );
  const head = changeSession(
    session.session_id,
    {
      ...(changes.budget === undefined ? {} : { budget: changes.budget }),
      ...(resumes ? { status: 'running' as const, start: { run, at } } : {}),
    },
    at,
  );
  const shown: SessionHead = {
    ...session,
    updated_at: at,
    budget: changes.budget === undefined ? session.budget : changes.budget,
    ...(resumes ? { status: 'running' as const, running_since: at } : {}),
  };
  const agent = changes.agent ?? rows.agent;
  const mine = showSession({ head: shown, config: next, agent, ...parts }, now);
  const writes = [...append.writes, head, ...configWrites(config, next)];
  const answer = await commit(ports, call, writes, { answer: mine });
  // Another's answer: this run was not written, and starting it would use up its execution's name.
  if (resumes && answer === mine) {
    const { session_id, thread_id } = thread;
    await ports.runs.start({ session_id, thread_id, run }).catch(ports.startLost);
  }
  return answer;
}

async function nextConfig(
  ports: SessionPorts,
  { config }: Updatable,
  { agent, title, metadata }: UpdatePlan['changes'],
): Promise<SessionConfig> {
  return {
    ...config,
    version: config.version + 1,
    ...(title === undefined ? {} : { title }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(agent == null ? {} : { agent: await storeAgent(ports, config.session_id, agent) }),
  };
}

/** Named by its content: two updates that race must not share an object. */
async function storeAgent(
  ports: SessionPorts,
  session_id: string,
  agent: NonNullable<UpdatePlan['changes']['agent']>,
) {
  const hash = createHash('sha256').update(JSON.stringify(agent)).digest('hex');
  return await store(ports.blobs, `${sessionPrefix(session_id)}agent/${hash}.json`, agent);
}

function configWrites(config: SessionConfig, next: SessionConfig): Write[] {
  const update: Update = {
    update: configKey(config.session_id),
    expression: 'SET #title = :title, #metadata = :metadata, #agent = :agent, #version = :next',
    condition: '#version = :read',
    names: {
      '#title': 'title',
      '#metadata': 'metadata',
      '#agent': 'agent',
      '#version': 'version',
    },
    values: {
      ':title': next.title,
      ':metadata': next.metadata,
      ':agent': next.agent,
      ':next': next.version,
      ':read': config.version,
    },
  };
  return [update];
}
