import type {
  BetaContentBlockParam,
  BetaMessageParam,
  BetaToolResultBlockParam,
} from '@anthropic-ai/sdk/resources/beta/messages/messages';
import { feedbackText, taskText } from '../outcomes/words.ts';
import type {
  Carried,
  Hidden,
  HiddenResult,
  LoggedEvent,
  SessionEvent,
  SessionEventType,
} from '../events/event.ts';

/** The model's view of a thread, folded from its log one event at a time, in order. */
export interface Conversation {
  messages: BetaMessageParam[];
  /** The model's own id of each tool call, by the event that shows it. */
  tool_use_ids: Map<string, string>;
  /** Input of each tool call, by its event. */
  inputs: Map<string, unknown>;
  /** Texts of the user: the only intent that an `auto` permission may see. */
  user_texts: string[];
  /** What the next request begins with: it came while another one was under way. */
  pending: BetaContentBlockParam[];
  /** The task that the thread works for: it outlives a compaction. */
  task: string | undefined;
}

export function newConversation(): Conversation {
  return {
    messages: [],
    tool_use_ids: new Map(),
    inputs: new Map(),
    user_texts: [],
    pending: [],
    task: undefined,
  };
}

type Fold<T extends SessionEventType> = (
  conversation: Conversation,
  event: Extract<SessionEvent, { type: T }>,
  hidden: Hidden,
) => void;

/**
 * What each event adds. Types that are not named add nothing: spans, statuses, thinking (its raw
 * form comes with the end of its span), the message's text (likewise).
 */
const folds: { readonly [T in SessionEventType]?: Fold<T> } = {
  'user.message': (conversation, { content }) => {
    conversation.messages.push({ role: 'user', content: blocksOf(content) });
    conversation.user_texts.push(...textsOf(content));
  },
  'system.message': ({ messages }, { content }) => {
    messages.push({ role: 'system', content: blocksOf(content) as never });
  },
  'user.define_outcome': (conversation, event) => {
    conversation.task = taskText(event);
    conversation.pending.push({ type: 'text', text: conversation.task });
  },
  'span.outcome_evaluation_end': (conversation, event) => {
    const text = feedbackText(event);
    if (text !== undefined) conversation.pending.push({ type: 'text', text });
    if (event.result !== 'needs_revision') conversation.task = undefined;
  },
  'span.model_request_start': ({ messages, pending }) => {
    if (pending.length > 0) messages.push({ role: 'user', content: pending.splice(0) });
  },
  'agent.tool_use': call,
  'agent.mcp_tool_use': call,
  'agent.custom_tool_use': call,
  'agent.tool_result': (conversation, event) => answer(conversation, event.tool_use_id, event),
  'agent.mcp_tool_result': (conversation, event) =>
    answer(conversation, event.mcp_tool_use_id, event),
  'user.custom_tool_result': (conversation, event) =>
    answer(conversation, event.custom_tool_use_id, event),
  'span.model_request_end': ({ messages }, _event, { assistant = [], results = [] }) => {
    if (assistant.length === 0) return;
    messages.push({ role: 'assistant', content: assistant as BetaContentBlockParam[] });
    if (results.length > 0) messages.push({ role: 'user', content: results.map(resultBlock) });
  },
  'agent.thread_message_received': (conversation, event, { result }) => {
    // What its client may not see stands behind the event.
    if (result !== undefined) return answer(conversation, result.event_id, { ...event, ...result });
    conversation.pending.push(...messageBlocks(event));
  },
  'session.thread_created': (conversation, event, { consult }) => {
    if (consult === undefined) return;
    conversation.tool_use_ids.set(event.id, consult.tool_use_id);
    conversation.inputs.set(event.id, consult);
  },
  'session.thread_status_terminated': (conversation, _event, { result }) => {
    if (result !== undefined) answer(conversation, result.event_id, result);
  },
  'agent.thread_context_compacted': (conversation, _event, { summary = '', carried }) => {
    if (carried !== undefined) carryInto(conversation, carried);
    const { task, pending } = conversation;
    const is_told = task === undefined || pending.some((block) => isText(block, task));
    const blocks = is_told ? summaryBlocks(summary) : [...summaryBlocks(summary), textBlock(task)];
    // Open calls never stand across a compaction, so their ids need not either.
    conversation.messages = [{ role: 'user', content: blocks }];
    conversation.tool_use_ids.clear();
    conversation.inputs.clear();
  },
};

