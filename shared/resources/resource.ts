import type {
  BetaManagedAgentsBranchCheckout,
  BetaManagedAgentsCommitCheckout,
} from '@anthropic-ai/sdk/resources/beta/sessions/sessions';
import type { BetaManagedAgentsSessionResource } from '@anthropic-ai/sdk/resources/beta/sessions/resources';
import type { OfferedPlaybook } from '../playbooks/offered-playbook.ts';
import { sessionKey } from '../sessions/session.ts';
import type { Key, Row } from '../core/table.ts';

/** A resource exactly as it goes over the wire. */
export type ShownResource = BetaManagedAgentsSessionResource;

export type Checkout = BetaManagedAgentsBranchCheckout | BetaManagedAgentsCommitCheckout;

/**
 * `SESSION#<id>` / `R#<resource_id>`: something that a session works with. The rows are the truth;
 * `resources_revision` of the session's CONFIG rises with each change of any, so that who knows
 * them at a revision need not read them again. Ids are ULIDs: their order is that of creation.
 */
export type Resource = FileResource | RepositoryResource | MemoryResource;

interface Common extends Row {
  readonly schema: 1;
  readonly resource_id: string;
  readonly session_id: string;
  /** In the form of `normalPath`; no two resources of a session have the same. */
  readonly mount_path: string;
  readonly created_at: string;
  readonly updated_at: string;
}

export interface FileResource extends Common {
  readonly type: 'file';
  /** The session's own copy, not the file that was uploaded. */
  readonly file_id: string;
  /** Of the entry that was mounted: another one there was written by the agent. */
  readonly entry_version: string;
}

export interface RepositoryResource extends Common {
  readonly type: 'github_repository';
  readonly url: string;
  readonly checkout: Checkout | null;
  /** Sealed for this session and resource; no reader of the row can use it. */
  readonly sealed_token: string | null;
  /** Whether its files stand in the session. */
  readonly state: 'pending' | 'ready';
  /** The run of the last attempt; one attempt a turn. 0 before the first. */
  readonly tried_run: number;
}

/** Without an id on the wire: clients name it by its store. */
export interface MemoryResource extends Common {
  readonly type: 'memory_store';
  readonly memory_store_id: string;
  readonly access: 'read_write' | 'read_only';
  readonly instructions: string | null;
  /** As the store had them when the session was created; likewise the next two. */
  readonly name: string;
  readonly description: string;
  /** The memory `/_index.md`; null where there is none. */
  readonly index: { readonly text: string; readonly is_cut: boolean } | null;
  /** Those that fit what the session was first asked, the best first; absent until that was taken. */
  readonly playbooks?: readonly OfferedPlaybook[];
  /** The session in the list of those that hold the store. */
  readonly gsi1pk: string;
  readonly gsi1sk: string;
}

/** The partition of the index `list` with the sessions that hold a store. */
export function storePartition(workspace_id: string, memory_store_id: string): string {
  return `WS#${workspace_id}#${memory_store_id}#session`;
}

/** Below and above every resource of a session. */
export const resourceKeys = { from: 'R#', to: 'R#~' } as const;

export function resourceKey(session_id: string, resource_id: string): Key {
  return { pk: sessionKey(session_id).pk, sk: `R#${resource_id}` };
}

/** A memory store in a session's file system. */
export interface StoreMount {
  readonly path: string;
  readonly access: 'read_write' | 'read_only';
  readonly memory_store_id: string;
}

/** Where a session's memory stores are mounted. */
export function mountsOf(resources: readonly Resource[]): StoreMount[] {
  return resources.flatMap((resource) =>
    resource.type === 'memory_store'
      ? [
          {
            path: resource.mount_path,
            access: resource.access,
            memory_store_id: resource.memory_store_id,
          },
        ]
      : [],
  );
}
