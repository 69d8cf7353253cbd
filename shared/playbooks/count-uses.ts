import { limits } from '../core/limits.ts';
import type { HeldEvidence } from '../dreams/candidate.ts';
import type { Operation } from '../dreams/operation.ts';
import type { Snapshot } from '../dreams/snapshot.ts';
import { isPlaybookPath, parsePlaybook, renderPlaybook, type Playbook } from './playbook.ts';
import { splitTrailer, withTrailer } from './trailer.ts';

/** A session that had a playbook before it, and what became of it: the verdict is the evidence. */
export interface PlaybookUse {
  readonly path: string;
  readonly verdict: HeldEvidence;
}

/**
 * Move the counts of playbooks by what became of the sessions that used them, and retire those that
 * have done more harm than good often enough: on evidence, never on age. No model is asked. A
 * session counts once for a playbook, by its newest verdict.
 */
export function countUses(snapshot: Snapshot, uses: readonly PlaybookUse[]): Operation[] {
  return snapshot.memories.flatMap(({ path, text }): Operation[] => {
    const { body, ...trailer } = splitTrailer(text);
    const playbook = isPlaybookPath(path) ? parsePlaybook(body) : { fault: 'no playbook' };
    const verdicts = verdictsOf(uses, path);
    if ('fault' in playbook || verdicts.length === 0) return [];
    const counted = moved(playbook, verdicts);
    const { helpful, harmful } = counted.facts;
    const common = {
      change_id: '',
      path,
      reason: `Sessions that used it: ${helpful} succeeded, ${harmful} failed.`,
      evidence: verdicts.slice(-limits.evidence_max),
      source: 'counts',
    } as const;
    const is_harmful =
      harmful >= limits.playbook_harmful_count && harmful > helpful * 2 && isFailing(verdicts);
    if (is_harmful) return [{ ...common, op: 'retire' }];
    const after = withTrailer(renderPlaybook(counted), trailer);
    return [{ ...common, op: 'revise', text: after, removed: [] }];
  });
}

function verdictsOf(uses: readonly PlaybookUse[], path: string): HeldEvidence[] {
  const of_session = new Map<string, HeldEvidence>();
  const ordered = uses
    .filter((use) => use.path === path && use.verdict.outcome !== 'unknown')
    .map(({ verdict }) => verdict)
    .toSorted((a, b) => (a.at < b.at ? -1 : 1));
  for (const verdict of ordered) of_session.set(verdict.session_id, verdict);
  return [...of_session.values()];
}

function moved({ facts, body }: Playbook, verdicts: readonly HeldEvidence[]): Playbook {
  const good = verdicts.filter(({ outcome }) => outcome === 'success');
  const confirmed = [facts.last_confirmed, ...good.map(({ at }) => at)].toSorted().at(-1);
  return {
    facts: {
      ...facts,
      helpful: facts.helpful + good.length,
      harmful: facts.harmful + verdicts.length - good.length,
      last_confirmed: confirmed ?? facts.last_confirmed,
    },
    body,
  };
}

/** A playbook that has just helped is not retired for its past. */
function isFailing(verdicts: readonly HeldEvidence[]): boolean {
  return verdicts.at(-1)?.outcome === 'failure';
}
