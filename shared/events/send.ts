import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../core/backoff.ts';
import type { Call } from '../core/call.ts';
import { commit } from '../core/commit.ts';
import { Fault } from '../core/fault.ts';
import { invariant } from '../core/invariant.ts';
import type { Ports } from '../core/ports.ts';
import { limits } from '../core/limits.ts';
import { load } from '../core/stored.ts';
import { ConditionFailed, type Row } from '../core/table.ts';
import { madeAtMs, primaryThreadId } from '../core/id.ts';
import { supportsMidConversationSystem } from '../models/catalogue.ts';
import { outcomeWrite, withRubrics } from '../outcomes/define.ts';
import {
  callKey,
  configKey,
  sessionKey,
  type CallRow,
  type SessionConfig,
  type SessionHead,
} from '../sessions/session.ts';
import { childExecution, startRuns, type Runs } from '../sessions/runs.ts';
import type { Other, OtherChange } from '../threads/change.ts';
import { prepareChange } from '../threads/prepare-change.ts';
import { interrupted } from '../threads/team.ts';
import { childStartPatch } from '../threads/start.ts';
import { threadKey, type ThreadHead } from '../threads/thread.ts';
import type { LoggedEvent, NewEvent, SessionEvent } from './event.ts';
import { checkFileSources } from './file-sources.ts';
import { prepareQueue } from './inbox.ts';
import type { SendEvent } from './params.ts';
import type { ChildPlan } from './send-child.ts';
import type { Echo, Plan, Standing } from './plan.ts';
import { planSend } from './send-plan.ts';

export interface SendPorts extends Ports {
  readonly runs: Runs;
  /** A start that did not get through: logged here, healed by reconcile. */
  readonly startLost: (error: unknown) => void;
}

/**
 * `POST /v1/sessions/{session_id}/events`. The input is stored and the session set running in one
 * transaction; then the machine is started. When that call is lost, reconcile makes it.
 *
 * @returns the events as stored, with `processed_at` null for those that wait.
 * @throws Fault `missing`, also for a file that an event names; `invalid` when an event does not fit
 *   the session's state
 */
export async function sendEvents(
  ports: SendPorts,
  call: Call,
  session_id: string,
  sent: readonly SendEvent[],
): Promise<{ data: SessionEvent[] }> {
  await checkFileSources(ports, call, sent, 'events');
  const events = await withRubrics(ports, call, sent, 'events');
  for (let attempt = 1; ; attempt++) {
    const standing = await readStanding(ports, call, session_id, events);
    const plan = planSend(standing, events, ports.clock.now());
    try {
      return await write(ports, call, standing, plan);
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      if (attempt === limits.append_attempts_max) throw tooBusy(session_id, error);
    }
    await sleep(backoffMs(attempt));
  }
}

async function readStanding(
  ports: Ports,
  call: Call,
  session_id: string,
  events: readonly SendEvent[],
): Promise<Standing> {
  const asked = events.flatMap((event) => answeredId(event) ?? []);
  const rows = await readSeen(ports, session_id, asked);
  const session = rows.find(isSession);
  if (session?.workspace_id !== call.workspace_id || session.deleted_at !== null) {
    throw new Fault('missing', `Session ${session_id} was not found.`);
  }
  const head = rows.find(isThread);
  invariant(head !== undefined, 'a session has its primary thread');
  if (events.some(({ type }) => type === 'system.message')) await checkModel(ports, session_id);
  const calls = rows.filter((row) => row.sk.startsWith('CALL#')) as CallRow[];
  const children = await readChildren(ports, head, calls, events);
  return { head, session, calls: new Map(calls.map((row) => [row.event_id, row])), children };
}

/**
 * The heads, and the rows of the calls that are answered. A client is told of a call by the log, and may be
 * faster than the call's row comes to be seen: one that was made a moment ago is waited for.
 */
async function readSeen(
  { table, clock }: Ports,
  session_id: string,
  asked: readonly string[],
): Promise<Row[]> {
  const keys = asked.map((event_id) => callKey(session_id, event_id));
  const heads = [sessionKey(session_id), threadKey(primaryThreadId(session_id))];
  const now_ms = clock.now().getTime();
  const is_new = (id: string) => Math.abs(now_ms - madeAtMs(id)) < limits.transaction_seen_ms;
  for (let attempt = 1; ; attempt++) {
    const rows = await table.getMany([...heads, ...keys]);
    const seen = new Set(rows.map(({ sk }) => sk));
    const is_waited = asked.some((id, n) => is_new(id) && !seen.has(keys[n]?.sk ?? ''));
    if (!is_waited || attempt === limits.unseen_attempts_max) return rows;
    await sleep(backoffMs(attempt));
  }
}

/** The heads of the children that a request may reach; a session whose agent works alone has none. */
async function readChildren(
  ports: Ports,
  { team }: ThreadHead,
  calls: readonly CallRow[],
  events: readonly SendEvent[],
): Promise<Map<string, ThreadHead>> {
  const asked = new Set(calls.map(({ thread_id }) => thread_id));
  const stops = events.some(({ type }) => type === 'user.interrupt');
  const reached = (team?.members ?? []).filter(
    ({ thread_id, is_advisor }) => is_advisor !== true && (stops || asked.has(thread_id)),
  );
  if (reached.length === 0) return new Map();
  const rows = await ports.table.getMany(reached.map(({ thread_id }) => threadKey(thread_id)));
  return new Map((rows as ThreadHead[]).map((head) => [head.thread_id, head]));
}

