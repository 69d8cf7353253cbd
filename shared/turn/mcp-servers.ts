import { newId } from '../core/id.ts';
import type { Line } from '../events/event.ts';
import type { ThreadHead } from '../threads/thread.ts';
import type { Turn } from './turn.ts';

/**
 * Say once a run of each MCP server of the agent that it is not connected: an agent without the tools
 * that it was given must not look like one that had no use for them. The turn goes on without.
 */
export async function tellServers(turn: Turn): Promise<void> {
  const { mcp_servers } = turn.agent;
  if (mcp_servers.length === 0 || isTold(turn.head)) return;
  const logged = await turn.writer.append((head) => {
    if (isTold(head)) return { lines: [] };
    const lines = mcp_servers.map(({ name }) => errorLine(name));
    return { lines, patch: { servers_told_run: head.run } };
  });
  turn.context.take(logged);
}

function isTold({ run, servers_told_run }: ThreadHead): boolean {
  return servers_told_run === run;
}

function errorLine(mcp_server_name: string): Line {
  const error = {
    type: 'mcp_connection_failed_error' as const,
    mcp_server_name,
    message: `MCP servers are not connected here yet, so the tools of '${mcp_server_name}' are left out.`,
    retry_status: { type: 'retrying' as const },
  };
  return { event: { id: newId('event'), type: 'session.error', error } };
}
