import type {
  BetaContentBlock,
  BetaToolUseBlock,
} from '@anthropic-ai/sdk/resources/beta/messages/messages';
import type { BetaManagedAgentsAgentToolEvaluation } from '@anthropic-ai/sdk/resources/beta/sessions/events';
import { newId } from '../core/id.ts';
import { limits } from '../core/limits.ts';
import { errorResult } from '../events/call-lines.ts';
import type { Line } from '../events/event.ts';
import { shownUsage, type ModelReply } from '../models/model.ts';
import { policyOf } from '../permissions/policy.ts';
import { callKey, type CallRow } from '../sessions/session.ts';
import { planCalls, writesOf, type CallsPlan } from '../team/plan-calls.ts';
import { prepareCall, teamToolOf, type TeamCall } from '../team/prepare-calls.ts';
import { mountsOf } from '../resources/resource.ts';
import { rosterOf } from '../team/roster.ts';
import { isChild } from '../threads/team.ts';
import type { OpenCall, ThreadHead, Usage } from '../threads/thread.ts';
import { charged } from './charged.ts';
import { andRest } from './and-rest.ts';
import { merge } from './change.ts';
import { endTurn } from './ending.ts';
import { offeredTools } from './offered-tools.ts';
import type { EventIds } from './request.ts';
import type { Turn } from './turn.ts';
import type { Change, Other } from '../threads/change.ts';

/** A call of the reply with what was decided about it. */
interface JudgedBlock {
  readonly block: BetaToolUseBlock;
  readonly event_id: string;
  readonly permission: 'custom' | 'allow' | 'ask' | 'deny';
  readonly evaluation?: BetaManagedAgentsAgentToolEvaluation;
  readonly usage: Partial<Usage>;
  /** What the model is told of a call that is not run for another reason than its permission. */
  readonly not_run?: string;
}

/** Write a whole reply down: its events, its calls, and the end of its span, at once. */
export async function takeReply(
  turn: Turn,
  heard: ModelReply,
  ids: EventIds,
  signal: AbortSignal,
): Promise<void> {
  // With a call that was cut its turn would end in silence: it stands there, and is answered.
  const reply =
    heard.cut === undefined ? heard : { ...heard, content: [...heard.content, heard.cut] };
  const asked = await teamCalls(turn, reply);
  const judged = await judgeCalls(turn, { reply, ids, asked }, signal);
  const usage = judged.reduce(
    (sum, { usage: more }) => addPartial(sum, more),
    turn.charge(reply.usage, reply.speed),
  );
  turn.ports.observe({
    type: 'model_request',
    usage: reply.usage,
    cost_microcents: usage.cost_microcents ?? null,
  });
  foresee(turn, judged);
  const logged = await turn.writer.append((head) => {
    const at = turn.ports.clock.now().toISOString();
    const plan = planCalls(head, rosterOf(turn.agent), asked, at);
    const change = replyChange(head, { reply, ids, judged, plan });
    return close(turn, head, reply, merge(change, charged(head, usage)));
  });
  turn.context.take(logged);
  for (const { event_id, permission } of judged) {
    if (permission === 'allow') turn.begun.add(event_id);
  }
}

/** What runs right behind the reply begins to read while that is written. */
function foresee({ ports, head, resources }: Turn, judged: readonly JudgedBlock[]): void {
  const { session_id, thread_id } = head;
  const mounts = mountsOf(resources);
  const allowed = judged.filter(({ permission }) => permission === 'allow');
  // Those behind the eighth begin when others have ended, and see what they did.
  for (const { event_id, block } of allowed.slice(0, limits.tools_parallel_max)) {
    ports.tools.foresee({ session_id, thread_id, event_id, name: block.name, mounts });
  }
}

/** The reply's calls of a coordinator's own tools, which no event shows as tool use. */
async function teamCalls(
  turn: Turn,
  { content, cut, stop_reason }: ModelReply,
): Promise<TeamCall[]> {
  if (stop_reason === 'refusal' || isChild(turn.head)) return [];
  const { blobs } = turn.ports;
  const { session_id } = turn.head;
  const calls = content.filter(
    (block) =>
      block.type === 'tool_use' &&
      block !== cut &&
      teamToolOf(turn.agent, block.name) !== undefined,
  );
  const prepared = await Promise.all(
    calls.map(async (call) => {
      return await prepareCall(blobs, session_id, turn.agent, call as BetaToolUseBlock);
    }),
  );
  let writes = 0;
  return prepared.map((call): TeamCall => {
    writes += writesOf(call);
    if (writes <= limits.reply_writes_max) return call;
    return { tool_use_id: call.tool_use_id, type: 'wrong', text: tooManyText };
  });
}

