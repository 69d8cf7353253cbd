import type { PlaybookFacts } from './playbook.ts';

/** A playbook as a session was offered it: kept, so that its prompts are the same from then on. */
export interface OfferedPlaybook extends Pick<
  PlaybookFacts,
  'title' | 'situation' | 'scope' | 'learned_from' | 'helpful' | 'harmful' | 'last_confirmed'
> {
  readonly memory_id: string;
  readonly memory_version_id: string;
  /** In its store. */
  readonly path: string;
  readonly steps: string;
  /** Whether `steps` is only how they begin. */
  readonly is_cut: boolean;
  readonly offered_at: string;
}

/** Who works with playbooks: the agent of a thread. */
export interface PlaybookReader {
  readonly id: string;
  readonly version: number;
  readonly model: { readonly id: string };
}

/** A private playbook is for the agent that it was learned from, a shared one for every agent. */
export function isFor(
  { scope, learned_from }: Pick<PlaybookFacts, 'scope' | 'learned_from'>,
  agent_id: string,
): boolean {
  return scope === 'shared' || learned_from.agent_id === agent_id;
}

/** Why a playbook calls for a new look; undefined where it was learned under the same conditions. */
export function revalidationOf(
  { learned_from }: Pick<PlaybookFacts, 'learned_from'>,
  { id, version, model }: PlaybookReader,
): string | undefined {
  const differences = [
    ...(learned_from.agent_id === id ? [] : ['another agent']),
    ...(learned_from.agent_id === id && learned_from.agent_version !== version
      ? [`version ${learned_from.agent_version} of this agent, which is now at ${version}`]
      : []),
    ...(learned_from.model === model.id ? [] : [`the model ${learned_from.model}`]),
  ];
  return differences.length === 0 ? undefined : `learned with ${differences.join(' and ')}`;
}
