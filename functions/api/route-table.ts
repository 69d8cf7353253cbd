import type { ApiRouteName } from '#shared/routes.ts';
import type { ArchivePorts } from '#shared/sessions/archive-session.ts';
import type { DeletePorts } from '#shared/sessions/delete-session.ts';
import type { SessionPorts } from '#shared/sessions/session-ports.ts';
import { listAgents } from './list-agents.ts';
import { readAgent } from './read-agent.ts';
import type { Route } from '#shared/door/route.ts';
import { addResource } from './add-resource.ts';
import { createSession } from './create-session.ts';
import { deleteResource } from './delete-resource.ts';
import { deleteSession } from './delete-session.ts';
import { listEvents } from './list-events.ts';
import { listResources } from './list-resources.ts';
import { listSessions } from './list-sessions.ts';
import { listThreads } from './list-threads.ts';
import { readResource } from './read-resource.ts';
import { readSession } from './read-session.ts';
import { readThread } from './read-thread.ts';
import { sendEvents } from './send-events.ts';
import { deleteFile } from './delete-file.ts';
import { listFiles } from './list-files.ts';
import { readFile } from './read-file.ts';
import { uploadFile } from './upload-file.ts';

/** What the routes act upon. */
export type ApiPorts = SessionPorts & DeletePorts & ArchivePorts;

/** The type demands every route of shared/routes.ts: a forgotten one does not compile. */
export function routeTable(ports: ApiPorts): Readonly<Record<ApiRouteName, Route>> {
  return {
    ...laterRoutes(ports),
    'GET /v1/agents': listAgents(ports),
    'GET /v1/agents/{agent_id}': readAgent(ports),
    'POST /v1/sessions': createSession(ports),
    'GET /v1/sessions': listSessions(ports),
    'GET /v1/sessions/{session_id}': readSession(ports),
    'DELETE /v1/sessions/{session_id}': deleteSession(ports),
    'POST /v1/sessions/{session_id}/events': sendEvents(ports),
    'GET /v1/sessions/{session_id}/events': listEvents(ports),
    'POST /v1/sessions/{session_id}/resources': addResource(ports),
    'GET /v1/sessions/{session_id}/resources': listResources(ports),
    'GET /v1/sessions/{session_id}/resources/{resource_id}': readResource(ports),
    'DELETE /v1/sessions/{session_id}/resources/{resource_id}': deleteResource(ports),
    'GET /v1/sessions/{session_id}/threads': listThreads(ports),
    'GET /v1/sessions/{session_id}/threads/{thread_id}': readThread(ports),
    'GET /v1/sessions/{session_id}/threads/{thread_id}/events': listEvents(ports),
    'POST /v1/files': uploadFile(ports),
    'GET /v1/files': listFiles(ports),
    'GET /v1/files/{file_id}': readFile(ports),
    'DELETE /v1/files/{file_id}': deleteFile(ports),
  };
}

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

type OperatorRouteName = (typeof operator_routes)[number];
export type OperatorRoutes = Readonly<Record<OperatorRouteName, Route>>;

/** They are parsed when one of them is first asked for: no part of a cold start. */
function laterRoutes(ports: ApiPorts): OperatorRoutes {
  let loading: Promise<OperatorRoutes> | undefined;
  const routes = operator_routes.map((name): [string, Route] => [
    name,
    async (request) => {
      loading ??= import('./operator-routes.ts').then((module) => module.operatorRoutes(ports));
      return await (await loading)[name](request);
    },
  ]);
  return Object.fromEntries(routes) as OperatorRoutes;
}
