import { newId } from '../core/id.ts';
import { load } from '../core/stored.ts';
import type { Line } from '../events/event.ts';
import { ModelError, observationOf } from '../models/model-error.ts';
import { isRedacted } from '../models/advisor-pair.ts';
import { ask, shownUsage, textOf, type ModelReply } from '../models/model.ts';
import { addUsage } from '../sessions/add-usage.ts';
import type { Change, Other } from '../threads/change.ts';
import { ADVISOR_NAME, memberKey, type MemberRow } from '../threads/member.ts';
import { statusLine, threadIdleLine } from '../threads/status-lines.ts';
import { withMember } from '../threads/team.ts';
import type { OpenCall, ThreadHead, Usage } from '../threads/thread.ts';
import { restPatch, terminatedPatch } from './settle.ts';
import type { Turn } from './turn.ts';

/** What an advisor has said, or why it has said nothing. */
interface Advice {
  readonly text: string;
  /** Whether clients are shown that something was said, and not what. */
  readonly is_redacted: boolean;
  readonly is_error: boolean;
  readonly reply?: ModelReply;
  readonly usage: Partial<Usage>;
}

const instructions = [
  'You advise another agent that is at work on a task for its user. It asks you one question; you see nothing else of its work.',
  'Answer with what it should do and why, to the point. Say what you are not sure of, and what it should check.',
].join('\n');

/**
 * Ask the advisor, on a thread of its own that ends with its answer. A consultation that fails is an
 * answer too: it never fails the turn. Until the answer is written down nothing is, so one that dies
 * with its function is asked again.
 *
 * @returns what it changes; undefined when it was stopped
 */
export async function advise(
  turn: Turn,
  call: OpenCall,
  signal: AbortSignal,
): Promise<((head: ThreadHead) => Change) | undefined> {
  const advice = await consult(turn, call, signal);
  if (signal.aborted) {
    await payCut(turn, call, advice.usage);
    return undefined;
  }
  const now = turn.ports.clock.now();
  return (head) => adviceChange(head, call, advice, now);
}

async function consult(turn: Turn, call: OpenCall, signal: AbortSignal): Promise<Advice> {
  const { table, blobs, model } = turn.ports;
  const thread_id = call.thread_id ?? '';
  const member = (await table.get(memberKey(turn.head.session_id, thread_id))) as MemberRow;
  const agent = await load(blobs, member.agent);
  const model_id = agent.type === 'advisor' ? agent.model : turn.agent.model.id;
  const { question } = turn.context.conversation.inputs.get(call.event_id) as { question: string };
  try {
    const request = {
      model: { id: model_id },
      system: instructions,
      messages: [{ role: 'user' as const, content: question }],
      tools: [],
      purpose: 'turn' as const,
      thread_id,
    };
    const reply = await ask(model, request, signal);
    const text = textOf(reply.content).trim();
    const usage = turn.charge(reply.usage, reply.speed, model_id);
    const said = { is_redacted: isRedacted(model_id), reply, usage };
    if (text !== '') return { text, is_error: false, ...said };
    return { text: 'The advisor gave no advice.', is_error: true, ...said };
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    turn.ports.observe(observationOf(error));
    const text = `The advisor could not be asked: ${error.message} Go on without it.`;
    const usage = error.spent === undefined ? {} : turn.charge(error.spent, null, model_id);
    return { text, is_redacted: false, is_error: true, usage };
  }
}

/** What an answer that is thrown away has used: whoever closes the consultation knows nothing of it. */
async function payCut(turn: Turn, call: OpenCall, usage: Partial<Usage>): Promise<void> {
  if (Object.keys(usage).length === 0) return;
  const thread_id = call.thread_id ?? '';
  await turn.writer.append(() => ({
    lines: [],
    session: { usage },
    others: [
      {
        thread_id,
        change: (child) => ({ lines: [], patch: { usage: addUsage(child.usage, usage) } }),
      },
    ],
  }));
}

