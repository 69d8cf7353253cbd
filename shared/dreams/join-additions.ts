import { limits } from '../core/limits.ts';
import { isPlaybookPath } from '../playbooks/playbook.ts';
import { splitTrailer, withTrailer } from '../playbooks/trailer.ts';
import type { HeldEvidence } from './candidate.ts';
import type { Operation } from './operation.ts';

/**
 * Two revisions of one note that only add to what stands there, as one that adds both. Groups of lessons
 * are asked about apart, so each may add to the same memory and neither know of the other.
 *
 * @param was The note as both have read it.
 * @returns undefined where they are not such: then the first has the memory
 */
export function joinAdditions(
  was: string,
  first: Operation,
  second: Operation,
): Operation | undefined {
  if (first.op !== 'revise' || second.op !== 'revise') return undefined;
  if (first.path !== second.path || isPlaybookPath(first.path)) return undefined;
  const before = splitTrailer(was).body.trimEnd();
  const [one, two] = [splitTrailer(first.text), splitTrailer(second.text)];
  const adds = [one, two].every(({ body }) => body.startsWith(`${before}\n`));
  if (!adds || first.removed.length + second.removed.length > 0) return undefined;
  const added = two.body.slice(before.length).trim();
  const body = one.body.includes(added) ? one.body : `${one.body.trimEnd()}\n${added}`;
  return {
    ...first,
    reason: `${first.reason} ${second.reason}`,
    evidence: both(first.evidence, second.evidence),
    text: withTrailer(body, {
      sources: [...one.sources, ...two.sources],
      history: [...one.history, ...two.history],
    }),
  };
}

/** Of each as much as there is place for: what either adds must stay proven. */
export function both(one: readonly HeldEvidence[], two: readonly HeldEvidence[]): HeldEvidence[] {
  const half = Math.floor(limits.evidence_max / 2);
  const of_one = one.slice(0, Math.max(half, limits.evidence_max - two.length));
  return [...of_one, ...two.slice(0, limits.evidence_max - of_one.length)];
}
