import type { Stored } from '../core/stored.ts';
import { memberKey, type MemberRow, type ThreadAgent } from '../threads/member.ts';
import { childStartPatch } from '../threads/start.ts';
import { noUsage, threadKey, type ThreadHead } from '../threads/thread.ts';

export interface NewChild {
  readonly thread_id: string;
  readonly agent_name: string;
  readonly agent: Stored<ThreadAgent>;
  readonly at: string;
  readonly execution: string;
  readonly created_event_id: string;
}

/** The head of a child that runs from its beginning, with an empty log. */
export function newChild(primary: ThreadHead, child: NewChild): ThreadHead {
  const { thread_id, agent_name, at, execution } = child;
  const { session_id, workspace_id } = primary;
  return {
    ...threadKey(thread_id),
    schema: 1,
    version: 1,
    thread_id,
    session_id,
    workspace_id,
    agent_name,
    parent_thread_id: primary.thread_id,
    created_at: at,
    updated_at: at,
    stop_reason: null,
    seq: 0,
    last_at: at,
    inbox_seq: 0,
    queue: [],
    phase: 'take',
    calls: [],
    open_span: null,
    context_from: 0,
    context_tokens: 0,
    usage: noUsage,
    lease_fence: 0,
    ...started(childStartPatch(1, at, execution)),
  };
}

type Started = Pick<
  ThreadHead,
  | 'status'
  | 'announced'
  | 'attempts'
  | 'rounds'
  | 'running_since'
  | 'run'
  | 'lease_holder'
  | 'lease_until_ms'
>;

/** A start sets all of these. */
function started(patch: Partial<ThreadHead>): Started {
  return patch as Started;
}

export function memberRow(primary: ThreadHead, child: NewChild): MemberRow {
  const { thread_id, agent_name, agent, at, created_event_id } = child;
  return {
    ...memberKey(primary.session_id, thread_id),
    schema: 1,
    session_id: primary.session_id,
    thread_id,
    parent_thread_id: primary.thread_id,
    agent_name,
    agent,
    created_at: at,
    created_event_id,
  };
}
