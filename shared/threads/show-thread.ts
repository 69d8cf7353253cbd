import type { BetaManagedAgentsSessionThread } from '@anthropic-ai/sdk/resources/beta/sessions/threads/threads';
import type { SessionAgent, SessionHead } from '../sessions/session.ts';
import type { ThreadAgent } from './member.ts';
import { isAtWork } from './team.ts';
import { threadUsage } from '../sessions/session-usage.ts';
import type { ThreadHead } from './thread.ts';

/** A thread exactly as it goes over the wire. */
export type Thread = BetaManagedAgentsSessionThread;

/** @param now Sums of a running turn are shown up to here. */
export function showThread(
  thread: ThreadHead,
  session: SessionHead,
  agent: ThreadAgent,
  now: Date,
): Thread {
  const usage = threadUsage(thread, now);
  const archived_at = thread.archived_at ?? session.archived_at;
  // One that an error has terminated is not archived, and yet no longer lasts.
  const has_ended = archived_at !== null || thread.status === 'terminated';
  const ended_at = has_ended ? new Date(thread.updated_at) : now;
  const active_seconds = usage.active_seconds ?? 0;
  const duration_ms = Math.max(0, ended_at.getTime() - Date.parse(thread.created_at));
  const has_run = thread.run > 0;
  const at_work = isAtWork(thread.status);
  // Only a turn that has come to rest adds to the sums of finished running.
  const has_rested = has_run && (!at_work || thread.usage.active_ms > 0);
  return {
    id: thread.thread_id,
    type: 'session_thread',
    agent,
    archived_at,
    created_at: thread.created_at,
    parent_thread_id: thread.parent_thread_id ?? null,
    session_id: thread.session_id,
    stats: has_run ? { active_seconds, duration_seconds: duration_ms / 1_000 } : null,
    status: thread.status,
    updated_at: thread.updated_at,
    usage: has_rested ? usage : null,
    workflow_run_id: null,
  };
}

/** The primary thread's agent: that of the session, whose roster is not repeated. */
export function primaryAgent({ multiagent: _roster, ...agent }: SessionAgent): ThreadAgent {
  return agent;
}