/** What a compaction must write beside its summary: whoever reads the log later begins at it. */
export function carriedOf({ task, user_texts, pending }: Conversation): Carried {
  return { ...(task === undefined ? {} : { task }), user_texts, pending };
}

/** What came while the summary was made stands in the conversation already. */
function carryInto(conversation: Conversation, { task, user_texts, pending }: Carried): void {
  conversation.task ??= task;
  conversation.user_texts = [...user_texts, ...conversation.user_texts];
  conversation.pending = [...(pending as BetaContentBlockParam[]), ...conversation.pending];
}

function isText(block: BetaContentBlockParam, text: string): boolean {
  return block.type === 'text' && block.text === text;
}

/**
 * Add one event. It changes the conversation in place: copying it at each of thousands of events
 * would cost more than everything else.
 */
export function fold(conversation: Conversation, { event, hidden }: LoggedEvent): void {
  // The key and the event are of one type, which an indexed record cannot say.
  const add = folds[event.type] as
    | ((c: Conversation, e: SessionEvent, h: Hidden) => void)
    | undefined;
  add?.(conversation, event, hidden);
}

function call(
  { tool_use_ids, inputs }: Conversation,
  event: { id: string; input: unknown },
  hidden: Hidden,
): void {
  // A child's call, shown here for a client to answer: its result is not this thread's either.
  if (hidden.tool_use_id === undefined) return;
  tool_use_ids.set(event.id, hidden.tool_use_id);
  inputs.set(event.id, event.input);
}

/** What stands last in a conversation of what its agent has said. */
export function lastSaid({ messages }: Conversation): readonly BetaContentBlockParam[] {
  const last = messages.findLast(({ role }) => role === 'assistant');
  if (last === undefined || typeof last.content === 'string') return [];
  return (last.content ?? []).filter(({ type }) => type === 'text');
}

type Received = Extract<SessionEvent, { type: 'agent.thread_message_received' }>;

/** A report says whose it is; what a child is told by whoever started it is its task, word for word. */
function messageBlocks(event: Received): BetaContentBlockParam[] {
  const { from_agent_name, from_session_thread_id } = event;
  const content = blocksOf(event.content);
  if (from_agent_name == null) return content;
  const from = JSON.stringify({ agent: from_agent_name, thread_id: from_session_thread_id });
  return [textBlock(`Message from an agent of yours: ${from}`), ...content];
}

function resultBlock({ tool_use_id, text, is_error }: HiddenResult): BetaToolResultBlockParam {
  const content = [{ type: 'text' as const, text }];
  return { type: 'tool_result', tool_use_id, content, ...(is_error ? { is_error } : {}) };
}

function textBlock(text: string): BetaContentBlockParam {
  return { type: 'text', text };
}

/** Only what a tool's answer has in common. */
interface Answer {
  readonly content?: unknown;
  readonly is_error?: boolean | null;
}

function answer(conversation: Conversation, event_id: string, result: Answer): void {
  const tool_use_id = conversation.tool_use_ids.get(event_id);
  // It is a child's, or stands before the compaction that took it out of the context.
  if (tool_use_id === undefined) return;
  const block: BetaToolResultBlockParam = {
    type: 'tool_result',
    tool_use_id,
    content: blocksOf(result.content) as NonNullable<BetaToolResultBlockParam['content']>,
    ...(result.is_error === true ? { is_error: true } : {}),
  };
  conversation.messages.push({ role: 'user', content: [block] });
}

function summaryBlocks(summary: string): BetaContentBlockParam[] {
  return [
    {
      type: 'text',
      text: `The conversation so far was too long to keep word for word. This is its summary; go on from here.\n\n<summary>\n${summary}\n</summary>`,
    },
  ];
}

/** Blocks as the Messages API takes them: nulls that only the events' wire form carries go away. */
function blocksOf(content: unknown): BetaContentBlockParam[] {
  if (!Array.isArray(content)) return [];
  return content.map((block) => withoutNulls(block) as BetaContentBlockParam);
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) =>
      inner === null ? [] : [[key, withoutNulls(inner)]],
    ),
  );
}

function textsOf(content: readonly { type: string }[]): string[] {
  return content.flatMap((block) => ('text' in block ? [String(block.text)] : []));
}
