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
  const call_id = callOf(event);
  const call = call_id === undefined ? {} : { call_id };
  const line = { event_id, thread_id, at, type, speaker: speakerOf(event), ...call };
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

const CALLS = ['tool_use_id', 'mcp_tool_use_id', 'custom_tool_use_id'] as const;

function callOf(event: SessionEvent): string | undefined {
  const fields = event as Partial<Record<(typeof CALLS)[number], string>>;
  return CALLS.map((name) => fields[name]).find((id) => typeof id === 'string');
}

/** What its line says beside its text, what goes without saying, and what teaches nothing. */
const SPOKEN = ['id', 'type', 'processed_at', 'content', ...CALLS];
const APART = new Set<string>([...SPOKEN, 'usage', 'outcome_evaluation_start_id']);

/** What an event says: its words as they stand, and every other field as JSON. */
export function textOfEvent(event: SessionEvent): string {
  const { content } = event as { readonly content?: unknown };
  const rest = Object.entries(event).filter(
    ([name, value]) => !APART.has(name) && !(name === 'is_error' && value === false),
  );
  const facts = JSON.stringify(Object.fromEntries(rest), withoutData);
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
