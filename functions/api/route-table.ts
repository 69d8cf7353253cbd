import type { ApiRouteName } from '#shared/routes.ts';
import type { ArchivePorts } from '#shared/sessions/archive-session.ts';
import type { DeletePorts } from '#shared/sessions/delete-session.ts';
import type { SessionPorts } from '#shared/sessions/session-ports.ts';
import type { Route } from '#shared/door/route.ts';
import { listEvents } from './list-events.ts';
import { later, type Routes } from './later.ts';
import { listThreads } from './list-threads.ts';
import { readSession } from './read-session.ts';
import { readThread } from './read-thread.ts';
import { sendEvents } from './send-events.ts';

/** What the routes act upon. */
export type ApiPorts = SessionPorts & DeletePorts & ArchivePorts;

/** The type demands every route of shared/routes.ts: a forgotten one does not compile. */
export function routeTable(ports: ApiPorts): Readonly<Record<ApiRouteName, Route>> {
  const session = async () => (await import('./session-routes.ts')).sessionRoutes(ports);
  const operator = async () => (await import('./operator-routes.ts')).operatorRoutes(ports);
  return {
    ...later(session_routes, session),
    ...later(operator_routes, operator),
    'GET /v1/sessions/{session_id}': readSession(ports),
    'POST /v1/sessions/{session_id}/events': sendEvents(ports),
    'GET /v1/sessions/{session_id}/events': listEvents(ports),
    'GET /v1/sessions/{session_id}/threads': listThreads(ports),
    'GET /v1/sessions/{session_id}/threads/{thread_id}': readThread(ports),
    'GET /v1/sessions/{session_id}/threads/{thread_id}/events': listEvents(ports),
  };
}

/** What is asked before and after a conversation, and not within it. */
const session_routes = [
  'GET /v1/agents',
  'GET /v1/agents/{agent_id}',
  'POST /v1/sessions',
  'GET /v1/sessions',
  'DELETE /v1/sessions/{session_id}',
  'POST /v1/sessions/{session_id}/resources',
  'GET /v1/sessions/{session_id}/resources',
  'GET /v1/sessions/{session_id}/resources/{resource_id}',
  'DELETE /v1/sessions/{session_id}/resources/{resource_id}',
  'POST /v1/files',
  'GET /v1/files',
  'GET /v1/files/{file_id}',
  'DELETE /v1/files/{file_id}',
] as const satisfies readonly ApiRouteName[];

/** What is asked now and then, by operators and their programs. */
const operator_routes = [
  'GET /v1/environments/{environment_id}',
  'GET /v1/environments',
  'POST /v1/sessions/{session_id}',
  'POST /v1/sessions/{session_id}/archive',
  'POST /v1/sessions/{session_id}/resources/{resource_id}',
  'POST /v1/agents',
  'POST /v1/agents/{agent_id}',
  'POST /v1/agents/{agent_id}/archive',
  'GET /v1/agents/{agent_id}/versions',
  'POST /v1/sessions/{session_id}/threads/{thread_id}/archive',
  'POST /v1/reverie/files/{file_id}/complete',
  'POST /v1/reverie/files',
  'POST /v1/environments',
  'POST /v1/environments/{environment_id}',
  'DELETE /v1/environments/{environment_id}',
  'POST /v1/environments/{environment_id}/archive',
  'GET /v1/reverie/sessions/{session_id}/outcome_evaluations',
  'GET /v1/reverie/sessions/{session_id}/playbook_uses',
  'GET /v1/reverie/agents/{agent_id}/verdicts',
  'GET /v1/reverie/agents/{agent_id}/verdicts/summary',
  'POST /v1/reverie/agents/{agent_id}/outcome_model',
  'GET /v1/reverie/agents/{agent_id}/outcome_model',
  'DELETE /v1/reverie/agents/{agent_id}/outcome_model',
  'GET /v1/reverie/agents/{agent_id}/outcome_model/versions',
  'GET /v1/reverie/sessions/{session_id}/outcome_reports',
  'GET /v1/reverie/sessions/{session_id}/outcome_reports/{outcome_report_id}',
  'POST /v1/reverie/api_keys',
  'GET /v1/reverie/api_keys',
  'GET /v1/reverie/api_keys/{api_key_id}',
  'DELETE /v1/reverie/api_keys/{api_key_id}',
] as const satisfies readonly ApiRouteName[];

export type SessionRoutes = Routes<(typeof session_routes)[number]>;
export type OperatorRoutes = Routes<(typeof operator_routes)[number]>;
