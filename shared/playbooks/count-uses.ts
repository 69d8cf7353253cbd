import { limits } from '../core/limits.ts';
import type { Candidate, HeldEvidence } from '../dreams/candidate.ts';
import type { Operation } from '../dreams/operation.ts';
import type { Snapshot } from '../dreams/snapshot.ts';
import { isPlaybookPath, parsePlaybook, renderPlaybook, type Playbook } from './playbook.ts';
import { splitTrailer, withTrailer } from './trailer.ts';

/** A session that has read a playbook, and what became of it: the verdict is the evidence. */
export interface JudgedUse {
  /** In the store that the dream reads, as that is now. */
  readonly path: string;
  readonly session_id: string;
  readonly used_by: Candidate['learned_from'];
  /** The tool call that showed it. */
  readonly event_id: string;
  /** Null where nothing says how the session went after that. */
  readonly verdict: HeldEvidence | null;
}

/** What the uses of a playbook have shown, by its verdict. */
interface Judged extends JudgedUse {
  readonly verdict: HeldEvidence;
}

/**
 * Move the counts of playbooks by what became of the sessions that read them, and retire those that
 * have done more harm than good often enough: on evidence, never on age. No model is asked. A
 * session counts once for a playbook, by its newest verdict: which ones have counted stands in the
 * playbook itself, so whatever is repeated, applied elsewhere or rolled back, text and counts agree.
 */
export function countUses(snapshot: Snapshot, uses: readonly JudgedUse[]): Operation[] {
  return snapshot.memories.flatMap(({ path, text }): Operation[] => {
    const { body, ...trailer } = splitTrailer(text);
    const playbook = isPlaybookPath(path) ? parsePlaybook(body) : { fault: 'no playbook' };
    if ('fault' in playbook) return [];
    const fresh = freshUses(uses, path, playbook);
    if (fresh.length === 0) return [];
    const counted = moved(playbook, fresh);
    const verdicts = fresh.map(({ verdict }) => verdict);
    const common = {
      change_id: '',
      path,
      reason: reasonOf(playbook, counted),
      evidence: verdicts.slice(-limits.evidence_max),
      source: 'counts',
    } as const;
    const { helpful, harmful } = counted.facts;
    const is_harmful =
      harmful >= limits.playbook_harmful_count && harmful > helpful * 2 && isFailing(verdicts);
    if (is_harmful) return [{ ...common, op: 'retire' }];
    const after = withTrailer(renderPlaybook(counted), trailer);
    return [{ ...common, op: 'revise', text: after, removed: [] }];
  });
}

function reasonOf({ facts: before }: Playbook, { facts: after }: Playbook): string {
  const more = `${after.helpful - before.helpful} succeeded, ${after.harmful - before.harmful} failed`;
  return `Of the sessions that read it since, ${more}: now helpful ${after.helpful}, harmful ${after.harmful}.`;
}

/** Each session once, by its newest verdict, in the order of these. */
function freshUses(uses: readonly JudgedUse[], path: string, { facts }: Playbook): Judged[] {
  const of_session = new Map<string, Judged>();
  const judged = uses
    .filter((use): use is Judged => use.path === path && use.verdict !== null)
    .filter(({ session_id }) => !hasCounted(facts.counted_sessions ?? [], session_id))
    .toSorted((a, b) => (a.verdict.at < b.verdict.at ? -1 : 1));
  for (const use of judged) of_session.set(use.session_id, use);
  return [...of_session.values()].toSorted((a, b) => (a.verdict.at < b.verdict.at ? -1 : 1));
}

/**
 * Whether a session stands in the counts. A full list has forgotten older ones: their ids sort below
 * all that it holds, and they pass for counted, since a use that is lost does no harm.
 */
export function hasCounted(counted: readonly string[], session_id: string): boolean {
  if (counted.includes(session_id)) return true;
  return counted.length >= limits.playbook_counted_max && counted.every((id) => session_id < id);
}

function moved({ facts, body }: Playbook, uses: readonly Judged[]): Playbook {
  const good = uses.filter(({ verdict }) => verdict.outcome === 'success');
  const confirmed = [facts.last_confirmed, ...good.map(({ verdict }) => verdict.at)];
  const again = good.findLast(({ used_by }) => used_by.agent_id === facts.learned_from.agent_id);
  const ids = [...(facts.counted_sessions ?? []), ...uses.map(({ session_id }) => session_id)];
  return {
    facts: {
      ...facts,
      learned_from: again?.used_by ?? facts.learned_from,
      helpful: facts.helpful + good.length,
      harmful: facts.harmful + uses.length - good.length,
      last_confirmed: confirmed.toSorted().at(-1) ?? facts.last_confirmed,
      counted_sessions: ids.toSorted().slice(-limits.playbook_counted_max),
    },
    body,
  };
}

/** A playbook that has just helped is not retired for its past. */
function isFailing(verdicts: readonly HeldEvidence[]): boolean {
  return verdicts.at(-1)?.outcome === 'failure';
}
