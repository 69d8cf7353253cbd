import type {
  BetaManagedAgentsAdvisor,
  BetaManagedAgentsSessionThreadAgent,
} from '@anthropic-ai/sdk/resources/beta/agents/agents';
import type { BetaManagedAgentsInlineAgent } from '@anthropic-ai/sdk/resources/beta/sessions/threads/threads';
import { invariant } from '../core/invariant.ts';
import type { Stored } from '../core/stored.ts';
import type { Key, Row } from '../core/table.ts';
import type { SessionAgent } from '../sessions/session.ts';

/** What a child thread runs, as it was when the thread was started. */
export type ThreadAgent =
  | BetaManagedAgentsSessionThreadAgent
  | BetaManagedAgentsInlineAgent
  | BetaManagedAgentsAdvisor;

/** `SESSION#<id>` / `T#<thread_id>`: a child thread, written once with its head. */
export interface MemberRow extends Row {
  readonly schema: 1;
  readonly session_id: string;
  readonly thread_id: string;
  readonly parent_thread_id: string;
  readonly agent_name: string;
  readonly agent: Stored<ThreadAgent>;
  readonly created_at: string;
  /** The event `session.thread_created` in the log of its parent. */
  readonly created_event_id: string;
}

/** Ids rise with time, so that children sort in the order in which they were started. */
export function memberKey(session_id: string, thread_id: string): Key {
  return { pk: `SESSION#${session_id}`, sk: `T#${thread_id}` };
}

/** The name under which every advisor's thread stands in events. Source: SDK. */
export const ADVISOR_NAME = 'anthropic.advisor';

/** A child's agent as its turns take it: one that works alone, for a child starts nobody. */
export function workingAgent(agent: ThreadAgent): SessionAgent {
  invariant(agent.type !== 'advisor', 'an advisor is asked by its primary thread and has no turns');
  if (agent.type === 'agent') return { ...agent, multiagent: null };
  const { type: _inline, ...own } = agent;
  return { ...own, type: 'agent', id: '', version: 0, multiagent: null };
}
