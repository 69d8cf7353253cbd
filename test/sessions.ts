import { prefixes, newId, primaryThreadId } from '#shared/core/id.ts';
import type { Call } from '#shared/core/call.ts';
import type { Clock } from '#shared/core/clock.ts';
import type { Table } from '#shared/core/table.ts';
import type { NewEvent } from '#shared/events/event.ts';
import type { Queued, ThreadHead } from '#shared/threads/thread.ts';
import { prepareQueue, type QueuedEvent } from '#shared/events/inbox.ts';
import {
  agentPlace,
  newConfig,
  newHead,
  newThread,
  type NewSession,
} from '#shared/sessions/new-session.ts';
import type { ArchivePorts } from '#shared/sessions/archive-session.ts';
import { runName, type RunInput, type Runs, type ThreadsInput } from '#shared/sessions/runs.ts';
import type { SessionPorts } from '#shared/sessions/session-ports.ts';
import type { SessionAgent } from '#shared/sessions/session.ts';
import { prepareAppend } from '#shared/threads/log.ts';
import { threadKey } from '#shared/threads/thread.ts';
import { MemoryBlobs } from './memory-blobs.ts';
import { MemoryCipher } from './memory-cipher.ts';

/** A clock that stands still until it is moved. */
export class SettableClock implements Clock {
  ms = Date.parse('2026-11-20T10:00:00.000Z');
  now(): Date {
    return new Date(this.ms);
  }
}

/** Executions that run until they are told to end. */
export class MemoryRuns implements Runs {
  readonly started: RunInput[] = [];
  readonly running = new Set<string>();
  async start(input: RunInput): Promise<void> {
    this.started.push(input);
    this.running.add(runName(input));
  }
  async startThreads(name: string, { session_id, threads }: ThreadsInput): Promise<void> {
    this.started.push(...threads.map((begun) => ({ session_id, ...begun })));
    this.running.add(name);
  }
  async alive(name: string): Promise<boolean> {
    return this.running.has(name);
  }
}

export interface TestPorts extends SessionPorts, ArchivePorts {
  readonly blobs: MemoryBlobs;
  readonly clock: SettableClock;
  readonly runs: MemoryRuns;
}

export function testPorts(table: Table): TestPorts {
  return {
    table,
    blobs: new MemoryBlobs(),
    clock: new SettableClock(),
    newId,
    runs: new MemoryRuns(),
    startLost: () => undefined,
    transcript_days: 0,
    transcriptLost: () => undefined,
    prices: {},
    cipher: new MemoryCipher(),
  };
}

export function aCall(workspace_id = `${prefixes.workspace}_${'0'.repeat(24)}`): Call {
  return {
    request_id: newId('request'),
    workspace_id,
    api_key_id: newId('api_key'),
    scopes: ['read', 'write'],
  };
}

export const anAgent: SessionAgent = {
  id: 'agent_00000000000000000000000001',
  type: 'agent',
  version: 3,
  name: 'Tester',
  description: null,
  system: null,
  model: { id: 'claude-opus-5-5', speed: 'standard', effort: { type: 'high' } },
  tools: [],
  mcp_servers: [],
  skills: [],
  multiagent: null,
  execution_identity: { type: 'service_account' },
};

/** Put the rows of a session into the table, without an agent or an environment of its own. */
export async function putSession(
  ports: TestPorts,
  call: Call,
  made: Partial<NewSession> = {},
): Promise<{ session_id: string; thread_id: string }> {
  const session_id = made.session_id ?? newId('session');
  const full: NewSession = {
    session_id,
    workspace_id: call.workspace_id,
    body: {
      agent: { type: 'agent', id: anAgent.id },
      environment_id: 'env_00000000000000000000000001',
    },
    agent: anAgent,
    stored_agent: { json: JSON.stringify(made.agent ?? anAgent) },
    environment: { networking: { type: 'unrestricted' } },
    resources: [],
    at: ports.clock.now().toISOString(),
    ...made,
  };
  const rows = [{ ...newHead(full), ...agentPlace(full) }, newConfig(full), newThread(full)];
  await ports.table.transact(rows.map((put) => ({ put })));
  return { session_id, thread_id: primaryThreadId(session_id) };
}

export async function headOf(ports: TestPorts, thread_id: string): Promise<ThreadHead> {
  return (await ports.table.get(threadKey(thread_id))) as ThreadHead;
}

/** Append events as a step would. @returns their ids */
export async function append(
  ports: TestPorts,
  thread_id: string,
  events: readonly NewEvent[],
  patch: Partial<ThreadHead> = {},
): Promise<string[]> {
  const head = await headOf(ports, thread_id);
  const lines = events.map((event) => ({ event }));
  const { writes } = await prepareAppend(ports, head, lines, patch);
  await ports.table.transact(writes);
  return events.map(({ id }) => id);
}

/** Queue messages as a client's send would. @returns their ids */
export async function queue(
  ports: TestPorts,
  thread_id: string,
  events: readonly QueuedEvent[],
): Promise<string[]> {
  const head = await headOf(ports, thread_id);
  const queued = await prepareQueue(ports.blobs, head, events, ports.clock.now());
  const { writes } = await prepareAppend(ports, head, [], queued.patch);
  await ports.table.transact([...writes, ...queued.writes]);
  return events.map(({ id }) => id);
}

/** Take the oldest waiting event into the log, as a step would. */
export async function takeOne(ports: TestPorts, thread_id: string): Promise<Queued | undefined> {
  const head = await headOf(ports, thread_id);
  const [first, ...rest] = head.queue;
  if (first === undefined) return undefined;
  const event = aMessage('taken', first.id);
  const { writes } = await prepareAppend(ports, head, [{ event }], { queue: rest });
  await ports.table.transact(writes);
  return first;
}

export function aMessage(
  text: string,
  id = newId('event'),
): QueuedEvent & { type: 'user.message' } {
  return { id, type: 'user.message', content: [{ type: 'text', text }], processed_at: null };
}

export function aReply(text: string, id = newId('event')): NewEvent {
  return { id, type: 'agent.message', content: [{ type: 'text', text }] };
}
