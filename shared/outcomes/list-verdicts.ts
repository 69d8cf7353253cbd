import { readHead as readAgentHead } from '../agents/agents.ts';
import type { Call } from '../core/call.ts';
import { Fault } from '../core/fault.ts';
import { parseId } from '../core/id.ts';
import { positionsWithin } from '../core/listing.ts';
import { forwardOnly, readPage, type Page } from '../core/page.ts';
import type { Ports } from '../core/ports.ts';
import type { Table } from '../core/table.ts';
import { readHead } from '../sessions/read-session.ts';
import { kindOf, showVerdict, type VerdictView } from './show-verdict.ts';
import {
  verdictKey,
  verdictPointerKey,
  type VerdictPointer,
  type VerdictRow,
} from './verdict-row.ts';
import type { EvaluationListQuery, VerdictListQuery } from './verdict-wire.ts';

type ReadPorts = Pick<Ports, 'table' | 'blobs'>;

/** Candidates of one read when a filter may leave most of them out. */
const SCAN_ROWS = 100;

/** Sort keys of a session's pointers begin with this, and go on with the verdict's own place. */
const POINTER = verdictPointerKey('', '', '').sk.slice(0, -'#'.length);

/**
 * `GET /v1/reverie/sessions/{session_id}/outcome_evaluations`, oldest first unless asked otherwise:
 * the evaluations that have a verdict. One that runs, or was interrupted, stands in the log alone.
 *
 * @throws Fault `missing`; `invalid` for a cursor that does not fit
 */
export async function listEvaluations(
  ports: ReadPorts,
  call: Call,
  session_id: string,
  { limit, page, order }: EvaluationListQuery,
): Promise<Page<VerdictView>> {
  await readHead(ports.table, call, session_id);
  const { pk } = verdictPointerKey(session_id, '', '');
  const request = { kind: `evaluations/${session_id}`, order, limit, page, ...positionsWithin({}) };
  const read = await readPage(request, async ({ from, to, ...stretch }) => {
    const { rows, more } = await ports.table.query({
      ...stretch,
      pk,
      from: POINTER + from,
      to: POINTER + to,
    });
    const verdicts = await verdictsOf(ports.table, rows as VerdictPointer[]);
    const shown = new Map<string, VerdictView>();
    for (const verdict of await Promise.all(
      verdicts
        .filter((row) => kindOf(row) === 'outcome')
        .map(async (row) => await showVerdict(ports.blobs, row)),
    )) {
      shown.set(verdict.id, verdict);
    }
    const entries = rows.map(({ sk }) => {
      const position = sk.slice(POINTER.length);
      return { position, item: shown.get(idOf(position)) };
    });
    return { entries, more };
  });
  return forwardOnly(read);
}

async function verdictsOf(
  table: Table,
  pointers: readonly VerdictPointer[],
): Promise<VerdictRow[]> {
  const rows = await table.getMany(
    pointers.map(({ verdict_pk, verdict_sk }) => ({ pk: verdict_pk, sk: verdict_sk })),
  );
  return rows as VerdictRow[];
}

/** `<time>#<id>`. */
function idOf(position: string): string {
  return position.slice(position.indexOf('#') + 1);
}

/**
 * `GET /v1/reverie/agents/{agent_id}/verdicts`, newest first unless asked otherwise. A request looks
 * at `page_scan_max` verdicts or a few more, so with filters a page may be short and still have a next one.
 *
 * @throws Fault `missing`; `invalid` for a cursor that does not fit
 */
export async function listVerdicts(
  ports: ReadPorts,
  call: Call,
  agent_id: string,
  query: VerdictListQuery,
): Promise<Page<VerdictView>> {
  await readAgentHead(ports, call, agent_id);
  const { pk } = verdictKey({ workspace_id: call.workspace_id, agent_id }, '', '');
  const { limit, page, order } = query;
  const { from, to } = rangeOf(query);
  const request = { kind: `verdicts/${agent_id}`, order, limit, page, from, to };
  const read = await readPage(request, async (stretch) => {
    const rows_max = filters(query) ? Math.max(stretch.limit, SCAN_ROWS) : stretch.limit;
    const { rows, more } = await ports.table.query({ ...stretch, pk, limit: rows_max });
    const entries = (rows as VerdictRow[]).map(async (row) => ({
      position: row.sk,
      item: matches(row, query) ? await showVerdict(ports.blobs, row) : undefined,
    }));
    return { entries: await Promise.all(entries), more };
  });
  return forwardOnly(read);
}

function filters({ agent_version, kind, result, session_id }: VerdictListQuery): boolean {
  return [agent_version, kind, result, session_id].some((one) => one !== undefined);
}

type Range = Pick<
  VerdictListQuery,
  'created_at[gt]' | 'created_at[gte]' | 'created_at[lt]' | 'created_at[lte]'
>;

/** The places of verdicts within a range of times. */
export function rangeOf(range: Range): { readonly from: string; readonly to: string } {
  return positionsWithin({
    gt: range['created_at[gt]'],
    gte: range['created_at[gte]'],
    lt: range['created_at[lt]'],
    lte: range['created_at[lte]'],
  });
}

export function matches(
  row: VerdictRow,
  { agent_version, kind, result, session_id }: Partial<VerdictListQuery>,
): boolean {
  if (agent_version !== undefined && row.agent_version !== agent_version) return false;
  if (kind !== undefined && kindOf(row) !== kind) return false;
  if (result !== undefined && row.result !== result) return false;
  return session_id === undefined || row.session_id === session_id;
}

/** What the stream function answers with. */
export interface GradeTranscript {
  readonly headers: Readonly<Record<string, string>>;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/**
 * `GET /v1/reverie/sessions/{session_id}/outcome_evaluations/{evaluation_id}/transcript`: what the
 * grader was asked, said and was told, a line of JSON each.
 *
 * @throws Fault `missing`, also for an evaluation without a verdict
 */
export async function readGradeTranscript(
  { table, blobs }: ReadPorts,
  call: Call,
  session_id: string,
  evaluation_id: string,
): Promise<GradeTranscript> {
  await readHead(table, call, session_id);
  const id = parseId('event', evaluation_id);
  const pointer = await pointerOf(table, session_id, id);
  const [verdict] = pointer === undefined ? [] : await verdictsOf(table, [pointer]);
  if (verdict === undefined) {
    throw new Fault('missing', `Session ${session_id} has no verdict on evaluation ${id}.`);
  }
  return {
    headers: { 'content-type': 'application/x-ndjson' },
    chunks: blobs.read(verdict.transcript_key),
  };
}

/** Pointers are small and sorted by time, which the id alone does not tell. */
async function pointerOf(
  table: Table,
  session_id: string,
  id: string,
): Promise<VerdictPointer | undefined> {
  const { pk } = verdictPointerKey(session_id, '', '');
  for (let from = POINTER; ;) {
    const { rows, more } = await table.query({ pk, from, to: `${POINTER}~` });
    const found = rows.find(({ sk }) => idOf(sk.slice(POINTER.length)) === id);
    if (found !== undefined) return found as VerdictPointer;
    const last = rows.at(-1);
    if (!more || last === undefined) return undefined;
    from = `${last.sk}!`;
  }
}
