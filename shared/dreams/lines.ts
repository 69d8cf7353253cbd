import { limits } from '../core/limits.ts';
import type { SessionEvent } from '../events/event.ts';
import type { PieceLine, Speaker } from './piece.ts';

/** Events that say nothing but that the platform works; to read them would cost as much as words. */
const SILENT = new Set<string>([
  'agent.thinking',
  'session.status_idle',
  'session.status_running',
  'session.thread_status_idle',
  'session.thread_status_running',
  'session.usage',
  'span.model_request_end',
  'span.model_request_start',
]);

/**
 * An event as reflection reads it: one line, several ordered ones where it is long, and none where it
 * has nothing to say.
 */
export function linesOf(thread_id: string, event: SessionEvent): PieceLine[] {
  const { id: event_id, type } = event;
  if (SILENT.has(type)) return [];
  const at = timeOf(event);
  const text = textOfEvent(event);
  const line = { event_id, thread_id, at, type, speaker: speakerOf(event) };
  const parts = partsOf(text, limits.piece_line_chars_max);
  if (parts.length === 1) return [{ ...line, text }];
  return parts.map((part, index) => ({
    ...line,
    part: { n: index + 1, of: parts.length },
    text: part,
  }));
}

export function timeOf(event: SessionEvent): string {
  return ('processed_at' in event ? event.processed_at : undefined) ?? '';
}

const STRANGERS = new Set<string>([
  'agent.tool_result',
  'agent.mcp_tool_result',
  'user.tool_result',
  'user.custom_tool_result',
]);

/** Results are strangers' words, whoever has sent them. */
export function speakerOf({ type }: SessionEvent): Speaker {
  if (STRANGERS.has(type)) return 'tool';
  if (type.startsWith('user.') || type === 'system.message') return 'user';
  if (type.startsWith('agent.')) return 'agent';
  return type.startsWith('span.outcome_evaluation') ? 'grader' : 'platform';
}

/** What an event says: its words as they stand, and every other field as JSON. */
export function textOfEvent(event: SessionEvent): string {
  const {
    id: _,
    type: __,
    processed_at: ___,
    ...fields
  } = event as SessionEvent & {
    readonly processed_at?: string;
  };
  const { content, ...rest } = fields as { readonly content?: unknown };
  const facts = JSON.stringify(rest, withoutData);
  const text = [facts === '{}' ? '' : facts, wordsOf(content)].filter((part) => part !== '');
  // An interrupt says nothing but that it is one.
  return text.length === 0 && event.type.startsWith('user.')
    ? JSON.stringify({ type: event.type })
    : text.join('\n');
}

function wordsOf(content: unknown): string {
  if (content === undefined || content === null) return '';
  if (!Array.isArray(content)) return JSON.stringify(content, withoutData);
  return content
    .map((block: { readonly type?: unknown; readonly text?: unknown }) =>
      block.type === 'text' && typeof block.text === 'string'
        ? block.text
        : JSON.stringify(block, withoutData),
    )
    .join('\n');
}

/** An image is no text, and megabytes of it would be read as such. */
function withoutData(key: string, value: unknown): unknown {
  return key === 'data' && typeof value === 'string' && /^[\w+/=-]{200,}$/.test(value)
    ? `[${value.length} characters of base64]`
    : value;
}

function partsOf(text: string, chars_max: number): string[] {
  const parts: string[] = [];
  let start = 0;
  while (text.length - start > chars_max) {
    let end = start + chars_max;
    if (/[\uD800-\uDBFF]/.test(text[end - 1] ?? '')) end -= 1;
    parts.push(text.slice(start, end));
    start = end;
  }
  return [...parts, text.slice(start)];
}
