import type { Blobs } from '../core/blobs.ts';
import { limits } from '../core/limits.ts';
import type { Table } from '../core/table.ts';
import type { SessionEvent } from '../events/event.ts';
import { loadEvent, walkLog } from '../threads/log.ts';
import { countedTypes, FactCounter, type SessionFacts } from './facts.ts';

/** An event as a report's grader sees it. */
export interface StoryLine {
  readonly event_id: string;
  readonly type: string;
  readonly at: string;
  readonly tool?: string;
  readonly is_error?: boolean;
  readonly result?: string;
  /** The user's words, or the agent's last. */
  readonly text?: string;
}

/** What a report's grader is told of how a session went. */
export interface Story {
  readonly lines: readonly StoryLine[];
  /** Lines that had no room. */
  readonly left_out_count: number;
  readonly facts: SessionFacts;
}

/**
 * Read how a session went, up to the event at which the reported run came to rest. What a report
 * may see of it, and what not:
 * - what the user said: messages, outcomes' descriptions, refusals of calls. It is the task, and a
 *   correction tells more than any count;
 * - of tools: which were called, when, and whether it failed. Not their input and not their output:
 *   what is in there is the agent's own account of its work;
 * - of the agent's words: its last message, as a thing handed over, to be checked like a file;
 * - never: its thinking, its words on the way, what earlier graders and reports have said.
 */
export async function readStory(
  { table, blobs }: { readonly table: Table; readonly blobs: Blobs },
  { thread_id, idle_event_id }: { readonly thread_id: string; readonly idle_event_id: string },
): Promise<Story> {
  const counter = new FactCounter();
  const lines: StoryLine[] = [];
  let last: StoryLine | undefined;
  walk: for await (const page of walkLog(table, thread_id)) {
    for (const line of page) {
      if (readTypes.has(line.type)) {
        const event = await loadEvent(blobs, line);
        counter.add(event);
        const told = storyLine(event, counter);
        if (line.type === 'agent.message') last = told;
        else if (told !== undefined) lines.push(told);
      }
      if (line.id === idle_event_id) break walk;
    }
  }
  const whole = last === undefined ? lines : [...lines, last];
  return { ...fitting(whole), facts: counter.facts() };
}

type Told = Omit<StoryLine, 'event_id' | 'type' | 'at'>;

type Tell<T extends SessionEvent['type']> = (
  event: Extract<SessionEvent, { type: T }>,
  counter: FactCounter,
) => Told | undefined;

/** What each type of event tells; the others have no line. */
const tellers: { readonly [T in SessionEvent['type']]?: Tell<T> } = {
  'user.message': ({ content }) => ({ text: beginningOf(wordsOf(content), MESSAGE_CHARS) }),
  'user.define_outcome': ({ description }) => ({ text: beginningOf(description, MESSAGE_CHARS) }),
  'user.tool_confirmation': ({ result, deny_message }) => ({ result, text: deny_message ?? '' }),
  'user.interrupt': () => ({}),
  'agent.message': ({ content }) => ({ text: beginningOf(wordsOf(content), LAST_CHARS) }),
  'agent.tool_use': ({ name }) => ({ tool: name }),
  'agent.custom_tool_use': ({ name }) => ({ tool: name }),
  'agent.mcp_tool_use': ({ name }) => ({ tool: name }),
  'agent.tool_result': ({ tool_use_id, is_error }, counter) =>
    failureOf(counter.toolOf(tool_use_id), is_error),
  'agent.mcp_tool_result': ({ mcp_tool_use_id, is_error }, counter) =>
    failureOf(counter.toolOf(mcp_tool_use_id), is_error),
  'user.custom_tool_result': ({ custom_tool_use_id, is_error }, counter) =>
    failureOf(counter.toolOf(custom_tool_use_id), is_error),
  'agent.thread_context_compacted': () => ({}),
  'session.error': ({ error }) => ({ result: error.type }),
  'session.status_rescheduled': () => ({}),
  'session.status_idle': ({ stop_reason }) => ({ result: stop_reason.type }),
  'span.outcome_evaluation_end': ({ result }) => ({ result }),
};

const readTypes: ReadonlySet<string> = new Set([...countedTypes, ...Object.keys(tellers)]);

function storyLine(event: SessionEvent, counter: FactCounter): StoryLine | undefined {
  // The key and the event are of one type, which an indexed record cannot say.
  const tell = tellers[event.type] as Tell<SessionEvent['type']> | undefined;
  const told = tell?.(event, counter);
  if (told === undefined) return undefined;
  return { event_id: event.id, type: event.type, at: event.processed_at ?? '', ...told };
}

const MESSAGE_CHARS = 4_000;
const LAST_CHARS = 20_000;

/** That a call went well is said by there being no line that it failed. */
function failureOf(
  tool: string | undefined,
  is_error: boolean | null | undefined,
): Told | undefined {
  return is_error === true ? { tool: tool ?? '', is_error } : undefined;
}

function wordsOf(content: readonly object[]): string {
  return content.flatMap((block) => ('text' in block ? [String(block.text)] : [])).join('\n');
}

function beginningOf(text: string, chars_max: number): string {
  if (text.length <= chars_max) return text;
  return `${text.slice(0, chars_max)}… [${text.length - chars_max} more characters]`;
}

/** What has room: first calls of tools are left out, the oldest first; then the oldest of the rest. */
function fitting(lines: readonly StoryLine[]): Omit<Story, 'facts'> {
  const sizes = new Map(lines.map((line) => [line, JSON.stringify(line).length + 1]));
  let chars = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  const minor = lines.filter(({ tool, is_error }) => tool !== undefined && is_error !== true);
  // The first is what was asked, the last what was answered.
  const others = lines.slice(1, -1).filter((line) => !minor.includes(line));
  const left_out = new Set<StoryLine>();
  for (const line of [...minor, ...others]) {
    if (chars <= limits.report_story_chars_max) break;
    chars -= sizes.get(line) ?? 0;
    left_out.add(line);
  }
  return { lines: lines.filter((line) => !left_out.has(line)), left_out_count: left_out.size };
}
