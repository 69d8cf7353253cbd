import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../core/backoff.ts';
import { limits } from '../core/limits.ts';
import { mayHoldHandwriting } from '../memory/by-hand.ts';
import type { MemoryOperation } from '../memory/changes.ts';
import type { MemoryPorts } from '../memory/memory-ports.ts';
import type { MemoryRow } from '../memory/memory.ts';
import { actorOf } from '../memory/memories.ts';
import { readMemories, textOf } from '../memory/read-store.ts';
import { splitOperations } from '../memory/split.ts';
import { writeMemories } from '../memory/write-memories.ts';
import { isPlaybookPath, parsePlaybook } from '../playbooks/playbook.ts';
import { splitTrailer } from '../playbooks/trailer.ts';
import { refreshIndex } from '../reviews/refresh-index.ts';
import type { Retained } from './run.ts';
import { callOf, type Retention, type ScheduleHead } from './schedule.ts';

type Retired = Pick<Retained, 'notes_retired_count' | 'playbooks_retired_count'>;

const DAY_MS = 86_400_000;

/**
 * Retire what was learned and has neither been confirmed nor changed for as many days as the operator
 * has chosen: as deletions by the schedule, of which the versions stay. What a person has written in is
 * never retired, whoever wrote there later. Conditional on what was read; runs twice: the second finds
 * nothing left.
 */
export async function retain(ports: MemoryPorts, head: ScheduleHead): Promise<Retired> {
  const { retention, memory_store_id: store_id, workspace_id } = head;
  if (retention.notes_days === null && retention.playbooks_days === null) return none;
  const call = callOf(head);
  const batch = { store_id, workspace_id, actor: actorOf(call) };
  const retired: string[] = [];
  for (let attempt = 1; attempt <= limits.memory_attempts_max; attempt++) {
    const old = await oldMemories(ports, store_id, retention);
    const operations = old.map((before): MemoryOperation => ({ kind: 'delete', before }));
    let is_stale = false;
    for (const together of splitOperations(operations)) {
      const result = await writeMemories(ports, { ...batch, operations: together });
      if (result.outcome === 'stale') is_stale = true;
      else retired.push(...result.changes.flatMap(({ before }) => before?.sk ?? []));
    }
    if (!is_stale) break;
    await sleep(backoffMs(attempt));
  }
  if (retired.length > 0) await refreshIndex(ports, call, store_id);
  const playbooks_retired_count = retired.filter(isPlaybookPath).length;
  return {
    playbooks_retired_count,
    notes_retired_count: retired.length - playbooks_retired_count,
  };
}

const none: Retired = { notes_retired_count: 0, playbooks_retired_count: 0 };

async function oldMemories(
  { table, blobs, clock }: MemoryPorts,
  store_id: string,
  retention: Retention,
): Promise<MemoryRow[]> {
  const now_ms = clock.now().getTime();
  const old: MemoryRow[] = [];
  for (const row of await readMemories(table, store_id)) {
    const days = daysOf(row.sk, retention);
    if (days === null) continue;
    const before = new Date(now_ms - days * DAY_MS).toISOString();
    // Changed since: it need not be read.
    if (row.updated_at >= before) continue;
    const confirmed_at = confirmedAt(row.sk, await textOf(blobs, row.content));
    if (confirmed_at === undefined || confirmed_at >= before) continue;
    if (!(await mayHoldHandwriting(table, row))) old.push(row);
  }
  return old;
}

function daysOf(path: string, { notes_days, playbooks_days }: Retention): number | null {
  if (isPlaybookPath(path)) return playbooks_days;
  return path.startsWith('/notes/') ? notes_days : null;
}

/**
 * When sessions last spoke for what a memory says.
 *
 * @returns undefined for one that no dream has learned
 */
export function confirmedAt(path: string, text: string): string | undefined {
  const { body, sources } = splitTrailer(text);
  if (!isPlaybookPath(path)) {
    // `sesn_…/sevt_… (2026-11-20T…)`
    const times = sources.map((source) => /\((\d{4}-\d{2}-\d{2}[^)]*)\)$/.exec(source)?.[1] ?? '');
    return times.toSorted().at(-1);
  }
  const playbook = parsePlaybook(body);
  if ('fault' in playbook || playbook.facts.evidence.length === 0) return undefined;
  return playbook.facts.last_confirmed;
}
