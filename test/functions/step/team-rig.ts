import type { BetaManagedAgentsSessionThread } from '@anthropic-ai/sdk/resources/beta/sessions/threads/threads';
import type { AgentCreateParams } from '@anthropic-ai/sdk/resources/beta/agents/agents';
import { call, reply, type Reply } from '../../model/replies.ts';
import type { Event, Rig } from '../../rig.ts';

/** The coordinator starts an agent; what it is told is what the scripted model goes by. */
export const start = (agent: string, message: string): Reply =>
  call('start_agent', { agent, message });

export const startAll = (agent: string, messages: readonly string[]): Reply =>
  reply(...messages.map((message) => start(agent, message)));

export const tell = (thread_id: string, message: string): Reply =>
  call('send_to_agent', { thread_id, message });

export interface TeamParams {
  readonly lead?: Partial<AgentCreateParams>;
  readonly worker?: Partial<AgentCreateParams>;
  readonly session?: Parameters<Rig['session']>[1];
}

/** A session of a coordinator with one kind of worker, whose name is `Worker`. */
export async function teamSession(rig: Rig, params: TeamParams = {}): Promise<string> {
  const worker = await rig.agent({ name: 'Worker', ...params.worker });
  return await rig.session(
    { name: 'Lead', multiagent: { type: 'coordinator', agents: [worker] }, ...params.lead },
    params.session,
  );
}

export async function threadsOf(
  { client }: Rig,
  session_id: string,
): Promise<BetaManagedAgentsSessionThread[]> {
  const threads: BetaManagedAgentsSessionThread[] = [];
  for await (const thread of client.beta.sessions.threads.list(session_id)) threads.push(thread);
  return threads;
}

export async function childrenOf(rig: Rig, session_id: string) {
  return (await threadsOf(rig, session_id)).filter((thread) => thread.parent_thread_id !== null);
}

/** The log of one thread. */
export async function logOf(
  { client }: Rig,
  session_id: string,
  thread_id: string,
): Promise<Event[]> {
  const events: Event[] = [];
  for await (const event of client.beta.sessions.threads.events.list(thread_id, { session_id })) {
    events.push(event as Event);
  }
  return events;
}

/** What was said to a thread, or by it to another. */
export function textOf(event: Event | undefined): string {
  const content = event !== undefined && 'content' in event ? (event.content ?? []) : [];
  return content.map((block) => ('text' in block ? String(block.text) : '')).join('\n');
}

/** Types, with the thread or the agent that a status is of where it is not the primary's. */
export function told(events: readonly Event[], primary: string): string[] {
  return events.map((event) => {
    const other = 'session_thread_id' in event && event.session_thread_id !== primary;
    return other && event.session_thread_id != null ? `${event.type} (child)` : event.type;
  });
}
