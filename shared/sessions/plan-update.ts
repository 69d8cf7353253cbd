import type { BetaManagedAgentsSessionUpdatedEvent } from '@anthropic-ai/sdk/resources/beta/sessions/sessions';
import { isDeepStrictEqual } from 'node:util';
import { checkTeamTools } from '../agents/team.ts';
import { checkTools, resolveTools } from '../agents/tools.ts';
import { Fault } from '../core/fault.ts';
import { mergeMetadata } from '../core/metadata.ts';
import type { PriceOverrides } from '../models/prices.ts';
import { checkFits } from './agent-fits.ts';
import { checkBudgetable, nextBudget } from './budget.ts';
import type { ThreadHead } from '../threads/thread.ts';
import type { SessionRows } from './read-session.ts';
import type { SessionUpdate } from './session-wire.ts';
import type { SessionAgent } from './session.ts';

/** What an update changes; what stays is left out. */
export type Changes = Omit<
  BetaManagedAgentsSessionUpdatedEvent,
  'id' | 'type' | 'processed_at' | 'agent'
> & { readonly agent?: SessionAgent };

export interface UpdatePlan {
  /** Empty when nothing really changes. */
  readonly changes: Changes;
  /** Whether a session that stopped at its cap goes on by itself. */
  readonly resumes: boolean;
  /** Whether one that had stopped there has nothing to go on with: it says anew why it rests. */
  readonly rests: boolean;
}

/** What an update is decided from. */
export interface Updatable extends SessionRows {
  readonly agent: SessionAgent;
  readonly prices: PriceOverrides;
}

/**
 * Decide what an update changes. Pure; all of it or nothing.
 * @throws Fault `invalid` when a part does not fit the session or its state
 */
export function planUpdate(rows: Updatable, body: SessionUpdate, now: Date): UpdatePlan {
  const { session, config, thread } = rows;
  if (session.archived_at !== null) {
    throw new Fault('invalid', `Session ${session.session_id} is archived and cannot be changed.`);
  }
  const agent = nextAgent(rows, body.agent);
  const title = body.title === undefined ? config.title : body.title;
  const metadata = { ...mergeMetadata(config.metadata, body.metadata) };
  const changes: Changes = {
    ...(isDeepStrictEqual(agent, rows.agent) ? {} : { agent }),
    ...budgetChange(rows, agent, body, now),
    ...(title === config.title ? {} : { title }),
    ...(isDeepStrictEqual(metadata, config.metadata) ? {} : { metadata }),
  };
  const is_capped = isCapped(thread);
  const is_changed = changes.budget !== undefined;
  const was_said = session.status === 'idle' && session.stop_reason?.type === 'budget_reached';
  return {
    changes,
    resumes: is_capped && is_changed,
    rests: !is_capped && is_changed && was_said,
  };
}

/** Whether any thread of a session rests at its budget. */
function isCapped({ status, stop_reason, team }: ThreadHead): boolean {
  if (status === 'idle' && stop_reason?.type === 'budget_reached') return true;
  return team?.members.some((member) => member.stop_reason?.type === 'budget_reached') ?? false;
}

function nextAgent(
  { session, config, agent }: Updatable,
  patch: SessionUpdate['agent'],
): SessionAgent {
  if (patch?.tools === undefined && patch?.mcp_servers === undefined) return agent;
  if (session.status !== 'idle') {
    throw new Fault(
      'invalid',
      `agent: can only be changed while the session is idle; it is ${session.status}. Wait until it is idle, or send a user.interrupt.`,
    );
  }
  const next: SessionAgent = {
    ...agent,
    tools: patch.tools === undefined ? agent.tools : resolveTools(patch.tools ?? []),
    mcp_servers: patch.mcp_servers === undefined ? agent.mcp_servers : (patch.mcp_servers ?? []),
  };
  checkTools(next.tools, next.mcp_servers);
  checkTeamTools(next);
  checkFits(next, config.environment);
  // What is stored has been JSON: compare what will be stored.
  return JSON.parse(JSON.stringify(next)) as SessionAgent;
}

function budgetChange(
  { session, prices }: Updatable,
  agent: SessionAgent,
  { budget }: SessionUpdate,
  now: Date,
): Pick<Changes, 'budget'> {
  if (budget === undefined || isDeepStrictEqual(budget, session.budget)) return {};
  if (session.status === 'terminated') {
    throw new Fault('invalid', 'budget: the session is terminated, so its budget is final.');
  }
  const next = nextBudget(session, budget, now);
  if (next !== null) checkBudgetable(agent, prices);
  return { budget: next };
}