async function checkModel(ports: Ports, session_id: string): Promise<void> {
  const config = (await ports.table.get(configKey(session_id))) as SessionConfig | undefined;
  invariant(config !== undefined, 'a session has its configuration');
  const { model } = await load(ports.blobs, config.agent);
  if (supportsMidConversationSystem(model.id)) return;
  throw new Fault(
    'invalid',
    `events: model ${model.id} does not support a system.message in a conversation. Use a model that does, or send a user.message.`,
    { details: { error_code: 'model_does_not_support_mid_conversation_system' } },
  );
}

async function write(
  ports: SendPorts,
  call: Call,
  standing: Standing,
  plan: Plan,
): Promise<{ data: SessionEvent[] }> {
  const { head } = standing;
  const now = ports.clock.now();
  const queue = await prepareQueue(ports.blobs, head, plan.queued, now);
  const { appended, writes, begun } = await prepareChange(ports, head, {
    lines: plan.lines,
    patch: { ...plan.patch, ...queue.patch },
    session: plan.session,
    writes: [...queue.writes, ...plan.writes],
    others: await childChanges(ports, head, plan.children, now),
  });
  const data = plan.echoes.map((echo) => echoed(echo, appended.logged, now));
  const mine = { data };
  const outcome =
    plan.defined === undefined
      ? []
      : [await outcomeWrite(ports, head.session_id, plan.defined, appended.head.last_at)];
  const all = [...writes, ...outcome];
  // One more remembers the answer. A team of 25 leaves room for fewer events than a request may have.
  if (all.length >= limits.transaction_writes_max) throw tooMuch();
  const answer = await commit(ports, call, all, { answer: mine });
  // Another request with the same key may have come first: then its run is started, not ours.
  if (answer !== mine) return answer;
  await startRuns(ports.runs, appended.head, begun).catch(ports.startLost);
  const run = runToStart(head, plan);
  if (run !== undefined) {
    const { session_id, thread_id } = head;
    const inbox = appended.head.queue.map(({ n }) => n);
    await ports.runs.start({ session_id, thread_id, run, inbox }).catch(ports.startLost);
  }
  return answer;
}

/** What the request does to children, with the inbox of those that run. */
async function childChanges(
  { blobs }: Ports,
  primary: ThreadHead,
  plans: readonly ChildPlan[],
  now: Date,
): Promise<Other[]> {
  const together = plans.filter(({ run, cut }) => (run ?? cut) !== undefined).length;
  return await Promise.all(
    plans.map(async ({ head, lines, queued, patch, run: begins, cut }) => {
      const { session_id, thread_id } = head;
      const queue = await prepareQueue(blobs, head, queued, now);
      const run = begins ?? cut;
      const begun = { session_id, thread_id, run: run ?? 0 };
      const execution = childExecution(begun, together, primary.version + 1);
      const change: OtherChange = {
        lines,
        patch: {
          ...patch,
          ...queue.patch,
          ...(begins === undefined ? {} : childStartPatch(begins, now.toISOString(), execution)),
          ...(cut === undefined ? {} : { run: cut, execution }),
        },
        writes: queue.writes,
        ...(run === undefined ? {} : { starts: run }),
      };
      return { thread_id, head, change: () => change };
    }),
  );
}

/**
 * The run that this request begins; or the one that it found without a holder of its lease, whose
 * own start may have been lost. Starting a run twice is starting it once.
 */
function runToStart(head: ThreadHead, plan: Plan): number | undefined {
  if (plan.run !== undefined) return plan.run;
  // One that waits to try again has an execution, but for the one that an interrupt has just begun.
  const { status, lease_holder } = head;
  const waits = status === 'running' || (status === 'rescheduling' && interrupted(head));
  return waits && lease_holder === null ? head.run : undefined;
}

function echoed(echo: Echo, logged: readonly LoggedEvent[], now: Date): SessionEvent {
  switch (echo.type) {
    case 'queued':
      return echo.event;
    case 'void':
      return withTime(echo.event, now.toISOString());
    case 'line': {
      const line = logged[echo.index];
      invariant(line !== undefined, 'every echoed line was appended');
      return line.event;
    }
  }
}

/** The event's own type is kept: only the time is added to it. */
function withTime(event: NewEvent, processed_at: string): SessionEvent {
  return { ...event, processed_at } as SessionEvent;
}

function answeredId(event: SendEvent): string | undefined {
  if (event.type === 'user.tool_confirmation') return event.tool_use_id;
  if (event.type === 'user.custom_tool_result') return event.custom_tool_use_id;
  return undefined;
}

function isSession(row: Row): row is SessionHead {
  return row.pk.startsWith('SESSION#') && row.sk === 'HEAD';
}

function isThread(row: Row): row is ThreadHead {
  return row.pk.startsWith('THREAD#');
}

function tooMuch(): Fault {
  return new Fault(
    'invalid',
    'events: these are too many for one request, because they reach many threads at once. Send a user.interrupt by itself, and other events 20 at a time.',
  );
}

function tooBusy(session_id: string, cause: unknown): Fault {
  return new Fault(
    'busy',
    `Session ${session_id} is written to by too many requests at once. Try again.`,
    { cause },
  );
}
