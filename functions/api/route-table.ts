import { Fault } from '#shared/core/fault.ts';
import type { Ports } from '#shared/core/ports.ts';
import type { ApiRouteName } from '#shared/routes.ts';
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
import type { Route } from './serve.ts';
import { updateAgent } from './update-agent.ts';

const unbuilt: Route = async () => {
  throw new Fault('missing', 'This route is not built yet.');
};

/** The type demands every route of shared/routes.ts: a forgotten one does not compile. */
export function routeTable(ports: Ports): Readonly<Record<ApiRouteName, Route>> {
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
    'POST /v1/sessions': unbuilt,
    'GET /v1/sessions': unbuilt,
    'GET /v1/sessions/{session_id}': unbuilt,
    'POST /v1/sessions/{session_id}': unbuilt,
    'DELETE /v1/sessions/{session_id}': unbuilt,
    'POST /v1/sessions/{session_id}/archive': unbuilt,
    'POST /v1/sessions/{session_id}/events': unbuilt,
    'GET /v1/sessions/{session_id}/events': unbuilt,
    'GET /v1/sessions/{session_id}/threads': unbuilt,
    'GET /v1/sessions/{session_id}/threads/{thread_id}': unbuilt,
    'GET /v1/sessions/{session_id}/threads/{thread_id}/events': unbuilt,
    'POST /v1/reverie/api_keys': createApiKey(ports),
    'GET /v1/reverie/api_keys': listApiKeys(ports),
    'GET /v1/reverie/api_keys/{api_key_id}': readApiKey(ports),
    'DELETE /v1/reverie/api_keys/{api_key_id}': revokeApiKey(ports),
  };
}
