import type { Scope } from './core/call.ts';

export interface RouteRule {
  /** The scope that a key needs. */
  readonly scope: Scope;
  /** Which function serves it. @default - the api function */
  readonly served_by?: 'stream' | 'memory';
  /** What a POST carries: `form` is multipart/form-data. @default - JSON */
  readonly body?: 'form';
  /** Whether a POST has parameters in its query too. @default - none, and any is refused */
  readonly query?: true;
}

/**
 * Every route of the platform. The route table of the function that serves it must have a line for
 * each: a forgotten one does not compile. The endpoint's resources are made from this list.
 */
export const routes = {
  'POST /v1/agents': { scope: 'write' },
  'GET /v1/agents': { scope: 'read' },
  'GET /v1/agents/{agent_id}': { scope: 'read' },
  'POST /v1/agents/{agent_id}': { scope: 'write' },
  'POST /v1/agents/{agent_id}/archive': { scope: 'write' },
  'GET /v1/agents/{agent_id}/versions': { scope: 'read' },

  'POST /v1/environments': { scope: 'write' },
  'GET /v1/environments': { scope: 'read' },
  'GET /v1/environments/{environment_id}': { scope: 'read' },
  'POST /v1/environments/{environment_id}': { scope: 'write' },
  'DELETE /v1/environments/{environment_id}': { scope: 'write' },
  'POST /v1/environments/{environment_id}/archive': { scope: 'write' },

  'POST /v1/sessions': { scope: 'write' },
  'GET /v1/sessions': { scope: 'read' },
  'GET /v1/sessions/{session_id}': { scope: 'read' },
  'POST /v1/sessions/{session_id}': { scope: 'write' },
  'DELETE /v1/sessions/{session_id}': { scope: 'write' },
  'POST /v1/sessions/{session_id}/archive': { scope: 'write' },
  'POST /v1/sessions/{session_id}/events': { scope: 'write' },
  'GET /v1/sessions/{session_id}/events': { scope: 'read' },
  'GET /v1/sessions/{session_id}/events/stream': { scope: 'read', served_by: 'stream' },
  'POST /v1/sessions/{session_id}/resources': { scope: 'write' },
  'GET /v1/sessions/{session_id}/resources': { scope: 'read' },
  'GET /v1/sessions/{session_id}/resources/{resource_id}': { scope: 'read' },
  'POST /v1/sessions/{session_id}/resources/{resource_id}': { scope: 'write' },
  'DELETE /v1/sessions/{session_id}/resources/{resource_id}': { scope: 'write' },
  'GET /v1/sessions/{session_id}/threads': { scope: 'read' },
  'GET /v1/sessions/{session_id}/threads/{thread_id}': { scope: 'read' },
  'POST /v1/sessions/{session_id}/threads/{thread_id}/archive': { scope: 'write' },
  'GET /v1/sessions/{session_id}/threads/{thread_id}/events': { scope: 'read' },
  'GET /v1/sessions/{session_id}/threads/{thread_id}/stream': {
    scope: 'read',
    served_by: 'stream',
  },

  'POST /v1/memory_stores': { scope: 'write', served_by: 'memory' },
  'GET /v1/memory_stores': { scope: 'read', served_by: 'memory' },
  'GET /v1/memory_stores/{memory_store_id}': { scope: 'read', served_by: 'memory' },
  'POST /v1/memory_stores/{memory_store_id}': { scope: 'write', served_by: 'memory' },
  'DELETE /v1/memory_stores/{memory_store_id}': { scope: 'write', served_by: 'memory' },
  'POST /v1/memory_stores/{memory_store_id}/archive': { scope: 'write', served_by: 'memory' },
  'POST /v1/memory_stores/{memory_store_id}/memories': {
    scope: 'write',
    served_by: 'memory',
    query: true,
  },
  'GET /v1/memory_stores/{memory_store_id}/memories': { scope: 'read', served_by: 'memory' },
  'GET /v1/memory_stores/{memory_store_id}/memories/{memory_id}': {
    scope: 'read',
    served_by: 'memory',
  },
  'POST /v1/memory_stores/{memory_store_id}/memories/{memory_id}': {
    scope: 'write',
    served_by: 'memory',
    query: true,
  },
  /** Older documentation has it so: the same as the POST. */
  'PATCH /v1/memory_stores/{memory_store_id}/memories/{memory_id}': {
    scope: 'write',
    served_by: 'memory',
    query: true,
  },
  'DELETE /v1/memory_stores/{memory_store_id}/memories/{memory_id}': {
    scope: 'write',
    served_by: 'memory',
  },
  'GET /v1/memory_stores/{memory_store_id}/memory_versions': {
    scope: 'read',
    served_by: 'memory',
  },
  'GET /v1/memory_stores/{memory_store_id}/memory_versions/{memory_version_id}': {
    scope: 'read',
    served_by: 'memory',
  },
  'POST /v1/memory_stores/{memory_store_id}/memory_versions/{memory_version_id}/redact': {
    scope: 'write',
    served_by: 'memory',
  },

  'POST /v1/dreams': { scope: 'write', served_by: 'memory' },
  'GET /v1/dreams': { scope: 'read', served_by: 'memory' },
  'GET /v1/dreams/{dream_id}': { scope: 'read', served_by: 'memory' },
  'POST /v1/dreams/{dream_id}/cancel': { scope: 'write', served_by: 'memory' },
  'POST /v1/dreams/{dream_id}/archive': { scope: 'write', served_by: 'memory' },

  'POST /v1/files': { scope: 'write', body: 'form' },
  'GET /v1/files': { scope: 'read' },
  'GET /v1/files/{file_id}': { scope: 'read' },
  'DELETE /v1/files/{file_id}': { scope: 'write' },
  'GET /v1/files/{file_id}/content': { scope: 'read', served_by: 'stream' },
  'POST /v1/reverie/files': { scope: 'write' },
  'POST /v1/reverie/files/{file_id}/complete': { scope: 'write' },

  'POST /v1/reverie/memory_stores/{memory_store_id}/memories/{memory_id}/restore': {
    scope: 'write',
    served_by: 'memory',
    query: true,
  },
  'POST /v1/reverie/memory_stores/{memory_store_id}/restore': {
    scope: 'write',
    served_by: 'memory',
  },
  'GET /v1/reverie/memory_stores/{memory_store_id}/diff': { scope: 'read', served_by: 'memory' },
  'GET /v1/reverie/memory_stores/{memory_store_id}/search': { scope: 'read', served_by: 'memory' },
  'GET /v1/reverie/memory_stores/{memory_store_id}/export': { scope: 'read', served_by: 'stream' },
  'POST /v1/reverie/memory_stores/import': { scope: 'write', served_by: 'memory' },

  'POST /v1/reverie/agents/{agent_id}/outcome_model': { scope: 'write' },
  'GET /v1/reverie/agents/{agent_id}/outcome_model': { scope: 'read' },
  'DELETE /v1/reverie/agents/{agent_id}/outcome_model': { scope: 'write' },
  'GET /v1/reverie/agents/{agent_id}/outcome_model/versions': { scope: 'read' },
  'GET /v1/reverie/sessions/{session_id}/outcome_reports': { scope: 'read' },
  'GET /v1/reverie/sessions/{session_id}/outcome_reports/{outcome_report_id}': { scope: 'read' },
  'GET /v1/reverie/dreams/{dream_id}/report': { scope: 'read', served_by: 'stream' },
  'GET /v1/reverie/dreams/{dream_id}/changes': { scope: 'read', served_by: 'memory' },
  'POST /v1/reverie/dreams/{dream_id}/changes/accept_all': {
    scope: 'write',
    served_by: 'memory',
  },
  'POST /v1/reverie/dreams/{dream_id}/changes/{change_id}': {
    scope: 'write',
    served_by: 'memory',
  },
  'POST /v1/reverie/dreams/{dream_id}/apply': { scope: 'write', served_by: 'memory' },
  'GET /v1/reverie/dreams/{dream_id}/applies': { scope: 'read', served_by: 'memory' },
  'POST /v1/reverie/dreams/{dream_id}/applies/{apply_id}/rollback': {
    scope: 'write',
    served_by: 'memory',
  },

  'GET /v1/reverie/sessions/{session_id}/playbook_uses': { scope: 'read' },
  'POST /v1/reverie/dream_schedules': { scope: 'write', served_by: 'memory' },
  'GET /v1/reverie/dream_schedules': { scope: 'read', served_by: 'memory' },
  'GET /v1/reverie/dream_schedules/{dream_schedule_id}': { scope: 'read', served_by: 'memory' },
  'POST /v1/reverie/dream_schedules/{dream_schedule_id}': { scope: 'write', served_by: 'memory' },
  'POST /v1/reverie/dream_schedules/{dream_schedule_id}/pause': {
    scope: 'write',
    served_by: 'memory',
  },
  'POST /v1/reverie/dream_schedules/{dream_schedule_id}/unpause': {
    scope: 'write',
    served_by: 'memory',
  },
  'POST /v1/reverie/dream_schedules/{dream_schedule_id}/run': {
    scope: 'write',
    served_by: 'memory',
  },
  'POST /v1/reverie/dream_schedules/{dream_schedule_id}/archive': {
    scope: 'write',
    served_by: 'memory',
  },
  'GET /v1/reverie/dream_schedules/{dream_schedule_id}/runs': {
    scope: 'read',
    served_by: 'memory',
  },
  'GET /v1/reverie/dream_schedules/{dream_schedule_id}/runs/{run_id}': {
    scope: 'read',
    served_by: 'memory',
  },

  'GET /v1/reverie/sessions/{session_id}/transcript': { scope: 'read', served_by: 'stream' },
  'GET /v1/reverie/sessions/{session_id}/trace': { scope: 'read', served_by: 'stream' },
  'GET /v1/reverie/sessions/{session_id}/files/history': { scope: 'read', served_by: 'stream' },
  'GET /v1/reverie/sessions/{session_id}/outcome_evaluations': { scope: 'read' },
  'GET /v1/reverie/sessions/{session_id}/outcome_evaluations/{evaluation_id}/transcript': {
    scope: 'read',
    served_by: 'stream',
  },
  'GET /v1/reverie/agents/{agent_id}/verdicts': { scope: 'read' },
  'GET /v1/reverie/agents/{agent_id}/verdicts/summary': { scope: 'read' },

  'POST /v1/reverie/api_keys': { scope: 'admin' },
  'GET /v1/reverie/api_keys': { scope: 'admin' },
  'GET /v1/reverie/api_keys/{api_key_id}': { scope: 'admin' },
  'DELETE /v1/reverie/api_keys/{api_key_id}': { scope: 'admin' },
} as const satisfies Readonly<
  Record<`${'GET' | 'POST' | 'PATCH' | 'DELETE'} /v1/${string}`, RouteRule>
>;

export type RouteName = keyof typeof routes;

type ServedBy<Room> = {
  [Name in RouteName]: (typeof routes)[Name] extends { readonly served_by: Room } ? Name : never;
}[RouteName];

/** The routes of the stream function; API Gateway sends them there, not to the api function. */
export type StreamRouteName = ServedBy<'stream'>;

/** The routes of the memory function. */
export type MemoryRouteName = ServedBy<'memory'>;

/** The routes of the api function. */
export type ApiRouteName = Exclude<RouteName, ServedBy<'stream' | 'memory'>>;
