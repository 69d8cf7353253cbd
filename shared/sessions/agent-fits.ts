import { agentsOf } from '../agents/resolve-agent.ts';
import { Fault } from '../core/fault.ts';
import { limits } from '../core/limits.ts';
import type { SessionAgent, SessionEnvironment } from './session.ts';

/**
 * Whether a session can run this agent and its team in this environment.
 * @throws Fault `invalid` when they are too large to be shown, or may not reach their MCP servers
 */
export function checkFits(agent: SessionAgent, { networking }: SessionEnvironment): void {
  if (Buffer.byteLength(JSON.stringify(agent)) > limits.agent_bytes_max) {
    throw new Fault(
      'invalid',
      `agent: is more than ${limits.agent_bytes_max} bytes of JSON, with the agents that it may start. Shorten system prompts and tools' schemas.`,
    );
  }
  if (networking.type === 'unrestricted' || networking.allow_mcp_servers) return;
  const servers = agentsOf(agent).flatMap(({ mcp_servers }) => mcp_servers);
  const closed = servers.find(({ url }) => !allows(networking.allowed_hosts, url));
  if (closed === undefined) return;
  throw new Fault(
    'invalid',
    `agent: the environment does not allow the host of MCP server '${closed.name}'. Add it to allowed_hosts, or set allow_mcp_servers.`,
  );
}

/** `*.example.com` stands for every host below, not for example.com itself. */
function allows(hosts: readonly string[], url: string): boolean {
  const { hostname } = new URL(url);
  return hosts.some((text) => {
    const host = text.toLowerCase();
    return host.startsWith('*.') ? hostname.endsWith(host.slice(1)) : host === hostname;
  });
}
