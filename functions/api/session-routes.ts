import { addResource } from './add-resource.ts';
import { createSession } from './create-session.ts';
import { deleteFile } from './delete-file.ts';
import { deleteResource } from './delete-resource.ts';
import { deleteSession } from './delete-session.ts';
import { listAgents } from './list-agents.ts';
import { listFiles } from './list-files.ts';
import { listResources } from './list-resources.ts';
import { listSessions } from './list-sessions.ts';
import { readAgent } from './read-agent.ts';
import { readFile } from './read-file.ts';
import { readResource } from './read-resource.ts';
import { uploadFile } from './upload-file.ts';
import type { ApiPorts, SessionRoutes } from './route-table.ts';

/** Routes that are loaded when they are first asked for: see the route table. */
export function sessionRoutes(ports: ApiPorts): SessionRoutes {
  return {
    'GET /v1/agents': listAgents(ports),
    'GET /v1/agents/{agent_id}': readAgent(ports),
    'POST /v1/sessions': createSession(ports),
    'GET /v1/sessions': listSessions(ports),
    'DELETE /v1/sessions/{session_id}': deleteSession(ports),
    'POST /v1/sessions/{session_id}/resources': addResource(ports),
    'GET /v1/sessions/{session_id}/resources': listResources(ports),
    'GET /v1/sessions/{session_id}/resources/{resource_id}': readResource(ports),
    'DELETE /v1/sessions/{session_id}/resources/{resource_id}': deleteResource(ports),
    'POST /v1/files': uploadFile(ports),
    'GET /v1/files': listFiles(ports),
    'GET /v1/files/{file_id}': readFile(ports),
    'DELETE /v1/files/{file_id}': deleteFile(ports),
  };
}
