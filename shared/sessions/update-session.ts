import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../core/backoff.ts';
import type { Call } from '../core/call.ts';
import { commit } from '../core/commit.ts';
import { limits } from '../core/limits.ts';
import { load, store } from '../core/stored.ts';
import { ConditionFailed, type Update, type Write } from '../core/table.ts';
import type { NewEvent } from '../events/event.ts';
import { outcomesOf } from '../outcomes/outcome.ts';
import { resourcesOf } from '../resources/read-resources.ts';
import { prepareChange } from '../threads/prepare-change.ts';
import type { ThreadHead } from '../threads/thread.ts';
import { planUpdate, type Updatable, type UpdatePlan } from './plan-update.ts';
import { readRows, tooBusy } from './read-session.ts';
import { resume, type Resumed } from './resume.ts';
import { startRuns } from './runs.ts';
import type { SessionPorts } from './session-ports.ts';
import type { SessionUpdate } from './session-wire.ts';
import { billOf } from './session-usage.ts';
import { restSession } from '../turn/settle.ts';
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
  plan: UpdatePlan,
): Promise<Session> {
  const { changes, resumes } = plan;
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
  const follows = whatFollows(rows, plan, now);
  const next = await nextConfig(ports, rows, changes);
  const event: NewEvent = { id: ports.newId('event'), type: 'session.updated', ...changes };
  const { writes, begun, appended } = await prepareChange(ports, thread, {
    ...follows,
    lines: [{ event }, ...follows.lines],
    session: {
      ...(changes.budget === undefined ? {} : { budget: changes.budget }),
      ...follows.session,
    },
  });
  const shown = headAfter(session, { changes, resumes }, at);
  const agent = changes.agent ?? rows.agent;
  const mine = showSession({ head: shown, config: next, agent, ...parts }, now);
  const all = [...writes, ...configWrites(config, next)];
  const answer = await commit(ports, call, all, { answer: mine });
  // Another's answer: this run was not written, and starting it would use up its execution's name.
  if (answer !== mine) return answer;
  await startRuns(ports.runs, appended.head, begun).catch(ports.startLost);
  await startOwn(ports, thread, follows);
  return answer;
}

/** What the session does and says once its budget is another. */
function whatFollows(
  { session, thread }: Updatable,
  { changes, resumes, rests }: UpdatePlan,
  now: Date,
): Resumed {
  if (resumes) return resume(thread, now.toISOString());
  if (!rests) return { run: undefined, lines: [] };
  // The turn had ended by itself with the request that reached the cap: there is nothing to go on with.
  const bill = billOf({ usage: session.usage, budget: changes.budget ?? null });
  return { run: undefined, ...restSession(thread, { bill, now, since: null }) };
}

async function startOwn(
  ports: SessionPorts,
  { session_id, thread_id }: ThreadHead,
  { run }: Resumed,
): Promise<void> {
  if (run !== undefined)
    await ports.runs.start({ session_id, thread_id, run }).catch(ports.startLost);
}

/** The session's head as the answer shows it. */
function headAfter(
  session: SessionHead,
  { changes, resumes }: Pick<UpdatePlan, 'changes' | 'resumes'>,
  at: string,
): SessionHead {
  const { budget = session.budget } = changes;
  const running_since = session.running_since ?? at;
  const runs = resumes ? { status: 'running' as const, running_since } : {};
  return { ...session, updated_at: at, budget, ...runs };
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
