import { resolveAgent } from '../agents/resolve-agent.ts';
import type { Call } from '../core/call.ts';
import { timestamp } from '../core/clock.ts';
import { commit } from '../core/commit.ts';
import { store } from '../core/stored.ts';
import { together } from '../core/together.ts';
import { ConditionFailed, type Condition, type Row, type Write } from '../core/table.ts';
import type { Environment } from '../environments/environment.ts';
import { archived, environmentForSession, referEnvironment } from '../environments/environments.ts';
import { checkFileSources } from '../events/file-sources.ts';
import { prepareQueue, type QueuedEvent } from '../events/inbox.ts';
import type { InitialEvent } from '../events/params.ts';
import { startPatch } from '../threads/start.ts';
import {
  openOutcome,
  outcomeWrite,
  pendingOutcome,
  withRubrics,
  type DefinedOutcome,
} from '../outcomes/define.ts';
import type { OutcomeEvaluation } from '../outcomes/outcome.ts';
import { closedStore, planResources, type PlannedResources } from '../resources/plan-resources.ts';
import { prepareAppend } from '../threads/log.ts';
import type { ThreadHead } from '../threads/thread.ts';
import { checkFits } from './agent-fits.ts';
import { checkBudgetable } from './budget.ts';
import { agentPlace, newConfig, newHead, newThread, type NewSession } from './new-session.ts';
import { writeFirst } from './reserve-session.ts';
import type { SessionPorts } from './session-ports.ts';
import type { SessionCreate } from './session-wire.ts';
import { sessionPrefix, type SessionEnvironment, type SessionHead } from './session.ts';
import { showSession, type Session } from './show-session.ts';

/**
 * `POST /v1/sessions`: the session, its thread, its place in the lists, its resources, its first
 * events and the environment's count in one transaction; then its first run, when it has something
 * to do. Files are written before, where nobody finds them: see {@link writeFirst}.
 *
 * @throws Fault `missing` for an unknown agent, environment, file or memory store; `invalid` when a
 *   part does not fit
 */
export async function createSession(
  ports: SessionPorts,
  call: Call,
  body: SessionCreate,
): Promise<Session> {
  const reads = { ...ports, table: together(ports.table) };
  const [{ agent, has_outcome_model }, environment] = await Promise.all([
    resolveAgent(reads, call, body.agent),
    environmentForSession(reads, call, body.environment_id),
  ]);
  if (body.budget != null) checkBudgetable(agent, ports.prices);
  checkFits(agent, environmentOf(environment));
  await checkFileSources(ports, call, body.initial_events ?? [], 'initial_events');
  const session_id = ports.newId('session');
  const { workspace_id } = call;
  const events = await withRubrics(ports, call, body.initial_events ?? [], 'initial_events');
  const at = timestamp(ports.clock);
  const owner = { session_id, workspace_id, at };
  const planned = await planResources(ports, call, owner, body.resources ?? []);
  const made: NewSession = {
    session_id,
    workspace_id,
    body,
    agent,
    // The key is new with every call, so a repeat cannot overwrite what another one stored.
    stored_agent: await store(ports.blobs, `${sessionPrefix(session_id)}agent/1.json`, agent),
    environment: environmentOf(environment),
    resources: planned.resources,
    at,
    has_outcome_model,
  };
  const first = await firstRows(ports, made, { ...planned, events });
  const { head } = first;
  const answer = await commitNew(ports, call, made, first);
  // Another request with the same Idempotency-Key may have come first: its session is started.
  if (head.run > 0 && answer.id === session_id) {
    const { thread_id } = newThread(made);
    const inbox = body.initial_events?.map((_, index) => index + 1) ?? [];
    await ports.runs.start({ session_id, thread_id, run: head.run, inbox }).catch(ports.startLost);
  }
  return answer;
}

interface FirstRows {
  readonly head: SessionHead;
  /** What must hold beside the environment; first of all writes. */
  readonly checks: readonly Write[];
  readonly writes: readonly Write[];
  readonly outcomes: readonly OutcomeEvaluation[];
}

const is_new: Condition = { condition: 'attribute_not_exists(pk)' };

