import { noUsage, threadKey, type OpenCall, type ThreadHead } from '#shared/threads/thread.ts';
import { sessionKey, type SessionHead } from '#shared/sessions/session.ts';

export const SESSION_ID = 'sesn_01KAB3CDEFGHJKMNPQRSTVWXYZ';
export const THREAD_ID = 'sthr_01KAB3CDEFGHJKMNPQRSTVWXYZ';
export const WORKSPACE_ID = 'wrkspc_01KAB3CDEFGHJKMNPQRSTVWXYZ';
const AT = '2026-11-21T00:00:00.000Z';

/** A thread at rest; a test names only what it is about. */
export function aThread(patch: Partial<ThreadHead> = {}): ThreadHead {
  return {
    ...threadKey(THREAD_ID),
    schema: 1,
    version: 1,
    thread_id: THREAD_ID,
    session_id: SESSION_ID,
    workspace_id: WORKSPACE_ID,
    agent_name: 'Ada',
    created_at: AT,
    updated_at: AT,
    status: 'idle',
    stop_reason: null,
    seq: 0,
    last_at: AT,
    inbox_seq: 0,
    queue: [],
    announced: false,
    phase: 'take',
    calls: [],
    open_span: null,
    attempts: 0,
    rounds: 0,
    context_from: 0,
    context_tokens: 0,
    usage: noUsage,
    running_since: null,
    run: 0,
    lease_fence: 0,
    lease_holder: null,
    lease_until_ms: 0,
    ...patch,
  };
}

/** The session of {@link aThread}. */
export function aSessionHead(patch: Partial<SessionHead> = {}): SessionHead {
  return {
    ...sessionKey(SESSION_ID),
    schema: 1,
    version: 1,
    session_id: SESSION_ID,
    workspace_id: WORKSPACE_ID,
    status: 'idle',
    stop_reason: null,
    stop_details: null,
    updated_at: AT,
    archived_at: null,
    deleted_at: null,
    usage: noUsage,
    running_since: null,
    ended_at: null,
    budget: null,
    run: 0,
    ...patch,
  };
}

/** An open call of the tool `bash`. */
export function aCall(state: OpenCall['state'], n = 1): OpenCall {
  return { event_id: `sevt_${n}`, tool_use_id: `toolu_${n}`, name: 'bash', state };
}
