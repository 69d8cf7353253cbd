import pLimit from 'p-limit';
import { limits } from '../../core/limits.ts';
import { load } from '../../core/stored.ts';
import type { SessionEvent } from '../../events/event.ts';
import type { JudgedUse } from '../../playbooks/count-uses.ts';
import { readsOf } from '../../playbooks/list-uses.ts';
import { configKey, type SessionConfig } from '../../sessions/session.ts';
import { timeOf } from '../lines.ts';
import { signs, verdictAfter } from '../use-verdict.ts';
import type { Snapshot } from '../snapshot.ts';
import { readSessions, type GatheredSession } from './gather.ts';
import { reportSigns } from './report-signs.ts';
import { eventsOf } from './session-log.ts';
import type { Work } from './work.ts';

/**
 * The playbooks of the input store that the dream's sessions have read, each with what became of the
 * session after that, and where it stands now: others may have moved it since, and put another in its
 * place, which nobody has read. A session that has read none costs one small query.
 */
export async function readUses(work: Work, { memories }: Snapshot): Promise<JudgedUse[]> {
  const limit = pLimit(limits.copies_parallel_max);
  const sessions = await readSessions(work);
  const paths = new Map(memories.map(({ memory_id, path }) => [memory_id, path]));
  const taken = new Set(paths.values());
  const uses = await Promise.all(
    sessions.map((session) => limit(async () => await usesOf(work, session))),
  );
  return uses.flat().flatMap(({ memory_id, ...use }): JudgedUse[] => {
    const path = paths.get(memory_id);
    if (path === undefined) return taken.has(use.path) ? [] : [use];
    return [{ ...use, path }];
  });
}

type ReadUse = JudgedUse & { readonly memory_id: string };

async function usesOf(
  { ports, head }: Work,
  { session_id, threads }: GatheredSession,
): Promise<ReadUse[]> {
  const { table, blobs } = ports;
  const reads = await readsOf(table, session_id, head.memory_store_id);
  if (reads.length === 0) return [];
  const config = (await table.get(configKey(session_id))) as SessionConfig | undefined;
  // Deleted meanwhile: then there is nobody to speak for it.
  if (config === undefined) return [];
  const { agent_id, agent_version } = config;
  const used_by = { agent_id, agent_version, model: (await load(blobs, config.agent)).model.id };
  const events: SessionEvent[] = [];
  for await (const { event } of eventsOf(ports, threads)) {
    if (signs.has(event.type)) events.push(event);
  }
  const ordered = events.toSorted((a, b) => (timeOf(a) < timeOf(b) ? -1 : 1));
  const reports = await reportSigns(table, session_id);
  return reads.map(({ path, memory_id, event_id, read_at }): ReadUse => {
    const sign = verdictAfter(read_at, ordered, reports);
    const verdict = sign === undefined ? null : { ...sign, session_id };
    return { memory_id, path, session_id, event_id, used_by, verdict };
  });
}
