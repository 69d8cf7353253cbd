import type { BetaManagedAgentsSessionUsageSnapshot } from '@anthropic-ai/sdk/resources/beta/sessions/events';
import type { BetaManagedAgentsBudgetLimit } from '@anthropic-ai/sdk/resources/beta/sessions/sessions';
import { microcentsOf, runningCostMicrocents } from '../models/prices.ts';
import type { Usage } from '../threads/thread.ts';

export type UsageSnapshot = BetaManagedAgentsSessionUsageSnapshot;
export type BudgetLimit = BetaManagedAgentsBudgetLimit;

const MICROCENTS_PER_CENT = 1_000_000;

/** The sums with a turn that is still running. */
export function usageNow(usage: Usage, running_since: string | null, now: Date): Usage {
  if (running_since === null) return usage;
  const running_ms = Math.max(0, now.getTime() - Date.parse(running_since));
  return { ...usage, active_ms: usage.active_ms + running_ms };
}

/**
 * What the session has cost at list price: tokens and searches as they were counted, and its
 * running time. In millionths of a cent, an integer; null when a model without a price took part.
 */
export function listCostMicrocents(usage: Usage): number | null {
  if (usage.cost_microcents === null) return null;
  return usage.cost_microcents + runningCostMicrocents(usage.active_ms);
}

/** Whether the budget is used up: checked before each model request (api-behaviour 5.6). */
export function overBudget(usage: Usage, budget: BudgetLimit | null): boolean {
  if (budget === null) return false;
  const cost = listCostMicrocents(usage);
  return cost !== null && cost >= microcentsOf(budget.max_list_cost.amount);
}

/** A session's sums as the wire shows them: seconds, whole cents, caches by their lifetime. */
export function usageSnapshot(usage: Usage): UsageSnapshot {
  return snapshotOf(usage, listCostMicrocents(usage));
}

/** A thread's up to now: its running time costs nothing, for only its session's does. */
export function threadUsage(
  { usage, running_since }: { readonly usage: Usage; readonly running_since: string | null },
  now: Date,
): UsageSnapshot {
  return snapshotOf(usageNow(usage, running_since, now), usage.cost_microcents);
}

function snapshotOf(usage: Usage, cost: number | null): UsageSnapshot {
  return {
    active_seconds: usage.active_ms / 1_000,
    cache_creation: {
      ephemeral_1h_input_tokens: usage.cache_creation_1h_input_tokens,
      ephemeral_5m_input_tokens: usage.cache_creation_5m_input_tokens,
    },
    cache_read_input_tokens: usage.cache_read_input_tokens,
    input_tokens: usage.input_tokens,
    ...(cost === null
      ? {}
      : {
          list_cost: { amount: String(Math.round(cost / MICROCENTS_PER_CENT)), currency: 'USD' },
        }),
    output_tokens: usage.output_tokens,
    server_tool_use: {
      web_fetch_requests: usage.web_fetch_requests,
      web_search_requests: usage.web_search_requests,
    },
  };
}

/** What a session's idle shows: its sums as they stand in its head, and its cap. */
export function billOf({
  usage,
  budget,
}: {
  readonly usage: Usage;
  readonly budget: BudgetLimit | null;
}): {
  readonly usage: UsageSnapshot;
  readonly budget: BudgetLimit | null;
  readonly is_used_up: boolean;
} {
  return { usage: usageSnapshot(usage), budget, is_used_up: overBudget(usage, budget) };
}
