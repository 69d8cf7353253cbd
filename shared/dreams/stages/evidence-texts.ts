import { primaryThreadId } from '../../core/id.ts';
import type { Ports } from '../../core/ports.ts';
import type { SessionEvent } from '../../events/event.ts';
import { loadEvent, walkLog } from '../../threads/log.ts';
import { textOfEvent } from '../lines.ts';
import type { Operation } from '../operation.ts';
import type { EventText } from '../verify.ts';
import { readSessions } from './gather.ts';
import type { Work } from './work.ts';

/** The events of a session up to a number, in order. */
export async function* eventsOf(
  { table, blobs }: Pick<Ports, 'table' | 'blobs'>,
  session_id: string,
  through: number,
): AsyncGenerator<SessionEvent> {
  if (through === 0) return;
  for await (const page of walkLog(table, primaryThreadId(session_id), { through })) {
    for (const line of page) yield await loadEvent(blobs, line);
  }
}

/** What the events say that operations quote, read from the logs themselves: each log once. */
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
  for (const { session_id, through } of await readSessions(work)) {
    const wanted = quoted.get(session_id);
    if (wanted === undefined) continue;
    for await (const event of eventsOf(work.ports, session_id, through)) {
      if (wanted.has(event.id)) texts.set(`${session_id} ${event.id}`, textOfEvent(event));
    }
  }
  return async (session_id, event_id) => texts.get(`${session_id} ${event_id}`);
}
