import { readHead as readAgentHead } from '../agents/agents.ts';
import type { Call } from '../core/call.ts';
import { Fault } from '../core/fault.ts';
import { limits } from '../core/limits.ts';
import { decodeCursor, encodeCursor } from '../core/page.ts';
import type { Ports } from '../core/ports.ts';
import { load } from '../core/stored.ts';
import { matches, rangeOf } from './list-verdicts.ts';
import { Tally } from './verdict-statistics.ts';
import { verdictKey, type VerdictKind, type VerdictRow } from './verdict-row.ts';
import type { VerdictSummaryQuery } from './verdict-wire.ts';

type ReadPorts = Pick<Ports, 'table' | 'blobs'>;

/** What one request has looked at, and what it comes to. */
export interface VerdictWindow extends ReturnType<Tally['show']> {
  /** False when there are more verdicts in the range than one request counts. */
  readonly is_complete: boolean;
}

export interface VerdictSummary extends VerdictWindow {
  readonly type: 'verdict_summary';
  readonly agent_id: string;
  readonly kind: VerdictKind;
  /** The summary of the older verdicts that this one has left out. */
  readonly next_page: string | null;
}

export interface VerdictComparison {
  readonly type: 'verdict_comparison';
  readonly agent_id: string;
  readonly kind: VerdictKind;
  readonly split_at: string;
  /** Earlier than `split_at`; of too many, the ones nearest to it. */
  readonly before: VerdictWindow;
  /** At `split_at` or later; of too many, the ones nearest to it. */
  readonly after: VerdictWindow;
}

/**
 * `GET /v1/reverie/agents/{agent_id}/verdicts/summary`: see {@link VerdictSummary}; with `split_at`
 * what was before a time beside what came after it. A request reads about
 * `limits.summary_verdicts_max` verdicts (of each side), newest first, and says where it stopped.
 *
 * @throws Fault `missing`; `invalid` for a cursor of something else
 */
export async function summariseVerdicts(
  ports: ReadPorts,
  call: Call,
  agent_id: string,
  query: VerdictSummaryQuery,
): Promise<VerdictSummary | VerdictComparison> {
  await readAgentHead(ports, call, agent_id);
  const { pk } = verdictKey({ workspace_id: call.workspace_id, agent_id }, '', '');
  const { kind, split_at } = query;
  if (split_at === undefined) return await summary(ports, pk, agent_id, query);
  const [before, after] = await Promise.all([
    count(ports, { ...sideOf(query, 'before', split_at), pk, reverse: true }, query),
    count(ports, { ...sideOf(query, 'after', split_at), pk, reverse: false }, query),
  ]);
  return {
    type: 'verdict_comparison',
    agent_id,
    kind,
    split_at,
    before: before.window,
    after: after.window,
  };
}

async function summary(
  ports: ReadPorts,
  pk: string,
  agent_id: string,
  query: VerdictSummaryQuery,
): Promise<VerdictSummary> {
  const { from, to } = rangeOf(query);
  const cursor = { kind: `verdict_summary/${agent_id}`, order: 'desc', direction: 'next' } as const;
  const after =
    query.page === undefined ? undefined : placeOf(query.page, cursor.kind, { from, to });
  const { window, stopped_at } = await count(ports, { pk, from, to, reverse: true, after }, query);
  const next_page =
    stopped_at === undefined ? null : encodeCursor({ ...cursor, position: stopped_at });
  return { type: 'verdict_summary', agent_id, kind: query.kind, ...window, next_page };
}

/** Where a page ended. @throws Fault `invalid` */
function placeOf(page: string, kind: string, { from, to }: { from: string; to: string }): string {
  const cursor = decodeCursor(page);
  if (cursor.kind === kind && cursor.position >= from && cursor.position <= to) {
    return cursor.position;
  }
  throw new Fault('invalid', 'page: is not a cursor of this summary with these bounds.');
}

/** The range of one side of a split. */
function sideOf(
  query: VerdictSummaryQuery,
  side: 'before' | 'after',
  split_at: string,
): { readonly from: string; readonly to: string } {
  const { 'created_at[lt]': lt, 'created_at[gte]': gte } = query;
  if (side === 'before') {
    const earlier = lt !== undefined && lt < split_at ? lt : split_at;
    return rangeOf({ ...query, 'created_at[lt]': earlier });
  }
  const later = gte !== undefined && gte > split_at ? gte : split_at;
  return rangeOf({ ...query, 'created_at[gte]': later });
}

interface Stretch {
  readonly pk: string;
  readonly from: string;
  readonly to: string;
  readonly reverse: boolean;
  /** The verdict behind which it begins. */
  readonly after?: string | undefined;
}

interface Counted {
  readonly window: VerdictWindow;
  /** The last verdict that was looked at, when there are more behind it. */
  readonly stopped_at: string | undefined;
}

/** Rows of one read: one weighs some 10 kB. */
const ROWS_PER_READ = 100;

async function count(
  ports: ReadPorts,
  { after, ...stretch }: Stretch,
  query: VerdictSummaryQuery,
): Promise<Counted> {
  const until_ms = performance.now() + limits.summary_ms;
  const tally = new Tally();
  let reached = after;
  let more = stretch.from <= stretch.to;
  let seen = 0;
  const isFull = (): boolean =>
    seen >= limits.summary_verdicts_max ||
    tally.criteria_count >= limits.summary_distinct_max ||
    performance.now() > until_ms;
  while (more && !isFull()) {
    const page = await ports.table.query({ ...restOf(stretch, reached), limit: ROWS_PER_READ + 1 });
    const rows = (page.rows as VerdictRow[]).filter(({ sk }) => sk !== reached);
    await take(ports, tally, rows, query);
    seen += rows.length;
    reached = rows.at(-1)?.sk ?? reached;
    more = page.more && rows.length > 0;
  }
  const window = { is_complete: !more, ...tally.show() };
  return { window, stopped_at: more ? reached : undefined };
}

/** What is left of a stretch, the place that was reached included. */
function restOf(stretch: Stretch, reached: string | undefined): Stretch {
  if (reached === undefined) return stretch;
  return stretch.reverse ? { ...stretch, to: reached } : { ...stretch, from: reached };
}

async function take(
  { blobs }: ReadPorts,
  tally: Tally,
  rows: readonly VerdictRow[],
  { kind, agent_version }: VerdictSummaryQuery,
): Promise<void> {
  const wanted = rows.filter((row) => matches(row, { kind, agent_version }));
  const criteria = await Promise.all(wanted.map(async (row) => await load(blobs, row.criteria)));
  for (const [index, row] of wanted.entries()) tally.add(row, criteria[index] ?? []);
}
