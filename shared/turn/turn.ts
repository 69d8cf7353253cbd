import { primaryThreadId } from '../core/id.ts';
import { invariant } from '../core/invariant.ts';
import { limits } from '../core/limits.ts';
import { load } from '../core/stored.ts';
import { requestCostMicrocents } from '../models/prices.ts';
import type { RequestUsage } from '../models/model.ts';
import type { Key, Row } from '../core/table.ts';
import { resourcesOf } from '../resources/read-resources.ts';
import type { Resource } from '../resources/resource.ts';
import {
  configKey,
  sessionKey,
  type SessionAgent,
  type SessionConfig,
  type SessionHead,
} from '../sessions/session.ts';
import { plus } from '../sessions/add-usage.ts';
import { billOf, overBudget, usageNow } from '../sessions/session-usage.ts';
import { memberKey, workingAgent, type MemberRow } from '../threads/member.ts';
import type { Bill } from '../threads/status-lines.ts';
import {
  inboxKey,
  listenKey,
  threadKey,
  type Queued,
  type ThreadHead,
  type Usage,
} from '../threads/thread.ts';
import { loadQueued, type InboxRow, type QueuedEvent } from '../events/inbox.ts';
import { Context } from './context.ts';
import { mustCompact } from '../models/compaction.ts';
import { leaseToTake, type Claim } from './lease.ts';
import { checkSize } from './step-too-small.ts';
import type { ThreadPorts, TurnPorts } from './turn-ports.ts';
import { Writer } from './writer.ts';

/** What is read once, at opening. */
interface Known {
  readonly session: SessionHead;
  readonly config: SessionConfig;
  readonly agent: SessionAgent;
  readonly resources: readonly Resource[];
  readonly inbox: readonly InboxRow[];
  readonly until_ms: number;
  /** Whether the lease is taken; else the first append takes it. */
  readonly holds: boolean;
}

/** One invocation's work on one thread: what it knows, and the writer that holds its lease. */
export class Turn<Ports extends ThreadPorts = TurnPorts> {
  readonly ports: Ports;
  readonly writer: Writer;
  readonly context: Context;
  readonly config: SessionConfig;
  readonly agent: SessionAgent;
  /** Calls that this invocation has begun itself; another's may have run without our knowing. */
  readonly begun = new Set<string>();
  readonly #deadline_ms: number;
  readonly #inbox: readonly InboxRow[];
  #resources: readonly Resource[];
  #session: SessionHead;
  /** The thread's sums when the session's were read: what came since is ours. */
  #base: Usage;
  #listened_until_ms: number;
  #looked_ms: number;

  private constructor(ports: Ports, head: ThreadHead, known: Known, deadline_ms: number) {
    this.ports = ports;
    this.writer = new Writer(ports, head, known.holds);
    this.context = Context.of(ports.contexts, head);
    this.config = known.config;
    this.agent = known.agent;
    this.#inbox = known.inbox;
    this.#resources = known.resources;
    this.#session = known.session;
    this.#base = head.usage;
    this.#listened_until_ms = known.until_ms;
    this.#deadline_ms = deadline_ms;
    this.#looked_ms = ports.clock.now().getTime();
  }

  /**
   * Begin a run that nobody has begun: everything in one read, and no write before the first append.
   * @returns undefined when it is not so: then the lease must be taken.
   * @throws StepTooSmall
   */
  static async openFresh(
    ports: TurnPorts,
    claim: Claim & { readonly session_id: string; readonly inbox: readonly number[] },
    deadline_ms: number,
  ): Promise<Turn<TurnPorts> | undefined> {
    const { session_id, thread_id, inbox } = claim;
    // A child begins with a message in its log; whoever comes with neither goes on.
    if (inbox.length === 0 && thread_id === primaryThreadId(session_id)) return undefined;
    const rows = await ports.table.getMany([
      threadKey(thread_id),
      ...keysOf(session_id, thread_id),
      ...inbox.map((n) => inboxKey(thread_id, n)),
    ]);
    const read = rows.find(isThread);
    const head = read && leaseToTake(read, ports.clock, claim);
    if (head === undefined) return undefined;
    checkSize(ports, head);
    const known = await knownOf(ports, rows, false);
    // To compact is to ask the model, before anything is appended.
    if (mustCompact(known.agent.model.id, head.context_tokens)) return undefined;
    return new Turn(ports, head, known, deadline_ms);
  }

  /** @param deadline_ms Epoch milliseconds at which the function is stopped from outside. */
  static async open<Ports extends ThreadPorts>(
    ports: Ports,
    head: ThreadHead,
    deadline_ms: number,
  ): Promise<Turn<Ports>> {
    const rows = await ports.table.getMany([
      ...keysOf(head.session_id, head.thread_id),
      ...head.queue.map(({ n }) => inboxKey(head.thread_id, n)),
    ]);
    return new Turn(ports, head, await knownOf(ports, rows, true), deadline_ms);
  }

