import { Fault } from '../core/fault.ts';
import type { Ports } from '../core/ports.ts';
import type { Row, Table } from '../core/table.ts';
import { dreamObject, type DreamHead } from '../dreams/dream.ts';
import type { Operation } from '../dreams/operation.ts';
import type { Snapshot } from '../dreams/snapshot.ts';
import { changesOf, type Change } from './change.ts';
import {
  reviewKey,
  type ApplyRow,
  type DecisionRow,
  type Outcome,
  type PartRow,
  type ReviewRow,
} from './review-rows.ts';

/**
 * The changes of a dream by their ids, in order; none unless it has completed, or was stopped amid its writes
 * into its own store: what it had written is to be taken back like anything else.
 *
 * @param known Its snapshot, where the caller has it. @default - it is read
 */
export async function readChanges(
  { blobs }: Pick<Ports, 'blobs'>,
  { dream_id, status, unwritten }: DreamHead,
  known?: Snapshot,
): Promise<Map<string, Change>> {
  if (status !== 'completed' && unwritten === undefined) return new Map();
  const read = async (name: string): Promise<unknown> =>
    JSON.parse(Buffer.from(await blobs.get(dreamObject(dream_id, name))).toString('utf8'));
  const [snapshot, verified] = await Promise.all([
    known ?? read('snapshot.json'),
    read('verified.json'),
  ]);
  const { operations } = verified as { readonly operations: readonly Operation[] };
  const changes = changesOf(operations, snapshot as Snapshot);
  return new Map(changes.map((change) => [change.operation.change_id, change]));
}

/** An apply with what has become of its changes so far. */
export interface Apply {
  readonly row: ApplyRow;
  /** By change, the newest. */
  readonly outcomes: ReadonlyMap<string, Outcome>;
}

/** All that operators have done with a dream. */
export interface Review {
  readonly decisions: ReadonlyMap<string, DecisionRow>;
  readonly decisions_count: number;
  readonly applies_count: number;
  /** The oldest first. */
  readonly applies: readonly Apply[];
}

/**
 * The counters are read first: whoever writes under the condition that they are still so has seen
 * every decision and every apply.
 */
export async function readReview(table: Table, dream_id: string): Promise<Review> {
  const { pk } = reviewKey(dream_id);
  const row = (await table.get(reviewKey(dream_id))) as ReviewRow | undefined;
  const [decisions, applies] = await Promise.all([
    rowsOf(table, pk, 'C#'),
    rowsOf(table, pk, 'A#'),
  ]);
  return {
    decisions: new Map((decisions as DecisionRow[]).map((each) => [each.change_id, each])),
    decisions_count: row?.decisions_count ?? 0,
    applies_count: row?.applies_count ?? 0,
    applies: appliesOf(applies as (ApplyRow | PartRow)[]),
  };
}

async function rowsOf(table: Table, pk: string, prefix: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (let from = prefix; ;) {
    const page = await table.query({ pk, from, to: `${prefix}~` });
    rows.push(...page.rows);
    const last = page.rows.at(-1);
    if (!page.more || last === undefined) return rows;
    from = `${last.sk}!`;
  }
}

/** A part's key begins with that of its apply, so parts follow it, in the order of what they did. */
function appliesOf(rows: readonly (ApplyRow | PartRow)[]): Apply[] {
  const applies: { readonly row: ApplyRow; readonly outcomes: Map<string, Outcome> }[] = [];
  for (const row of rows) {
    if (!isPart(row)) applies.push({ row, outcomes: new Map() });
    else for (const one of row.outcomes) applies.at(-1)?.outcomes.set(one.change_id, one);
  }
  return applies;
}

function isPart(row: ApplyRow | PartRow): row is PartRow {
  return 'outcomes' in row;
}

/** What has become of one change: a rollback that met a conflict leaves it what it was. */
export function isApplied(outcome: Outcome | undefined): boolean {
  return outcome?.outcome === 'applied' || outcome?.outcome === 'rollback_conflict';
}

/** The changes that an apply has in its store, or is about to have. */
export function heldBy({ row, outcomes }: Apply): Set<string> {
  const held = [...outcomes.keys()].filter((id) => isApplied(outcomes.get(id)));
  const coming = row.state === 'applying' ? row.change_ids.slice(row.reached) : [];
  return new Set([...held, ...coming]);
}

/** @throws Fault `missing` */
export async function readApply(table: Table, dream_id: string, apply_id: string): Promise<Apply> {
  const { applies } = await readReview(table, dream_id);
  const apply = applies.find(({ row }) => row.apply_id === apply_id);
  if (apply === undefined) throw new Fault('missing', `apply '${apply_id}' was not found.`);
  return apply;
}