/** End the turn with the reply when it is its last word. */
function close(turn: Turn, head: ThreadHead, reply: ModelReply, change: Change): Change {
  if (reply.stop_reason !== 'refusal') return andRest(turn, head, change);
  const details = {
    type: 'refusal' as const,
    category: (reply.stop_details?.category ?? null) as never,
    explanation: reply.stop_details?.explanation ?? null,
  };
  return endTurn(turn, head, { reason: { type: 'refusal' }, details }, change);
}

interface Asked {
  readonly reply: ModelReply;
  readonly ids: EventIds;
  readonly asked: readonly TeamCall[];
}

async function judgeCalls(
  turn: Turn,
  { reply, ids, asked }: Asked,
  signal: AbortSignal,
): Promise<JudgedBlock[]> {
  // A refused reply is not acted upon.
  if (reply.stop_reason === 'refusal') return [];
  const team = new Set(asked.map(({ tool_use_id }) => tool_use_id));
  const calls = reply.content.flatMap((block, index) =>
    block.type === 'tool_use' && !team.has(block.id)
      ? [{ block, event_id: ids.at(index, 'tool_use').id }]
      : [],
  );
  const writes = asked.reduce((sum, call) => sum + writesOf(call), 0);
  return await Promise.all(
    calls.map(async ({ block, event_id }, place) => {
      // Each waiting call is a row of the reply's one transaction.
      const is_too_many = place + writes >= limits.reply_writes_max;
      if (is_too_many || block === reply.cut) {
        const not_run = is_too_many ? tooManyText : cutText;
        return { block, event_id, permission: 'deny' as const, usage: {}, not_run };
      }
      return { block, event_id, ...(await judge(turn, block, signal)) };
    }),
  );
}

async function judge(
  turn: Turn,
  { name, input }: BetaToolUseBlock,
  signal: AbortSignal,
): Promise<Omit<JudgedBlock, 'block' | 'event_id'>> {
  const policy = policyOf(turn.agent.tools, name);
  switch (policy) {
    case 'custom':
      return { permission: 'custom', usage: {} };
    case 'disabled':
      return { permission: 'deny', usage: {}, not_run: noSuchTool(turn, name) };
    case 'always_allow':
      return { permission: 'allow', evaluation: { type: policy }, usage: {} };
    case 'always_ask':
      return { permission: 'ask', evaluation: { type: policy }, usage: {} };
    case 'auto': {
      const { model } = turn.agent;
      const { user_texts } = turn.context.conversation;
      const { thread_id } = turn.head;
      const judgement = await turn.ports.judge(
        { name, input, user_texts, model, thread_id },
        signal,
      );
      return {
        permission: judgement.permission.type,
        evaluation: { type: 'auto', evaluated_permission: judgement.permission },
        usage: judgement.usage === null ? {} : turn.charge(judgement.usage, null),
      };
    }
  }
}

interface Replied {
  readonly reply: ModelReply;
  readonly ids: EventIds;
  readonly judged: readonly JudgedBlock[];
  readonly plan: CallsPlan;
}

function replyChange(head: ThreadHead, { reply, ids, judged, plan }: Replied): Change {
  const refused = reply.stop_reason === 'refusal';
  const denied = judged.filter(({ permission }) => permission === 'deny');
  const open = judged.filter(({ permission }) => permission !== 'deny');
  const calls = [...open.map(openCall), ...plan.calls];
  const phase = phaseAfter(reply, judged.length + plan.results.length, calls.length);
  const context_tokens =
    reply.usage.input_tokens +
    reply.usage.cache_read_input_tokens +
    reply.usage.cache_creation_5m_input_tokens +
    reply.usage.cache_creation_1h_input_tokens +
    reply.usage.output_tokens;
  return {
    lines: [
      ...contentLines(reply.content, ids),
      ...judged.map(callLine),
      spanEnd(head, reply, { refused, results: plan.results }),
      ...denied.map(deniedLine),
      ...plan.lines,
    ],
    patch: {
      open_span: null,
      attempts: 0,
      phase,
      calls,
      context_tokens,
      ...plan.patch,
    },
    others: [...plan.others, ...crossPosts(head, open)],
    writes: open.flatMap((call) => callWrite(head, call)),
  };
}

/** Merely denied, a model would look for another way to be permitted. */
function noSuchTool(turn: Turn, name: string): string {
  const names = offeredTools(turn).map((tool) => tool.name);
  const has = names.length === 0 ? 'You have none.' : `You have: ${names.join(', ')}.`;
  return `There is no tool '${name}' here. ${has}`;
}

