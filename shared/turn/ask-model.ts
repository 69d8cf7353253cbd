import { limits } from '../core/limits.ts';
import { newId } from '../core/id.ts';
import { compact, mustCompact } from '../models/compaction.ts';
import { ModelError, observationOf } from '../models/model-error.ts';
import type { ModelRequest, RequestUsage } from '../models/model.ts';
import { teamPrompt } from '../team/team-prompt.ts';
import { charged } from './charged.ts';
import { beginRequest } from './begin.ts';
import { merge } from './change.ts';
import { DeltaRelay } from './deltas.ts';
import { closeSpan, exhaust, failRequest, restAtBudget } from './ending.ts';
import { takeReply } from './reply.ts';
import { fillSources } from './file-sources.ts';
import { carriedOf } from './messages.ts';
import { offeredTools } from './offered-tools.ts';
import { requestModel } from './request.ts';
import { systemPrompt } from './system-prompt.ts';
import { StepTooSmall } from './step-too-small.ts';
import type { Turn } from './turn.ts';
import { Watch } from './watch.ts';

/** How the loop goes on after a model request. */
export type Asked =
  | { readonly next: 'loop' }
  | { readonly next: 'again' }
  | { readonly next: 'wait'; readonly wait_ms: number };

/**
 * One model request with all that may come before it (budget, limit of rounds, compaction) and
 * after it (reply, retry, end of the turn).
 *
 * @throws StepTooSmall
 */
export async function askModel(turn: Turn): Promise<Asked> {
  if (turn.overBudget(turn.head)) {
    await restAtBudget(turn);
    return { next: 'loop' };
  }
  if (turn.head.rounds >= limits.turn_rounds_max) {
    const message = `The turn has reached ${limits.turn_rounds_max} model requests. Send a message to go on.`;
    await exhaust(turn, 'tool_use_limit_reached_error', message);
    return { next: 'loop' };
  }
  const watch = new Watch(turn.writer, turn.time_left_ms - limits.step_time_reserve_ms);
  try {
    return await askWatched(turn, watch);
  } finally {
    watch.end();
  }
}

async function askWatched(turn: Turn, watch: Watch): Promise<Asked> {
  await turn.sync();
  const { chars_count } = turn.context;
  if (chars_count > limits.step_context_chars_max && !turn.ports.is_large) throw new StepTooSmall();
  if (mustCompact(turn.agent.model.id, turn.head.context_tokens)) {
    const ended = await compactContext(turn, watch);
    if (ended !== undefined) return ended;
  }
  if (turn.head.open_span === null) {
    turn.context.take(await turn.writer.append(beginRequest));
    // What another thread has sent may stand right before it: it is part of this request.
    await turn.sync();
  }
  const { table, clock } = turn.ports;
  const relay = turn.listened ? new DeltaRelay(table, clock, turn.head.thread_id) : undefined;
  const asked_ms = clock.now().getTime();
  const firstPart = () =>
    turn.ports.observe({ type: 'first_delta', latency_ms: clock.now().getTime() - asked_ms });
  const hearing = { relay, watch, firstPart };
  const outcome = await requestModel(turn.ports.model, await requestOf(turn), hearing);
  switch (outcome.type) {
    case 'reply':
      await takeReply(turn, outcome.reply, outcome.ids, watch.signal);
      return { next: 'loop' };
    case 'stopped':
      await payCut(turn, outcome.spent);
      if (isTooSlow(turn, asked_ms)) return await fail(turn, tooSlow());
      return stopped(turn);
    case 'failed':
      await payCut(turn, outcome.error.spent);
      return await fail(turn, outcome.error);
  }
}

/** End the span of an answer that was cut, by us or on the way, with what it has used: it is billed. */
async function payCut(turn: Turn, spent: RequestUsage | undefined): Promise<void> {
  if (spent === undefined) return;
  const usage = turn.charge(spent, turn.agent.model.speed ?? null);
  const { cost_microcents = null } = usage;
  turn.ports.observe({ type: 'model_request', usage: spent, cost_microcents });
  const logged = await turn.writer.append((head) => {
    if (head.open_span === null) return { lines: [] };
    return merge(closeSpan(head, spent), charged(head, usage));
  });
  turn.context.take(logged);
}