  get head(): ThreadHead {
    return this.writer.head;
  }

  /** What the session works with, as it was at the opening; a repository as it is now. */
  get resources(): readonly Resource[] {
    return this.#resources;
  }

  /** Take in what this turn has changed of a resource. */
  replaceResource(changed: Resource): void {
    this.#resources = this.#resources.map((one) => (one.sk === changed.sk ? changed : one));
  }

  /** The events of a part of the queue; what waited at the opening was read with it. */
  async queued(queue: readonly Queued[]): Promise<QueuedEvent[]> {
    return await loadQueued(this.ports, this.head.thread_id, queue, this.#inbox);
  }

  /** Take in what others have written to the thread. */
  async sync(): Promise<void> {
    this.writer.follow(await this.context.sync(this.ports, this.head));
  }

  /** Milliseconds until the function is stopped. */
  get time_left_ms(): number {
    return this.#deadline_ms - this.ports.clock.now().getTime();
  }

  /** Whether a stream that wants deltas is open. */
  get listened(): boolean {
    return this.#listened_until_ms > this.ports.clock.now().getTime();
  }

  /**
   * Read again what others may change during a turn: the budget, and who listens.
   * @param at_once Also when the last look was a moment ago.
   */
  async look(at_once = false): Promise<void> {
    const now = this.ports.clock.now().getTime();
    if (!at_once && now - this.#looked_ms < limits.turn_look_ms) return;
    this.#looked_ms = now;
    const { session_id, thread_id } = this.head;
    const rows = await this.ports.table.getMany([sessionKey(session_id), listenKey(thread_id)]);
    const session = rows.find(isSession);
    if (session !== undefined) {
      this.#session = session;
      this.#base = this.head.usage;
    }
    this.#listened_until_ms = untilMs(rows);
  }

  /** The session's sums with what this thread has added to `head` since they were read. */
  usage(head: ThreadHead): Usage {
    const added = Object.entries(head.usage).map(([name, value]) => {
      const key = name as keyof Usage;
      return [name, plus(this.#session.usage[key], minus(value, this.#base[key]))];
    });
    const sums = Object.fromEntries(added) as Usage;
    const since = this.#session.running_since ?? head.running_since;
    return usageNow(sums, since, this.ports.clock.now());
  }

  bill(head: ThreadHead): Bill {
    return billOf({ usage: this.usage(head), budget: this.#session.budget });
  }

  overBudget(head: ThreadHead): boolean {
    return overBudget(this.usage(head), this.#session.budget);
  }

  /** What a request adds to the sums. @param model_id @default - the agent's model */
  charge(
    usage: RequestUsage,
    speed: 'standard' | 'fast' | null,
    model_id: string = this.agent.model.id,
  ): Partial<Usage> {
    const { inference_geo } = this.agent.model;
    const ran = { model_id, speed, ...(inference_geo ? { inference_geo } : {}) };
    return {
      ...usage,
      cost_microcents: requestCostMicrocents(usage, ran, this.ports.prices),
    };
  }
}

function minus(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a - b;
}

function keysOf(session_id: string, thread_id: string): Key[] {
  const keys = [sessionKey(session_id), configKey(session_id), listenKey(thread_id)];
  if (thread_id === primaryThreadId(session_id)) return keys;
  return [...keys, memberKey(session_id, thread_id)];
}

async function knownOf(ports: ThreadPorts, rows: readonly Row[], holds: boolean): Promise<Known> {
  const config = rows.find(isConfig);
  const session = rows.find(isSession);
  invariant(config !== undefined && session !== undefined, 'a thread has its session');
  const [agent, resources] = await Promise.all([
    agentIn(ports, config, rows.find(isMember)),
    resourcesOf(ports.table, config),
  ]);
  const inbox = rows.filter(({ sk }) => sk.startsWith('I#')) as InboxRow[];
  return { session, config, agent, resources, inbox, until_ms: untilMs(rows), holds };
}

/** What a thread runs: the session's agent, or its own. */
async function agentIn(
  { blobs }: ThreadPorts,
  config: SessionConfig,
  member: MemberRow | undefined,
): Promise<SessionAgent> {
  if (member === undefined) return await load(blobs, config.agent);
  return workingAgent(await load(blobs, member.agent));
}

function untilMs(rows: readonly Row[]): number {
  const listen = rows.find(({ pk }) => pk.startsWith('LISTEN#'));
  return Number(listen?.['until_ms'] ?? 0);
}

function isConfig(row: Row): row is SessionConfig {
  return row.sk === 'CONFIG';
}

function isMember(row: Row): row is MemberRow {
  return row.sk.startsWith('T#');
}

function isThread(row: Row): row is ThreadHead {
  return row.pk.startsWith('THREAD#') && row.sk === 'HEAD';
}

function isSession(row: Row): row is SessionHead {
  return row.pk.startsWith('SESSION#') && row.sk === 'HEAD';
}
