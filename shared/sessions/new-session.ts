import { listKeys } from '../core/listing.ts';
import { primaryThreadId } from '../core/id.ts';
import type { Stored } from '../core/stored.ts';
import type { Resource } from '../resources/resource.ts';
import { noUsage, threadKey, type ThreadHead } from '../threads/thread.ts';
import {
  configKey,
  sessionKey,
  type SessionAgent,
  type SessionConfig,
  type SessionEnvironment,
  type SessionHead,
} from './session.ts';
import type { SessionCreate } from './session-wire.ts';

/** What a new session is made of, resolved. */
export interface NewSession {
  readonly session_id: string;
  readonly workspace_id: string;
  readonly body: SessionCreate;
  readonly agent: SessionAgent;
  readonly stored_agent: Stored<SessionAgent>;
  readonly environment: SessionEnvironment;
  readonly resources: readonly Resource[];
  readonly at: string;
  /** @default false */
  readonly has_outcome_model?: boolean;
}

/** The head of a new session: idle. */
export function newHead({ session_id, workspace_id, body, at }: NewSession): SessionHead {
  return {
    ...sessionKey(session_id),
    schema: 1,
    version: 1,
    session_id,
    workspace_id,
    status: 'idle',
    stop_reason: null,
    stop_details: null,
    updated_at: at,
    archived_at: null,
    deleted_at: null,
    usage: noUsage,
    running_since: null,
    ended_at: null,
    budget: body.budget ?? null,
    run: 0,
  };
}

export function newConfig(made: NewSession): SessionConfig {
  const { session_id, workspace_id, body, agent, at } = made;
  return {
    ...configKey(session_id),
    schema: 1,
    version: 1,
    session_id,
    workspace_id,
    created_at: at,
    title: body.title ?? null,
    metadata: { ...body.metadata },
    agent_id: agent.id,
    agent_version: agent.version,
    agent: made.stored_agent,
    environment_id: body.environment_id,
    environment: made.environment,
    vault_ids: [],
    resources_revision: made.resources.length > 0 ? 1 : 0,
    deployment_id: null,
    ...(made.has_outcome_model === true ? { has_outcome_model: true } : {}),
    ...listKeys(workspace_id, 'session', { id: session_id, created_at: at }),
  };
}

/**
 * The head's place in the list of its agent's sessions, so that listing by agent reads what that
 * agent has and not what the workspace has. The session of a dream has none.
 */
export function agentPlace({ session_id, workspace_id, agent, at }: NewSession) {
  return { gsi1pk: agentPartition(workspace_id, agent.id), gsi1sk: `${at}#${session_id}` };
}

/** The row that is the place of a session from before its head was; deleted with the session. */
export function agentListingKey(session_id: string) {
  return { pk: sessionKey(session_id).pk, sk: 'AGENT' };
}

export function agentPartition(workspace_id: string, agent_id: string): string {
  return `WS#${workspace_id}#${agent_id}#session`;
}

/** The head of a new session's primary thread: idle, with an empty log. */
export function newThread({ session_id, workspace_id, agent, at }: NewSession): ThreadHead {
  const thread_id = primaryThreadId(session_id);
  return {
    ...threadKey(thread_id),
    schema: 1,
    version: 1,
    thread_id,
    session_id,
    workspace_id,
    agent_name: agent.name,
    created_at: at,
    updated_at: at,
    status: 'idle',
    stop_reason: null,
    seq: 0,
    last_at: at,
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
  };
}