/**
 * Whether the function's own clock has cut an answer that had a whole step's time. Asked for again
 * without being counted, it would be paid for again and again.
 */
function isTooSlow(turn: Turn, asked_ms: number): boolean {
  const heard_ms = turn.ports.clock.now().getTime() - asked_ms;
  return turn.time_left_ms <= limits.step_time_reserve_ms && heard_ms >= limits.answer_ms_max;
}

function tooSlow(): ModelError {
  const message = `The answer took longer than the ${limits.answer_ms_max / 60_000} minutes that a step can wait.`;
  return new ModelError(message, { kind: 'failed', retryable: true });
}

/** Stopped by a client (the loop sees its interrupt) or by the clock (another invocation goes on). */
function stopped(turn: Turn): Asked {
  const out_of_time = turn.time_left_ms <= limits.step_time_reserve_ms;
  return { next: out_of_time ? 'again' : 'loop' };
}

async function fail(turn: Turn, error: ModelError): Promise<Asked> {
  turn.ports.observe(observationOf(error));
  const { attempts, context_tokens } = turn.head;
  // A summary stands with no tokens until it is answered: what is too long even so stays it.
  if (error.kind === 'context_too_long' && (attempts === 0 || context_tokens > 0)) {
    // The estimate was too low: shorten now, once, before anybody is told.
    await turn.writer.append((head) => ({
      lines: [],
      patch: { context_tokens: Number.MAX_SAFE_INTEGER, attempts: Math.max(1, head.attempts) },
    }));
    return { next: 'loop' };
  }
  const wait_ms = await failRequest(turn, error);
  return wait_ms === undefined ? { next: 'loop' } : { next: 'wait', wait_ms };
}

async function requestOf(turn: Turn): Promise<ModelRequest> {
  const { messages } = turn.context.conversation;
  return {
    model: turn.agent.model,
    system: [
      systemPrompt(turn.agent, turn.config, turn.resources),
      ...teamPrompt(turn.agent, turn.head),
    ]
      .filter((text) => text !== '')
      .join('\n\n'),
    messages: await fillSources(turn.ports, turn.head.workspace_id, messages),
    tools: offeredTools(turn),
    purpose: 'turn',
    thread_id: turn.head.thread_id,
  };
}

/** Replace the context by its summary. @returns how the loop goes on when that did not succeed */
async function compactContext(turn: Turn, watch: Watch): Promise<Asked | undefined> {
  const compaction = await compact(turn.ports.model, await requestOf(turn), watch.signal);
  const speed = turn.agent.model.speed ?? null;
  const charge = compaction.usage === null ? {} : turn.charge(compaction.usage, speed);
  if (compaction.type !== 'compacted') {
    // Also what was cut is paid for: else interrupts would be a way around the budget.
    if (compaction.usage !== null) await turn.writer.append((head) => charged(head, charge));
    if (watch.signal.aborted) return stopped(turn);
    if (compaction.type === 'failed') return await fail(turn, compaction.error);
    const message =
      'The conversation is too long, and it could not be summarised. Send a message to try again.';
    await exhaust(turn, 'compaction_limit_reached_error', message);
    return { next: 'loop' };
  }
  const carried = carriedOf(turn.context.conversation);
  const context_from = turn.context.restart();
  const logged = await turn.writer.append((head) =>
    merge(charged(head, charge), {
      lines: [
        {
          event: { id: newId('event'), type: 'agent.thread_context_compacted' },
          hidden: { summary: compaction.summary, carried },
        },
      ],
      patch: { context_from, context_tokens: 0 },
    }),
  );
  turn.context.take(logged);
  await turn.sync();
  // What came right behind it stops the request that it was made for, and keeps the summary.
  return watch.signal.aborted ? stopped(turn) : undefined;
}
