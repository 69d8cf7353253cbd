import { newId } from '../core/id.ts';
import { limits } from '../core/limits.ts';
import type { HiddenResult, Line } from '../events/event.ts';
import { childExecution } from '../sessions/runs.ts';
import type { Other } from '../threads/change.ts';
import { ADVISOR_NAME } from '../threads/member.ts';
import { childStartPatch } from '../threads/start.ts';
import { statusLine } from '../threads/status-lines.ts';
import { countedMembers } from '../threads/team.ts';
import type { Member, OpenCall, Team, ThreadHead } from '../threads/thread.ts';
import { memberRow, newChild } from './new-child.ts';
import type { TeamCall } from './prepare-calls.ts';
import type { Roster } from './roster.ts';

type Start = Extract<TeamCall, { type: 'start' }>;
type Send = Extract<TeamCall, { type: 'send' }>;
type Consult = Extract<TeamCall, { type: 'consult' }>;

/** What a reply's calls make of its thread, of others, and of the conversation. */
export interface CallsPlan {
  readonly lines: readonly Line[];
  readonly patch: Pick<ThreadHead, 'team'>;
  readonly others: readonly Other[];
  readonly results: readonly HiddenResult[];
  /** An advisor's answer takes a model request: such a call is open until it is there. */
  readonly calls: readonly OpenCall[];
}

/**
 * Decide what a coordinator's calls do, in their order, from its head alone. Pure: whoever computes it
 * again, because another thread's write came between, has written nothing yet.
 */
export function planCalls(
  head: ThreadHead,
  roster: Roster,
  calls: readonly TeamCall[],
  at: string,
): CallsPlan {
  if (calls.length === 0) return { lines: [], patch: {}, others: [], results: [], calls: [] };
  const draft = new Draft(head, roster, at);
  for (const call of calls) draft.add(call);
  return draft.finish();
}

/** Rows that a call writes besides the reply's own. */
export function writesOf({ type }: Pick<TeamCall, 'type'>): number {
  if (type === 'start' || type === 'consult') return 3;
  return type === 'send' ? 2 : 0;
}

class Draft {
  readonly #head: ThreadHead;
  readonly #roster: Roster;
  readonly #at: string;
  readonly #lines: Line[] = [];
  readonly #results: HiddenResult[] = [];
  readonly #calls: OpenCall[] = [];
  readonly #others: ((together: number) => Other)[] = [];
  #members: readonly Member[];
  #sent: number;
  #is_changed = false;
  /** Children that begin a run with this. */
  #begun = 0;

  constructor(head: ThreadHead, roster: Roster, at: string) {
    this.#head = head;
    this.#roster = roster;
    this.#at = at;
    this.#members = head.team?.members ?? [];
    this.#sent = head.team?.sent_count ?? 0;
  }

  add(call: TeamCall): void {
    switch (call.type) {
      case 'list':
        return this.#answer(call, this.#listed());
      case 'start':
        return this.#start(call);
      case 'send':
        return this.#send(call);
      case 'consult':
        return this.#consult(call);
      case 'wrong':
        return this.#refuse(call, call.text);
    }
  }

  finish(): CallsPlan {
    const team = this.#team();
    return {
      lines: this.#lines,
      patch: this.#is_changed ? { team } : {},
      others: this.#others.map((other) => other(this.#begun)),
      results: this.#results,
      calls: this.#calls,
    };
  }

  #team(): Team {
    const { team, announced, running_since } = this.#head;
    const known = team ?? { is_announced: announced, running_since };
    return { ...known, members: this.#members, sent_count: this.#sent };
  }

