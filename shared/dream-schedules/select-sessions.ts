import { listKeys } from '../core/listing.ts';
import { limits } from '../core/limits.ts';
import type { Ports } from '../core/ports.ts';
import type { Row } from '../core/table.ts';
import { outcomesOf, type OutcomeResult } from '../outcomes/outcome.ts';
import { agentPartition } from '../sessions/new-session.ts';
import {
  configKey,
  sessionKey,
  type SessionConfig,
  type SessionHead,
} from '../sessions/session.ts';
import { dreamtKey, type DreamtRow } from './dreamt.ts';
import type { ScheduleHead, SessionChoice } from './schedule.ts';

export interface Selected {
  /** The newest first. */
  readonly session_ids: readonly string[];
  /** Sessions that did not fit: at least so many. */
  readonly left_count: number;
}

/** A session, and what is known of its being dreamt. */
export interface Candidate {
  readonly session: SessionHead;
  readonly config: SessionConfig;
  /** When it was last dreamt into the store; undefined for never. */
  readonly dreamt_at: string | undefined;
}

/** Sessions that say `dreaming: off` in their metadata are never dreamt. */
const OPT_OUT = { name: 'dreaming', value: 'off' } as const;

const DAY_MS = 86_400_000;
const SCAN_ROWS = 100;

/** The sessions of a run, the newest first, as many as one dream reads; the rest is counted. */
export async function selectSessions(ports: Ports, head: ScheduleHead): Promise<Selected> {
  const { sessions: choice, workspace_id } = head;
  const pk =
    choice.agent_id === null
      ? listKeys(workspace_id, 'session', { id: '', created_at: '' }).gsi1pk
      : agentPartition(workspace_id, choice.agent_id);
  const now_ms = ports.clock.now().getTime();
  const from = new Date(now_ms - choice.max_age_days * DAY_MS).toISOString();
  const found: string[] = [];
  let to = '~';
  for (let scanned = 0; scanned < limits.schedule_scan_max;) {
    const range = { from, to, reverse: true, limit: SCAN_ROWS };
    const page = await ports.table.query({ pk, index: 'list', ...range });
    const fresh = page.rows.filter((row) => String(row['gsi1sk']) !== to);
    found.push(...(await wantedOf(ports, head, fresh)));
    scanned += page.rows.length;
    to = String(page.rows.at(-1)?.['gsi1sk']);
    // One page beyond is enough to say that there are more.
    if (!page.more || fresh.length === 0 || found.length > limits.dream_sessions_max) break;
  }
  const session_ids = found.slice(0, limits.dream_sessions_max);
  return { session_ids, left_count: found.length - session_ids.length };
}

async function wantedOf(
  ports: Ports,
  { memory_store_id, sessions: choice }: ScheduleHead,
  rows: readonly Row[],
): Promise<string[]> {
  const candidates = (await readCandidates(ports, memory_store_id, rows)).filter((candidate) =>
    isChosen(candidate, choice),
  );
  const { outcome_results } = choice;
  if (outcome_results === null) return candidates.map(({ session }) => session.session_id);
  const results = await Promise.all(
    candidates.map(async ({ session }) => await lastResult(ports, session)),
  );
  return candidates.flatMap(({ session }, index) => {
    const result = results[index];
    return result !== undefined && outcome_results.includes(result) ? [session.session_id] : [];
  });
}

async function readCandidates(
  { table }: Ports,
  store_id: string,
  rows: readonly Row[],
): Promise<Candidate[]> {
  const ids = rows.map(({ pk }) => pk.slice('SESSION#'.length));
  const keys = ids.flatMap((id) => [sessionKey(id), configKey(id), dreamtKey(store_id, id)]);
  const read = new Map((await table.getMany(keys)).map((row) => [`${row.pk} ${row.sk}`, row]));
  const at = ({ pk, sk }: { pk: string; sk: string }): Row | undefined => read.get(`${pk} ${sk}`);
  return ids.flatMap((id): Candidate[] => {
    const session = at(sessionKey(id)) as SessionHead | undefined;
    const config = at(configKey(id)) as SessionConfig | undefined;
    const dreamt = at(dreamtKey(store_id, id)) as DreamtRow | undefined;
    if (session === undefined || config === undefined) return [];
    return [{ session, config, dreamt_at: dreamt?.dreamt_at }];
  });
}

/** All that is asked of a session but its outcome. */
export function isChosen(
  { session, config, dreamt_at }: Candidate,
  choice: SessionChoice,
): boolean {
  if (session.deleted_at !== null || config.dream_id !== undefined) return false;
  if (config.metadata[OPT_OUT.name] === OPT_OUT.value) return false;
  if (!choice.statuses.includes(session.status)) return false;
  // It has never worked: there is nothing to read.
  if (session.ended_at === null && session.running_since === null) return false;
  return !choice.only_new || dreamt_at === undefined || (session.ended_at ?? '~') > dreamt_at;
}

async function lastResult(
  ports: Ports,
  { session_id, outcomes_count }: SessionHead,
): Promise<OutcomeResult | undefined> {
  const outcomes = await outcomesOf(ports, session_id, outcomes_count);
  return outcomes.at(-1)?.result as OutcomeResult | undefined;
}
