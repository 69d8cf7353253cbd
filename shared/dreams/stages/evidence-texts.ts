import pLimit from 'p-limit';
import { isId } from '../../core/id.ts';
import { limits } from '../../core/limits.ts';
import type { HeldEvidence } from '../candidate.ts';
import { speakerOf, textOfEvent } from '../lines.ts';
import type { Operation } from '../operation.ts';
import { Repeats } from '../repeats.ts';
import type { Proposed } from '../verify.ts';
import { readSessions } from './gather.ts';
import { reportTexts } from './report-signs.ts';
import { eventsOf } from './session-log.ts';
import type { Work } from './work.ts';

/**
 * What the events and outcome reports say that operations quote, read where they stand, and whom these quotes
 * repeat: each log once.
 */
export async function evidenceTexts(
  work: Work,
  operations: readonly Operation[],
): Promise<Pick<Proposed, 'eventText' | 'repeated'>> {
  const all = operations.flatMap(({ evidence }) => evidence);
  const quoted = Map.groupBy(all, ({ session_id }) => session_id);
  const texts = new Map<string, string>();
  const repeats = new Map<string, Repeats>();
  const limit = pLimit(limits.copies_parallel_max);
  const read = (await readSessions(work)).map(({ session_id, threads }) =>
    limit(async () => {
      const evidence = quoted.get(session_id);
      if (evidence === undefined) return;
      const wanted = new Set(evidence.map(({ event_id }) => event_id));
      const heard = new Repeats(evidence);
      repeats.set(session_id, heard);
      for await (const { event } of eventsOf(work.ports, threads)) {
        const speaker = speakerOf(event);
        if (!wanted.has(event.id) && !heard.heeds(speaker)) continue;
        const text = textOfEvent(event);
        heard.hear(speaker, text);
        if (wanted.has(event.id)) texts.set(`${session_id} ${event.id}`, text);
      }
      if (![...wanted].some((id) => isId('outcome_report', id))) return;
      for (const [id, text] of await reportTexts(work.ports.table, session_id)) {
        texts.set(`${session_id} ${id}`, text);
      }
    }),
  );
  await Promise.all(read);
  return {
    eventText: async (session_id, event_id) => texts.get(`${session_id} ${event_id}`),
    repeated: (evidence: HeldEvidence) => repeats.get(evidence.session_id)?.of(evidence),
  };
}