  #answer({ tool_use_id }: TeamCall, text: string): void {
    this.#results.push({ tool_use_id, text, is_error: false });
  }

  #refuse({ tool_use_id }: TeamCall, text: string): void {
    this.#results.push({ tool_use_id, text, is_error: true });
  }

  #listed(): string {
    const agents = this.#roster.agents.map(({ handle, agent }) => ({
      agent: handle,
      ...(agent.description === null ? {} : { description: agent.description }),
    }));
    const threads = this.#members.map(({ thread_id, agent_name, status, stop_reason }) => ({
      thread_id,
      agent: agent_name,
      status: stop_reason?.type === 'requires_action' ? 'waits for the user' : status,
    }));
    const has_inline = this.#roster.has_inline;
    return JSON.stringify({
      agents,
      ...(has_inline ? { inline_agents: 'start_inline_agent makes one up' } : {}),
      threads,
    });
  }

  #start(call: Start): void {
    const counted = countedMembers({ ...this.#team(), members: this.#members });
    if (counted.length >= limits.session_children_max) {
      return this.#refuse(
        call,
        `start_agent: ${limits.session_children_max} threads are there already, the most that a session may have. Give more work to an agent that is idle with send_to_agent, or wait for one by ending your turn.`,
      );
    }
    if (!this.#maySend(call)) return;
    const { agent_name, agent, message } = call;
    const thread_id = this.#begin(agent_name, agent, [receivedLine(this.#head, message)], {});
    this.#lines.push(
      sentLine(thread_id, agent_name, message),
      statusLine('session.thread_status_running', { agent_name, thread_id }),
    );
    const text = `${agent_name} works on thread ${thread_id}. Its report reaches you as a message; to wait for it, end your turn.`;
    this.#answer(call, text);
  }

  #consult(call: Consult): void {
    const { tool_use_id, agent, question } = call;
    const created = this.#lines.length;
    const thread_id = this.#begin(ADVISOR_NAME, agent, [], { is_advisor: true });
    this.#lines[created] = {
      ...(this.#lines[created] as Line),
      hidden: { consult: { tool_use_id, question } },
    };
    const name = { agent_name: ADVISOR_NAME, thread_id };
    this.#lines.push(statusLine('session.thread_status_running', name));
    const event_id = this.#lines[created]?.event.id ?? '';
    const state = 'started' as const;
    this.#calls.push({ event_id, tool_use_id, name: 'consult_advisor', state, thread_id });
  }

  /** A thread begins: its line in this log, its head with its own first lines, its row. */
  #begin(
    agent_name: string,
    agent: Start['agent'],
    first: readonly Line[],
    more: Pick<Member, 'is_advisor'>,
  ): string {
    const thread_id = newId('thread');
    const created_event_id = newId('event');
    const is_run = more.is_advisor !== true;
    if (is_run) this.#begun += 1;
    this.#others.push((together) => {
      const execution = this.#execution({ thread_id, run: 1 }, together);
      const child = { thread_id, agent_name, agent, at: this.#at, execution, created_event_id };
      const head = newChild(this.#head, child);
      const running = statusLine('session.thread_status_running', head);
      return {
        thread_id,
        head,
        is_new: true,
        change: () => ({
          lines: [...first, running],
          patch: first.length > 0 ? { unread: 1 } : {},
          writes: [{ put: memberRow(this.#head, child), condition: 'attribute_not_exists(pk)' }],
          // An advisor's one request is made by whoever asks it.
          ...(is_run ? { starts: 1 } : {}),
        }),
      };
    });
    this.#lines.push({
      event: {
        id: created_event_id,
        type: 'session.thread_created',
        agent_name,
        session_thread_id: thread_id,
        workflow_run_id: null,
      },
    });
    const member: Member = { thread_id, agent_name, status: 'running', stop_reason: null, ...more };
    this.#members = [...this.#members, member];
    this.#is_changed = true;
    return thread_id;
  }

  #execution(begun: { thread_id: string; run: number }, together: number): string {
    const { session_id, version } = this.#head;
    return childExecution({ session_id, ...begun }, together, version + 1);
  }

  #send(call: Send): void {
    const { thread_id, message } = call;
    const member = this.#members.find((one) => one.thread_id === thread_id);
    if (member === undefined || member.is_advisor === true) {
      return this.#refuse(
        call,
        `send_to_agent: thread_id: there is no thread '${thread_id.slice(0, 80)}' that takes messages. list_agents names those that do.`,
      );
    }
    if (!this.#maySend(call)) return;
    this.#lines.push(sentLine(thread_id, member.agent_name, message));
    const received = receivedLine(this.#head, message);
    const starts = member.status === 'idle' && !isHeld(member);
    if (starts) this.#wake(member);
    this.#others.push((together) => ({
      thread_id,
      change: (child) => {
        const told = { lines: [received], patch: { unread: (child.unread ?? 0) + 1 } };
        if (!starts || child.status !== 'idle') return told;
        const run = child.run + 1;
        const execution = this.#execution({ thread_id, run }, together);
        return {
          lines: [received, statusLine('session.thread_status_running', child)],
          patch: { ...told.patch, ...childStartPatch(run, this.#at, execution) },
          starts: run,
        };
      },
    }));
    this.#answer(call, sentText(member));
  }

  #wake({ thread_id, agent_name }: Member): void {
    this.#begun += 1;
    this.#lines.push(statusLine('session.thread_status_running', { agent_name, thread_id }));
    this.#members = this.#members.map((one) =>
      one.thread_id === thread_id ? { ...one, status: 'running', stop_reason: null } : one,
    );
  }

  /** Agents that only answer each other would never end, and nobody would see it. */
  #maySend(call: TeamCall): boolean {
    if (this.#sent < limits.team_messages_max) {
      this.#sent += 1;
      this.#is_changed = true;
      return true;
    }
    this.#refuse(
      call,
      `${limits.team_messages_max} messages have been sent to agents since the user last spoke, which is the bound. End your turn and tell the user how far the work is.`,
    );
    return false;
  }
}

/** A thread that waits for its client, or at the budget, reads what was sent once it goes on. */
function isHeld({ stop_reason }: Member): boolean {
  return stop_reason?.type === 'requires_action' || stop_reason?.type === 'budget_reached';
}

function sentText(member: Member): string {
  if (isHeld(member)) {
    return `Sent. ${member.agent_name} waits for the user now, and reads it when it goes on.`;
  }
  return member.status === 'idle'
    ? `Sent. ${member.agent_name} works on it; its report reaches you as a message.`
    : `Sent. ${member.agent_name} is at work and reads it when its present step is done.`;
}

function sentLine(to_session_thread_id: string, to_agent_name: string, text: string): Line {
  return {
    event: {
      id: newId('event'),
      type: 'agent.thread_message_sent',
      to_session_thread_id,
      to_agent_name,
      content: [{ type: 'text', text }],
    },
  };
}

/** Without a name: it comes from the primary agent. */
function receivedLine({ thread_id }: ThreadHead, text: string): Line {
  return {
    event: {
      id: newId('event'),
      type: 'agent.thread_message_received',
      from_session_thread_id: thread_id,
      content: [{ type: 'text', text }],
    },
  };
}