/** The end of a consultation: on the advisor's log, on that of who asked, and in the sums of both. */
function adviceChange(head: ThreadHead, call: OpenCall, advice: Advice, now: Date): Change {
  const thread_id = call.thread_id ?? '';
  const name = { agent_name: ADVISOR_NAME, thread_id };
  const { usage, is_error, text } = advice;
  const content = [{ type: 'text' as const, text }];
  const received: Line = {
    event: {
      id: newId('event'),
      type: 'agent.thread_message_received',
      from_session_thread_id: thread_id,
      from_agent_name: ADVISOR_NAME,
      content: shown(advice),
    },
    hidden: { result: { event_id: call.event_id, content } },
  };
  const refused = { event_id: call.event_id, content, is_error: true };
  return {
    lines: [
      ...(is_error ? [] : [received]),
      threadIdleLine(name, { reason: { type: 'end_turn' } }),
      terminated(name, is_error ? refused : undefined),
    ],
    patch: withMember(head, thread_id, undefined),
    session: { usage },
    others: [advisorEnd(thread_id, advice, now)],
  };
}

function terminated(
  name: Pick<ThreadHead, 'agent_name' | 'thread_id'>,
  result: NonNullable<Line['hidden']>['result'] | undefined,
): Line {
  const line = statusLine('session.thread_status_terminated', name);
  return result === undefined ? line : { ...line, hidden: { result } };
}

function advisorEnd(thread_id: string, advice: Advice, now: Date): Other {
  return {
    thread_id,
    change: (child) => {
      const stop = { reason: { type: 'end_turn' as const } };
      const charged = { ...child, usage: addUsage(child.usage, advice.usage) };
      return {
        lines: [
          ...spoken(advice, child.parent_thread_id ?? ''),
          threadIdleLine(child, stop),
          statusLine('session.thread_status_terminated', child),
        ],
        patch: { ...restPatch(charged, stop, now), ...terminatedPatch(charged, now) },
      };
    },
  };
}

function shown({ is_redacted, text }: Advice) {
  return is_redacted ? [{ type: 'redacted' as const }] : [{ type: 'text' as const, text }];
}

/** The advisor's own log: its request, and its advice as what it has sent. */
function spoken(advice: Advice, to_session_thread_id: string): Line[] {
  const { reply, is_error } = advice;
  if (reply === undefined) return [];
  const start = newId('event');
  const { usage } = reply;
  const said: Line[] = is_error
    ? []
    : [
        {
          event: {
            id: newId('event'),
            type: 'agent.thread_message_sent',
            to_session_thread_id,
            content: shown(advice),
          },
        },
      ];
  return [
    { event: { id: start, type: 'span.model_request_start' } },
    {
      event: {
        id: newId('event'),
        type: 'span.model_request_end',
        model_request_start_id: start,
        is_error: false,
        model_usage: shownUsage(usage),
      },
    },
    ...said,
  ];
}

/** Close a consultation whose thread alone the client has interrupted. */
export function abandonConsult(head: ThreadHead, call: OpenCall, now: Date): Change {
  return { ...closeConsult(call, now), patch: withMember(head, call.thread_id ?? '', undefined) };
}

/** Close a consultation that an interrupt or the end of its turn has overtaken. */
export function closeConsult(call: OpenCall, now: Date): Change {
  const text = 'The advisor was interrupted before it answered.';
  const thread_id = call.thread_id ?? '';
  const name = { agent_name: ADVISOR_NAME, thread_id };
  const content = [{ type: 'text' as const, text }];
  return {
    lines: [
      threadIdleLine(name, { reason: { type: 'end_turn' } }),
      terminated(name, { event_id: call.event_id, content, is_error: true }),
    ],
    others: [advisorEnd(thread_id, { text, is_redacted: false, is_error: true, usage: {} }, now)],
  };
}
