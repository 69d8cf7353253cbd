import { createHash } from 'node:crypto';
import type { Key, Row } from '../core/table.ts';
import {
  isPlaybookPath,
  parsePlaybook,
  renderPlaybook,
  type Playbook,
} from '../playbooks/playbook.ts';
import { splitTrailer } from '../playbooks/trailer.ts';

/** `DSCHED#<schedule>` / `F#<store>#<path's hash>`: a copy of a shared playbook in another store. */
export interface CopyRow extends Row {
  readonly memory_store_id: string;
  readonly path: string;
  /** Of what was written there, but for what sessions there move: see {@link coreOf}. */
  readonly core_sha256: string;
}

export function copyKey(schedule_id: string, store_id: string, path: string): Key {
  // A path may fill a sort key by itself.
  const name = createHash('sha256').update(path).digest('hex').slice(0, 32);
  return { pk: `DSCHED#${schedule_id}`, sk: `F#${store_id}#${name}` };
}

/**
 * The copy of a playbook for another store: what to do and when, where it is from, and neither quotes
 * nor ids of sessions, for these are the other agent's own. Its counts begin anew.
 *
 * @returns undefined for what may not leave its store: what is private, no playbook, or itself a copy
 */
export function copyOf(path: string, text: string, store_id: string): Playbook | undefined {
  if (!isPlaybookPath(path)) return undefined;
  const playbook = parsePlaybook(splitTrailer(text).body);
  if ('fault' in playbook) return undefined;
  const { facts, body } = playbook;
  if (facts.scope !== 'shared' || facts.origin !== undefined) return undefined;
  const origin = { memory_store_id: store_id, playbook_id: facts.id };
  const { counted_sessions: _theirs, ...own } = facts;
  return { facts: { ...own, evidence: [], helpful: 0, harmful: 0, origin }, body };
}

/** A copy's text, with the counts that the sessions of its own store have moved. */
export function textOfCopy(copy: Playbook, before: string | undefined): string {
  const own = before === undefined ? undefined : parsePlaybook(splitTrailer(before).body);
  if (own === undefined || 'fault' in own) return renderPlaybook(copy);
  const { helpful, harmful, last_confirmed, counted_sessions } = own.facts;
  return renderPlaybook({
    facts: { ...copy.facts, helpful, harmful, last_confirmed, counted_sessions },
    body: copy.body,
  });
}

/** What of a text is a person's or the origin's: all but counts, evidence and what stands below. */
export function coreOf(text: string): string {
  const playbook = parsePlaybook(splitTrailer(text).body);
  const core =
    'fault' in playbook
      ? text
      : renderPlaybook({
          facts: {
            ...playbook.facts,
            evidence: [],
            helpful: 0,
            harmful: 0,
            last_confirmed: '2000-01-01T00:00:00Z',
            counted_sessions: [],
          },
          body: playbook.body.trimEnd(),
        });
  return createHash('sha256').update(core).digest('hex');
}

export type CopyPlan = 'nothing' | 'create' | 'write' | 'delete' | 'forget' | 'keep';

export interface CopyFacts {
  /** Core of what is wanted there; undefined for nothing. */
  readonly wanted: string | undefined;
  /** Core of what was written there; undefined for never. */
  readonly written: string | undefined;
  /** Core of what is there now; undefined for no memory. */
  readonly found: string | undefined;
  /** Something is in the place, be it a folder. */
  readonly is_taken: boolean;
}

/**
 * What is due of one copy. What others have changed, deleted or put in its place is theirs, and is
 * kept; what nobody has touched follows its original, also when that goes.
 */
export function planCopy({ wanted, written, found, is_taken }: CopyFacts): CopyPlan {
  if (written === undefined) {
    if (wanted === undefined) return 'nothing';
    return is_taken ? 'keep' : 'create';
  }
  if (wanted === undefined) {
    if (found === undefined) return 'forget';
    return found === written ? 'delete' : 'keep';
  }
  if (found !== written) return 'keep';
  return wanted === written ? 'nothing' : 'write';
}
