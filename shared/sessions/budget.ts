import { advisorOf } from '../agents/multiagent.ts';
import { agentsOf } from '../agents/resolve-agent.ts';
import { Fault } from '../core/fault.ts';
import { listPrice, microcentsOf, type PriceOverrides } from '../models/prices.ts';
import { listCostMicrocents, usageNow, type BudgetLimit } from './session-usage.ts';
import type { SessionAgent, SessionHead } from './session.ts';

/**
 * A cap can only be kept for models whose price is known: the agent's and all that it may start.
 * @throws Fault `invalid` with `model_not_budgetable`
 */
export function checkBudgetable(agent: SessionAgent, prices: PriceOverrides): void {
  const advisor = agent.multiagent === null ? undefined : advisorOf(agent.multiagent);
  const models = agentsOf(agent).map(({ model }) => model.id);
  if (advisor !== undefined) models.push(advisor);
  const unpriced = models.find((id) => listPrice(id, prices) === null);
  if (unpriced === undefined) return;
  throw new Fault(
    'invalid',
    `budget: model ${unpriced} has no list price, so a budget cannot be kept. Use another model, or leave budget out.`,
    { details: { error_code: 'model_not_budgetable' } },
  );
}

/**
 * What an update makes of the budget. Pure.
 * @throws Fault `invalid`: `budget_create_only` for a session without one, `budget_not_raised` for
 *   a cap that is used up already
 */
export function nextBudget(
  head: SessionHead,
  budget: BudgetLimit | null,
  now: Date,
): BudgetLimit | null {
  if (budget === null) return null;
  if (head.budget === null) {
    throw new Fault(
      'invalid',
      'budget: the session has none, and one can only be set when a session is created.',
      { details: { error_code: 'budget_create_only' } },
    );
  }
  const cost = listCostMicrocents(usageNow(head.usage, head.running_since, now));
  if (cost !== null && microcentsOf(budget.max_list_cost.amount) <= cost) {
    throw new Fault(
      'invalid',
      'budget: max_list_cost must be above what the session has cost so far. Read usage.list_cost and send more.',
      { details: { error_code: 'budget_not_raised' } },
    );
  }
  return budget;
}
