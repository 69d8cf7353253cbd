import { parsePlaybook } from '../playbooks/playbook.ts';
import { splitTrailer } from '../playbooks/trailer.ts';
import type { HeldEvidence } from './candidate.ts';
import type { SnapshotMemory } from './snapshot.ts';

/**
 * How new what a memory says is: of the newest evidence behind it, where code has noted any, since a
 * dream writes long after its sessions; else of its last change. What people wrote is as new as that.
 */
export function believedAt({ text, updated_at, by_hand }: SnapshotMemory): string {
  if (by_hand) return updated_at;
  const { body, sources } = splitTrailer(text);
  const days = sources.flatMap((source) => /\(([\d-]+T[\d:.]+Z)\)$/.exec(source)?.[1] ?? []);
  const playbook = parsePlaybook(body);
  const confirmed = 'fault' in playbook ? [] : [playbook.facts.last_confirmed];
  return [...days, ...confirmed].toSorted().at(-1) ?? updated_at;
}

/** Empty when there is none. */
export function newestOf(evidence: readonly HeldEvidence[]): string {
  return evidence.reduce((newest, { at }) => (at > newest ? at : newest), '');
}
