import { descriptionIn } from '../outcomes/words.ts';
import { resourcesOf } from '../resources/read-resources.ts';
import type { MemoryResource } from '../resources/resource.ts';
import type { Turn } from './turn.ts';

/**
 * Before a session's first model request: choose the playbooks of its stores that fit what it was
 * asked. From then on they stand with the stores, so every prompt has the same ones; a session
 * without stores, or whose agent cannot read files, pays nothing for it.
 */
export async function takePlaybooks(turn: Turn): Promise<void> {
  const open = openStores(turn);
  const reads = turn.agent.tools.some(({ type }) => type === 'agent_toolset_20260401');
  if (open.length === 0 || !reads) return;
  await turn.sync();
  const { user_texts, task } = turn.context.conversation;
  const asked = [...user_texts, ...(task === undefined ? [] : [descriptionIn(task)])].join('\n');
  const { offerPlaybooks } = await import('../playbooks/offer-playbooks.ts');
  const offer = { agent_id: turn.agent.id, asked };
  const offered =
    (await offerPlaybooks(turn.ports, open, offer)) ??
    // Another invocation came first, or a store was taken away.
    (await resourcesOf(turn.ports.table, turn.config));
  for (const resource of offered) turn.replaceResource(resource);
}

function openStores({ resources }: Turn): MemoryResource[] {
  return resources.filter(
    (one): one is MemoryResource => one.type === 'memory_store' && one.playbooks === undefined,
  );
}
