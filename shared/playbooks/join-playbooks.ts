import { limits } from '../core/limits.ts';
import type { PlaybookFacts } from './playbook.ts';

type Counts = Pick<PlaybookFacts, 'helpful' | 'harmful' | 'counted_sessions'>;

/** What sessions have shown of playbooks that become one. */
export function joinedCounts(known: readonly PlaybookFacts[]): Counts {
  const counted = known.flatMap(({ counted_sessions = [] }) => counted_sessions);
  return {
    helpful: known.reduce((sum, { helpful }) => sum + helpful, 0),
    harmful: known.reduce((sum, { harmful }) => sum + harmful, 0),
    counted_sessions: [...new Set(counted)].toSorted().slice(-limits.playbook_counted_max),
  };
}

/** The first of playbooks with the same words, with what was learned of all of them. */
export function joinedFacts(first: PlaybookFacts, others: readonly PlaybookFacts[]): PlaybookFacts {
  const all = [first, ...others];
  const evidence = new Map(
    all.flatMap((facts) => facts.evidence.map((each) => [JSON.stringify(each), each] as const)),
  );
  return {
    ...first,
    ...joinedCounts(all),
    evidence: [...evidence.values()].slice(-limits.evidence_max),
    last_confirmed:
      all
        .map(({ last_confirmed }) => last_confirmed)
        .toSorted()
        .at(-1) ?? first.last_confirmed,
  };
}

/** Whom playbooks must have in common to become one: what is private to several agents cannot be one's. */
export function ownerOf({ scope, learned_from, origin }: PlaybookFacts): string {
  const agent_id = scope === 'private' ? learned_from.agent_id : null;
  return JSON.stringify([scope, agent_id, origin?.memory_store_id ?? null]);
}
