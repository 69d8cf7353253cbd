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
 * One frame of server-sent events. JSON holds no line break, so `data` is one line. What it is stands
 * in there: SDKs skip frames without a name and names that they do not list, and `message` is the one
 * that all list. The type as name would keep session.usage from those of Python, Go and Java, and
 * everything from TypeScript's before 0.89.
 */
export function frameText({ event, resumable }: Frame): string {
  const id = resumable && 'id' in event ? `id: ${oneLine(event.id)}\n` : '';
  return `${id}event: message\ndata: ${JSON.stringify(event)}\n\n`;
}

/** Keeps proxies and clients from taking a quiet stream for a dead one. */
export const ping = ': ping\n\n';

/** The first bytes, with which the headers go out. */
export const opening = ': open\n\n';

function oneLine(text: string): string {
  invariant(!/[\r\n]/.test(text), 'a field of a frame is one line');
  return text;
}
