import type { BetaManagedAgentsBudgetLimit } from '@anthropic-ai/sdk/resources/beta/sessions/sessions';
import type { ResolvedAgent } from '../agents/resolve-agent.ts';
import type { Key, Row } from '../core/table.ts';
import type { Stored } from '../core/stored.ts';
import type { StopDetails, StopReason, ThreadStatus, Usage } from '../threads/thread.ts';

export type SessionAgent = ResolvedAgent;

/**
 * What changes of a session: `SESSION#<id>` / `HEAD`. Rewritten at every change of status under
 * the condition that `version` is the one that was read.
 */
export interface SessionHead extends Row {
  readonly schema: 1;
  readonly version: number;
  readonly session_id: string;
  readonly workspace_id: string;
  readonly status: ThreadStatus;
  readonly stop_reason: StopReason | null;
  readonly stop_details: StopDetails;
  readonly updated_at: string;
  readonly archived_at: string | null;
  /** Set once: the session is gone for every reader, and its rows are being swept. */
  readonly deleted_at: string | null;
  readonly usage: Usage;
  /**
   * The active time of all threads together, each for itself, as far as they have come to rest.
   * @default - the session never had another thread than its primary one: `usage.active_ms`
   */
  readonly threads_active_ms?: number;
  readonly running_since: string | null;
  /** When the last run ended, for `stats.duration_seconds`. */
  readonly ended_at: string | null;
  readonly budget: BetaManagedAgentsBudgetLimit | null;
  /** Outcomes that were ever defined. @default - none */
  readonly outcomes_count?: number;
  /** The primary thread's run: the name of the execution is made from it. */
  readonly run: number;
  /** How often reconcile has started this turn anew, and when last. @default - never */
  readonly restarts_count?: number;
  readonly restarted_at?: string;
  /** The list of its agent's sessions. @default - of a dream, deleted, or from before: its place is a row */
  readonly gsi1pk?: string;
  /** `<created_at>#<session_id>` */
  readonly gsi1sk?: string;
  /** Present while the session runs or is being deleted: the index that reconcile reads. */
  readonly gsi2pk?: 'RUNNING' | 'DELETED';
  /** `<since>#<session_id>` */
  readonly gsi2sk?: string;
}

/** What rarely changes of a session: `SESSION#<id>` / `CONFIG`. */
export interface SessionConfig extends Row {
  readonly schema: 1;
  readonly version: number;
  readonly session_id: string;
  readonly workspace_id: string;
  readonly created_at: string;
  readonly title: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly agent_id: string;
  readonly agent_version: number;
  /** The resolved agent: later edits of the agent never reach a live session. */
  readonly agent: Stored<SessionAgent>;
  readonly environment_id: string;
  readonly environment: SessionEnvironment;
  readonly vault_ids: readonly string[];
  /** Rises with each change of a row `R#…`; 0 while there never was one, so that none is looked for. */
  readonly resources_revision: number;
  readonly deployment_id: string | null;
  /**
   * Whether the agent had an outcome model when the session was made: then its rests are reported on,
   * by the newest version. Kept here, so that a turn reads nothing more for agents without one.
   * @default - it had none
   */
  readonly has_outcome_model?: boolean;
  /** Of the session that a dream runs as: it has no environment and is in no list of an agent. */
  readonly dream_id?: string;
  readonly gsi1pk?: string;
  readonly gsi1sk?: string;
}

/** What the sandbox must know of the environment, as it was when the session was created. */
export interface SessionEnvironment {
  readonly networking:
    | { readonly type: 'unrestricted' }
    | {
        readonly type: 'limited';
        readonly allowed_hosts: string[];
        readonly allow_mcp_servers: boolean;
        readonly allow_package_managers: boolean;
      };
}

export function sessionKey(session_id: string): Key {
  return { pk: `SESSION#${session_id}`, sk: 'HEAD' };
}

export function configKey(session_id: string): Key {
  return { pk: `SESSION#${session_id}`, sk: 'CONFIG' };
}

/**
 * `SESSION#<id>` / `CALL#<event_id>`: a tool call that a client may answer, kept after the answer
 * so that a second or late one is accepted without effect.
 */
export interface CallRow extends Row {
  readonly event_id: string;
  readonly thread_id: string;
  readonly kind: 'ask' | 'custom';
}

export function callKey(session_id: string, event_id: string): Key {
  return { pk: `SESSION#${session_id}`, sk: `CALL#${event_id}` };
}

/** The session's own objects in the bucket: deleting this prefix deletes them all. */
export function sessionPrefix(session_id: string): string {
  return `sessions/${session_id}/`;
}

/**
 * Where parts of requests to the sandbox are that are too large for a request. They hold texts of memories and files, which may
 * be redacted or deleted later: the bucket removes them after days, or with their session.
 */
export function partPrefix(session_id: string): string {
  return `parts/${session_id}/`;
}

/**
 * Name of the machine's execution for one run: a second start of it is refused by Step Functions.
 *
 * @param restart Of a run whose report is due still: which further execution. @default 0
 */
export function executionName(session_id: string, run: number, restart = 0): string {
  return `${session_id}-${run}${restart === 0 ? '' : `-report${restart}`}`;
}
