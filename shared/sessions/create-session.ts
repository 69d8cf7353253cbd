import { resolveAgent } from '../agents/resolve-agent.ts';
import type { Call } from '../core/call.ts';
import { timestamp } from '../core/clock.ts';
import { commit } from '../core/commit.ts';
import { store } from '../core/stored.ts';
import { ConditionFailed, type Row, type Write } from '../core/table.ts';
import type { Environment } from '../environments/environment.ts';
import { archived, environmentForSession, referEnvironment } from '../environments/environments.ts';
import { prepareQueue, type QueuedEvent } from '../events/inbox.ts';
import type { InitialEvent } from '../events/params.ts';
import { startPatch } from '../events/send-plan.ts';
import { checkFits } from './agent-fits.ts';
import { checkBudgetable } from './budget.ts';
import { agentListing, newConfig, newHead, newThread, type NewSession } from './new-session.ts';
import type { SessionPorts } from './session-ports.ts';
import type { SessionCreate } from './session-wire.ts';
import { sessionPrefix, type SessionEnvironment, type SessionHead } from './session.ts';
import { showSession, type Session } from './show-session.ts';

/**
 * `POST /v1/sessions`: the session, its thread, its place in the lists, its first events and the
 * environment's count in one transaction; then its first run, when it has something to do.
 *
 * @throws Fault `missing` for an unknown agent or environment; `invalid` when a part does not fit
 */
export async function createSession(
  ports: SessionPorts,
  call: Call,
  body: SessionCreate,
): Promise<Session> {
  const [agent, environment] = await Promise.all([
    resolveAgent(ports, call, body.agent),
    environmentForSession(ports, call, body.environment_id),
  ]);
  if (body.budget != null) checkBudgetable(agent, ports.prices);
  checkFits(agent, environmentOf(environment));
  const session_id = ports.newId('session');
  const made: NewSession = {
    session_id,
    workspace_id: call.workspace_id,
    body,
    agent,
    // The key is new with every call, so a repeat cannot overwrite what another one stored.
    stored_agent: await store(ports.blobs, `${sessionPrefix(session_id)}agent/1.json`, agent),
    environment: environmentOf(environment),
    at: timestamp(ports.clock),
  };
  const { head, writes } = await firstRows(ports, made);
  const answer = await commitNew(ports, call, made, { head, writes });
  // Another request with the same Idempotency-Key may have come first: its session is started.
  if (head.run > 0 && answer.id === session_id) {
    const { thread_id } = newThread(made);
    await ports.runs.start({ session_id, thread_id, run: head.run }).catch(ports.startLost);
  }
  return answer;
}

interface FirstRows {
  readonly head: SessionHead;
  readonly writes: readonly Write[];
}

/** The rows of a session, running already when it is created with events. */
async function firstRows(ports: SessionPorts, made: NewSession): Promise<FirstRows> {
  const events = (made.body.initial_events ?? []).map((event) => queuedOf(event, ports));
  const thread = newThread(made);
  const queued = await prepareQueue(ports.blobs, thread, events, new Date(made.at));
  const runs = events.length > 0;
  const head: SessionHead = {
    ...newHead(made),
    ...(runs ? running(made) : {}),
  };
  const rows: Row[] = [
    head,
    newConfig(made),
    agentListing(made),
    { ...thread, ...queued.patch, ...(runs ? startPatch(1, made.at) : {}) },
  ];
  const puts = rows.map((put): Write => ({ put, condition: 'attribute_not_exists(pk)' }));
  return { head, writes: [...puts, ...queued.writes] };
}

function running({ session_id, at }: NewSession): Partial<SessionHead> {
  return {
    status: 'running',
    running_since: at,
    run: 1,
    gsi2pk: 'RUNNING',
    gsi2sk: `${at}#${session_id}`,
  };
}

function queuedOf(event: InitialEvent, ports: SessionPorts): QueuedEvent {
  return { ...event, id: ports.newId('event'), processed_at: null };
}

async function commitNew(
  ports: SessionPorts,
  call: Call,
  made: NewSession,
  { head, writes }: FirstRows,
): Promise<Session> {
  const answer = showSession(head, newConfig(made), made.agent, new Date(made.at));
  const refer = referEnvironment(made.body.environment_id);
  try {
    return await commit(ports, call, [refer, ...writes], { answer });
  } catch (error) {
    if (!(error instanceof ConditionFailed) || !error.failed.includes(0)) throw error;
    throw archived(made.body.environment_id);
  }
}

function environmentOf({ config }: Environment): SessionEnvironment {
  const { networking } = config;
  if (networking.type === 'unrestricted') return { networking };
  const { type, allowed_hosts, allow_mcp_servers, allow_package_managers } = networking;
  return { networking: { type, allowed_hosts, allow_mcp_servers, allow_package_managers } };
}
