import type { ApiRouteName } from '#shared/routes.ts';
import type { ArchivePorts } from '#shared/sessions/archive-session.ts';
import type { DeletePorts } from '#shared/sessions/delete-session.ts';
import type { SessionPorts } from '#shared/sessions/session-ports.ts';
import { archiveEnvironment } from './archive-environment.ts';
import { createEnvironment } from './create-environment.ts';
import { listEnvironments } from './list-environments.ts';
import { readEnvironment } from './read-environment.ts';
import { updateEnvironment } from './update-environment.ts';
import { deleteEnvironment } from './delete-environment.ts';
import { archiveAgent } from './archive-agent.ts';
import { createAgent } from './create-agent.ts';
import { createApiKey } from './create-api-key.ts';
import { listAgentVersions } from './list-agent-versions.ts';
import { listAgents } from './list-agents.ts';
import { listApiKeys } from './list-api-keys.ts';
import { readAgent } from './read-agent.ts';
import { readApiKey } from './read-api-key.ts';
import { revokeApiKey } from './revoke-api-key.ts';
import type { Route } from '#shared/door/route.ts';
import { updateAgent } from './update-agent.ts';
import { addResource } from './add-resource.ts';
import { archiveSession } from './archive-session.ts';
import { archiveThread } from './archive-thread.ts';
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
import { updateResource } from './update-resource.ts';
import { updateSession } from './update-session.ts';
import { completeUpload } from './complete-upload.ts';
import { deleteFile } from './delete-file.ts';
import { listEvaluations } from './list-evaluations.ts';
import { listFiles } from './list-files.ts';
import { listVerdicts } from './list-verdicts.ts';
import { summariseVerdicts } from './summarise-verdicts.ts';
import { readFile } from './read-file.ts';
import { startUpload } from './start-upload.ts';
import { uploadFile } from './upload-file.ts';
import { deleteOutcomeModel } from './delete-outcome-model.ts';
import { listOutcomeModelVersions } from './list-outcome-model-versions.ts';
import { listOutcomeReports } from './list-outcome-reports.ts';
import { putOutcomeModel } from './put-outcome-model.ts';
import { readOutcomeModel } from './read-outcome-model.ts';
import { readOutcomeReport } from './read-outcome-report.ts';

/** What the routes act upon. */
export type ApiPorts = SessionPorts & DeletePorts & ArchivePorts;

/** The type demands every route of shared/routes.ts: a forgotten one does not compile. */
export function routeTable(ports: ApiPorts): Readonly<Record<ApiRouteName, Route>> {
  return {
    'POST /v1/agents': createAgent(ports),
    'GET /v1/agents': listAgents(ports),
    'GET /v1/agents/{agent_id}': readAgent(ports),
    'POST /v1/agents/{agent_id}': updateAgent(ports),
    'POST /v1/agents/{agent_id}/archive': archiveAgent(ports),
    'GET /v1/agents/{agent_id}/versions': listAgentVersions(ports),
    'POST /v1/environments': createEnvironment(ports),
    'GET /v1/environments': listEnvironments(ports),
    'GET /v1/environments/{environment_id}': readEnvironment(ports),
    'POST /v1/environments/{environment_id}': updateEnvironment(ports),
    'DELETE /v1/environments/{environment_id}': deleteEnvironment(ports),
    'POST /v1/environments/{environment_id}/archive': archiveEnvironment(ports),
    'POST /v1/sessions': createSession(ports),
    'GET /v1/sessions': listSessions(ports),
    'GET /v1/sessions/{session_id}': readSession(ports),
    'POST /v1/sessions/{session_id}': updateSession(ports),
    'DELETE /v1/sessions/{session_id}': deleteSession(ports),
    'POST /v1/sessions/{session_id}/archive': archiveSession(ports),
    'POST /v1/sessions/{session_id}/events': sendEvents(ports),
    'GET /v1/sessions/{session_id}/events': listEvents(ports),
    'POST /v1/sessions/{session_id}/resources': addResource(ports),
    'GET /v1/sessions/{session_id}/resources': listResources(ports),
    'GET /v1/sessions/{session_id}/resources/{resource_id}': readResource(ports),
    'POST /v1/sessions/{session_id}/resources/{resource_id}': updateResource(ports),
    'DELETE /v1/sessions/{session_id}/resources/{resource_id}': deleteResource(ports),
    'GET /v1/sessions/{session_id}/threads': listThreads(ports),
    'GET /v1/sessions/{session_id}/threads/{thread_id}': readThread(ports),
    'POST /v1/sessions/{session_id}/threads/{thread_id}/archive': archiveThread(ports),
    'GET /v1/sessions/{session_id}/threads/{thread_id}/events': listEvents(ports),
    'GET /v1/reverie/sessions/{session_id}/outcome_evaluations': listEvaluations(ports),
    'GET /v1/reverie/agents/{agent_id}/verdicts': listVerdicts(ports),
    'GET /v1/reverie/agents/{agent_id}/verdicts/summary': summariseVerdicts(ports),
    'POST /v1/files': uploadFile(ports),
    'GET /v1/files': listFiles(ports),
    'GET /v1/files/{file_id}': readFile(ports),
    'DELETE /v1/files/{file_id}': deleteFile(ports),
    'POST /v1/reverie/files': startUpload(ports),
    'POST /v1/reverie/files/{file_id}/complete': completeUpload(ports),
    'POST /v1/reverie/agents/{agent_id}/outcome_model': putOutcomeModel(ports),
    'GET /v1/reverie/agents/{agent_id}/outcome_model': readOutcomeModel(ports),
    'DELETE /v1/reverie/agents/{agent_id}/outcome_model': deleteOutcomeModel(ports),
    'GET /v1/reverie/agents/{agent_id}/outcome_model/versions': listOutcomeModelVersions(ports),
    'GET /v1/reverie/sessions/{session_id}/outcome_reports': listOutcomeReports(ports),
    'GET /v1/reverie/sessions/{session_id}/outcome_reports/{outcome_report_id}':
      readOutcomeReport(ports),
    'POST /v1/reverie/api_keys': createApiKey(ports),
    'GET /v1/reverie/api_keys': listApiKeys(ports),
    'GET /v1/reverie/api_keys/{api_key_id}': readApiKey(ports),
    'DELETE /v1/reverie/api_keys/{api_key_id}': revokeApiKey(ports),
  };
}