const tooManyText = 'Not run: one reply may not hold so many tool calls. Ask again for this one.';

const cutText =
  'Not run: the reply reached its greatest length before this call was complete. Do it in several smaller calls.';

/** What a client must answer of a child's calls is shown in the session's own log too. */
function crossPosts(head: ThreadHead, open: readonly JudgedBlock[]): Other[] {
  const asked = open.filter(({ permission }) => permission === 'ask' || permission === 'custom');
  if (asked.length === 0 || !isChild(head)) return [];
  const lines = asked.map(callLine).map(({ event }): Line => {
    return { event: { ...event, session_thread_id: head.thread_id } as Line['event'] };
  });
  return [{ thread_id: head.parent_thread_id ?? '', change: () => ({ lines }) }];
}

function deniedLine({ event_id, block, not_run }: JudgedBlock): Line {
  return errorResult(event_id, not_run ?? `Permission to use ${block.name} has been denied.`);
}

function phaseAfter(reply: ModelReply, calls: number, open: number): ThreadHead['phase'] {
  if (open > 0) return 'tools';
  // Every call was denied, or the provider paused: the model has more to say.
  return calls > 0 || reply.stop_reason === 'pause_turn' ? 'model' : 'take';
}

/** Thinking and words in their order; texts that follow each other are one message. */
function contentLines(content: readonly BetaContentBlock[], ids: EventIds): Line[] {
  const messages = new Map<string, { type: 'text'; text: string }[]>();
  const lines: Line[] = [];
  for (const [index, block] of content.entries()) {
    if (block.type === 'thinking' || block.type === 'redacted_thinking') {
      lines.push({ event: { id: ids.at(index, 'thinking').id, type: 'agent.thinking' } });
    } else if (block.type === 'text' && block.text !== '') {
      const { id } = ids.at(index, 'text');
      const said = messages.get(id) ?? [];
      said.push({ type: 'text', text: block.text });
      if (said.length === 1) lines.push({ event: { id, type: 'agent.message', content: said } });
      messages.set(id, said);
    }
  }
  return lines;
}

function callLine({ block, event_id, permission, evaluation }: JudgedBlock): Line {
  const { id: tool_use_id, name } = block;
  const input = block.input as { [key: string]: unknown };
  const hidden = { tool_use_id };
  if (permission === 'custom') {
    return { event: { id: event_id, type: 'agent.custom_tool_use', name, input }, hidden };
  }
  return {
    event: {
      id: event_id,
      type: 'agent.tool_use',
      name,
      input,
      evaluated_permission: permission,
      ...(evaluation === undefined ? {} : { evaluation }),
    },
    hidden,
  };
}

/** A refused reply stays out of the context: with it in place, the next answer is refused as well. */
function spanEnd(
  head: ThreadHead,
  reply: ModelReply,
  { refused, results }: { readonly refused: boolean; readonly results: CallsPlan['results'] },
): Line {
  const { usage, speed } = reply;
  return {
    event: {
      id: newId('event'),
      type: 'span.model_request_end',
      model_request_start_id: head.open_span ?? '',
      is_error: false,
      model_usage: { ...shownUsage(usage), ...(speed === null ? {} : { speed }) },
    },
    ...(refused
      ? {}
      : { hidden: { assistant: reply.content, ...(results.length > 0 ? { results } : {}) } }),
  };
}

/** An allowed call counts as begun from here on: it is run right behind this write. */
function openCall({ block, event_id, permission }: JudgedBlock): OpenCall {
  const state = permission === 'allow' ? 'started' : permission === 'ask' ? 'ask' : 'custom';
  return { event_id, tool_use_id: block.id, name: block.name, state };
}

function callWrite(head: ThreadHead, { event_id, permission }: JudgedBlock) {
  if (permission !== 'ask' && permission !== 'custom') return [];
  const row: CallRow = {
    ...callKey(head.session_id, event_id),
    event_id,
    thread_id: head.thread_id,
    kind: permission,
  };
  return [{ put: row, condition: 'attribute_not_exists(pk)' }];
}

function addPartial(sum: Partial<Usage>, more: Partial<Usage>): Partial<Usage> {
  const names = new Set([...Object.keys(sum), ...Object.keys(more)] as (keyof Usage)[]);
  const added = [...names].map((name) => {
    const [a, b] = [sum[name] ?? 0, more[name] ?? 0];
    const unknown = sum[name] === null || more[name] === null;
    return [name, unknown ? null : a + b];
  });
  return Object.fromEntries(added) as Partial<Usage>;
}
