import { archiveAgent } from './archive-agent.ts';
import { archiveEnvironment } from './archive-environment.ts';
import { createAgent } from './create-agent.ts';
import { createApiKey } from './create-api-key.ts';
import { createEnvironment } from './create-environment.ts';
import { deleteEnvironment } from './delete-environment.ts';
import { deleteOutcomeModel } from './delete-outcome-model.ts';
import { listApiKeys } from './list-api-keys.ts';
import { listEvaluations } from './list-evaluations.ts';
import { listOutcomeModelVersions } from './list-outcome-model-versions.ts';
import { listOutcomeReports } from './list-outcome-reports.ts';
import { listPlaybookUses } from './list-playbook-uses.ts';
import { listVerdicts } from './list-verdicts.ts';
import { putOutcomeModel } from './put-outcome-model.ts';
import { readApiKey } from './read-api-key.ts';
import { readOutcomeModel } from './read-outcome-model.ts';
import { readOutcomeReport } from './read-outcome-report.ts';
import { revokeApiKey } from './revoke-api-key.ts';
import { summariseVerdicts } from './summarise-verdicts.ts';
import { updateAgent } from './update-agent.ts';
import { updateSession } from './update-session.ts';
import { archiveSession } from './archive-session.ts';
import { updateResource } from './update-resource.ts';
import { updateEnvironment } from './update-environment.ts';
import { startUpload } from './start-upload.ts';
import { completeUpload } from './complete-upload.ts';
import { archiveThread } from './archive-thread.ts';
import { listAgentVersions } from './list-agent-versions.ts';
import { listEnvironments } from './list-environments.ts';
import { readEnvironment } from './read-environment.ts';
import type { ApiPorts, OperatorRoutes } from './route-table.ts';

/** Routes that are loaded when they are first asked for: see the route table. */
export function operatorRoutes(ports: ApiPorts): OperatorRoutes {
  return {
    'GET /v1/environments/{environment_id}': readEnvironment(ports),
    'GET /v1/environments': listEnvironments(ports),
    'POST /v1/sessions/{session_id}': updateSession(ports),
    'POST /v1/sessions/{session_id}/archive': archiveSession(ports),
    'POST /v1/sessions/{session_id}/resources/{resource_id}': updateResource(ports),
    'POST /v1/agents': createAgent(ports),
    'POST /v1/agents/{agent_id}': updateAgent(ports),
    'POST /v1/agents/{agent_id}/archive': archiveAgent(ports),
    'GET /v1/agents/{agent_id}/versions': listAgentVersions(ports),
    'POST /v1/sessions/{session_id}/threads/{thread_id}/archive': archiveThread(ports),
    'POST /v1/reverie/files/{file_id}/complete': completeUpload(ports),
    'POST /v1/reverie/files': startUpload(ports),
    'POST /v1/environments/{environment_id}/archive': archiveEnvironment(ports),
    'POST /v1/reverie/api_keys': createApiKey(ports),
    'POST /v1/environments': createEnvironment(ports),
    'DELETE /v1/environments/{environment_id}': deleteEnvironment(ports),
    'DELETE /v1/reverie/agents/{agent_id}/outcome_model': deleteOutcomeModel(ports),
    'GET /v1/reverie/api_keys': listApiKeys(ports),
    'GET /v1/reverie/sessions/{session_id}/outcome_evaluations': listEvaluations(ports),
    'GET /v1/reverie/agents/{agent_id}/outcome_model/versions': listOutcomeModelVersions(ports),
    'GET /v1/reverie/sessions/{session_id}/outcome_reports': listOutcomeReports(ports),
    'GET /v1/reverie/sessions/{session_id}/playbook_uses': listPlaybookUses(ports),
    'GET /v1/reverie/agents/{agent_id}/verdicts': listVerdicts(ports),
    'POST /v1/reverie/agents/{agent_id}/outcome_model': putOutcomeModel(ports),
    'GET /v1/reverie/api_keys/{api_key_id}': readApiKey(ports),
    'GET /v1/reverie/agents/{agent_id}/outcome_model': readOutcomeModel(ports),
    'GET /v1/reverie/sessions/{session_id}/outcome_reports/{outcome_report_id}':
      readOutcomeReport(ports),
    'DELETE /v1/reverie/api_keys/{api_key_id}': revokeApiKey(ports),
    'GET /v1/reverie/agents/{agent_id}/verdicts/summary': summariseVerdicts(ports),
    'POST /v1/environments/{environment_id}': updateEnvironment(ports),
  };
}
