import type { BetaManagedAgentsStreamSessionEvents } from '@anthropic-ai/sdk/resources/beta/sessions/events';
import { invariant } from '../core/invariant.ts';

/** What a stream says: an event of the log or the inbox, or a preview that only streams carry. */
export type StreamEvent = BetaManagedAgentsStreamSessionEvents;

export interface Frame {
  readonly event: StreamEvent;
  /** Given for events of the log: where a reader may ask to continue. */
  readonly resumable: boolean;
}

/**
 * One frame of server-sent events, named by the event's type: who reads frames without an SDK goes by
 * that. JSON holds no line break, so `data` is one line; the SDK skips frames that do not name their
 * event.
 */
export function frameText({ event, resumable }: Frame): string {
  const id = resumable && 'id' in event ? `id: ${oneLine(event.id)}\n` : '';
  return `${id}event: ${oneLine(event.type)}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** Keeps proxies and clients from taking a quiet stream for a dead one. */
export const ping = ': ping\n\n';

/** The first bytes, with which the headers go out. */
export const opening = ': open\n\n';

function oneLine(text: string): string {
  invariant(!/[\r\n]/.test(text), 'a field of a frame is one line');
  return text;
}
