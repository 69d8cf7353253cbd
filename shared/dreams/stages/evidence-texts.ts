import pLimit from 'p-limit';
import { isId } from '../../core/id.ts';
import { limits } from '../../core/limits.ts';
import { textOfEvent } from '../lines.ts';
import type { Operation } from '../operation.ts';
import type { EventText } from '../verify.ts';
import { readSessions } from './gather.ts';
import { reportTexts } from './report-signs.ts';
import { eventsOf } from './session-log.ts';
import type { Work } from './work.ts';

/** What the events and outcome reports say that operations quote, read where they stand: each log once. */
export async function evidenceTexts(
  work: Work,
  operations: readonly Operation[],
): Promise<EventText> {
  const quoted = new Map<string, Set<string>>();
  for (const { evidence } of operations) {
    for (const { session_id, event_id } of evidence) {
      quoted.set(session_id, (quoted.get(session_id) ?? new Set()).add(event_id));
    }
  }
  const texts = new Map<string, string>();
  const limit = pLimit(limits.copies_parallel_max);
  const read = (await readSessions(work)).map(({ session_id, threads }) =>
    limit(async () => {
      const wanted = quoted.get(session_id);
      if (wanted === undefined) return;
      for await (const { event } of eventsOf(work.ports, threads)) {
        if (wanted.has(event.id)) texts.set(`${session_id} ${event.id}`, textOfEvent(event));
      }
      if (![...wanted].some((id) => isId('outcome_report', id))) return;
      for (const [id, text] of await reportTexts(work.ports.table, session_id)) {
        texts.set(`${session_id} ${id}`, text);
      }
    }),
  );
  await Promise.all(read);
  return async (session_id, event_id) => texts.get(`${session_id} ${event_id}`);
}