/** The rows of a session, running already when it is created with events. */
async function firstRows(
  ports: SessionPorts,
  made: NewSession,
  { files, checks, resources, events }: PlannedResources & Beginning,
): Promise<FirstRows> {
  const runs = events.length > 0;
  const begun = await begin(ports, made, events);
  const head: SessionHead = {
    ...newHead(made),
    ...agentPlace(made),
    ...(runs ? running(made) : {}),
    ...(begun.outcomes.length === 0 ? {} : { outcomes_count: begun.outcomes.length }),
  };
  const rows: Row[] = [
    newConfig(made),
    begun.thread,
    ...resources.filter(({ type }) => type !== 'file'),
  ];
  const puts = rows.map((put): Write => ({ put, ...is_new }));
  const free = files.length === 0 ? is_new : await writeFirst(ports, made, files);
  const writes = [{ put: head, ...free }, ...puts, ...begun.writes];
  return { head, checks, writes, outcomes: begun.outcomes };
}

interface Beginning {
  readonly events: readonly InitialEvent[];
}

interface Begun {
  readonly thread: ThreadHead;
  readonly writes: readonly Write[];
  readonly outcomes: readonly OutcomeEvaluation[];
}

/** The thread with what it begins with: messages wait for its first turn, an outcome stands at once. */
async function begin(
  ports: SessionPorts,
  made: NewSession,
  events: readonly InitialEvent[],
): Promise<Begun> {
  const { session_id, at } = made;
  const empty = newThread(made);
  const messages = events.flatMap((event) =>
    event.type === 'user.message' ? [queuedOf(event, ports)] : [],
  );
  const queued = await prepareQueue(ports.blobs, empty, messages, new Date(at));
  const runs = events.length > 0 ? startPatch(1, at) : {};
  const outcome = outcomeOf(events, ports);
  if (outcome === undefined) {
    const thread = { ...empty, ...queued.patch, ...runs };
    return { thread, writes: queued.writes, outcomes: [] };
  }
  const patch = { ...queued.patch, ...runs, outcome: openOutcome(outcome) };
  const appended = await prepareAppend(ports, empty, [{ event: outcome }], patch);
  const written = await outcomeWrite(ports, session_id, outcome, at);
  // The head is new, so it is put with the other rows and not over what was read.
  const [, ...lines] = appended.writes;
  const writes = [...lines, ...queued.writes, written];
  return {
    thread: { ...appended.head, version: 1 },
    writes,
    outcomes: [pendingOutcome(outcome)],
  };
}

function outcomeOf(
  events: readonly InitialEvent[],
  ports: SessionPorts,
): DefinedOutcome | undefined {
  const event = events.find(({ type }) => type === 'user.define_outcome');
  if (event?.type !== 'user.define_outcome' || event.rubric.type !== 'text') return undefined;
  const { rubric } = event;
  return { ...event, rubric, id: ports.newId('event'), outcome_id: ports.newId('outcome') };
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

type InitialMessage = Extract<InitialEvent, { type: 'user.message' }>;

function queuedOf(event: InitialMessage, ports: SessionPorts): QueuedEvent {
  return { ...event, id: ports.newId('event'), processed_at: null };
}

async function commitNew(
  ports: SessionPorts,
  call: Call,
  made: NewSession,
  { head, checks, writes, outcomes }: FirstRows,
): Promise<Session> {
  const { agent, resources, at } = made;
  const shown = { head, config: newConfig(made), agent, resources, outcomes };
  const answer = showSession(shown, new Date(at));
  const refer = referEnvironment(made.body.environment_id);
  try {
    return await commit(ports, call, [refer, ...checks, ...writes], { answer });
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
    if (error.failed.includes(0)) throw archived(made.body.environment_id);
    if (error.failed.some((index) => index <= checks.length)) throw closedStore();
    throw error;
  }
}

function environmentOf({ config }: Environment): SessionEnvironment {
  const { networking } = config;
  if (networking.type === 'unrestricted') return { networking };
  const { type, allowed_hosts, allow_mcp_servers, allow_package_managers } = networking;
  return { networking: { type, allowed_hosts, allow_mcp_servers, allow_package_managers } };
}
