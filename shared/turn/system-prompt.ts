import { playbookSection } from '../playbooks/playbook-section.ts';
import { memorySection } from '../resources/memory-section.ts';
import { mountedLines } from '../resources/prompt-lines.ts';
import type { Resource } from '../resources/resource.ts';
import type { SessionAgent, SessionConfig } from '../sessions/session.ts';

/**
 * What the model is told before the conversation: the agent's own words first, then where it
 * works. The same for every request of a turn, and of a session as long as nothing is mounted or
 * removed, so that the provider's cache holds it.
 */
export function systemPrompt(
  agent: SessionAgent,
  config: SessionConfig,
  resources: readonly Resource[],
): string {
  const own = agent.system === null || agent.system === '' ? [] : [agent.system];
  return [...own, ...workplace(agent, config, resources)].join('\n\n');
}

function workplace(
  agent: SessionAgent,
  { environment }: SessionConfig,
  resources: readonly Resource[],
): string[] {
  const works = agent.tools.some(({ type }) => type === 'agent_toolset_20260401');
  if (!works) return [];
  const network =
    environment.networking.type === 'limited'
      ? 'Commands in the sandbox reach only the hosts that the environment allows.'
      : 'Commands in the sandbox reach public hosts by HTTP and HTTPS.';
  return [
    [
      '<workplace>',
      'You work in a sandbox with a file system that lasts as long as this session. Its shell is a bash interpreter with the usual text tools, jq, sqlite3 and Python 3 (standard library only); other programs cannot be installed.',
      'Files that were given to you are in /mnt/session/uploads. Write what you deliver to /mnt/session/outputs: only files there are handed over.',
      network,
      ...mountedLines(resources),
      '</workplace>',
    ].join('\n'),
    ...memorySection(resources),
    ...playbookSection(resources, agent),
  ];
}
