import { Fault } from '../core/fault.ts';
import { modelFacts } from '../models/catalogue.ts';
import type { AgentModel } from './agent.ts';
import type { ModelParams } from './agent-wire.ts';

/** `claude-3-5-sonnet`, `claude-2.1`, `claude-instant-1`: the number came first until 2025. */
const FIRST_FAMILIES = /^claude-(\d|instant)/;

/** `claude-opus-4`, `claude-opus-4-1-20250805`, `claude-sonnet-4-20250514`: 4, but not 4.5. */
const BEFORE_4_5 = /^claude-[a-z]+-4(-[0-4])?(-\d{8})?$/;

/**
 * Resolve what a caller said of a model. A model object replaces the stored one whole, but for
 * `effort`: that stays while the model's id does, and else becomes the model's default.
 *
 * @param stored The agent's model so far; undefined for a new agent.
 * @throws Fault `invalid` for a model that agents never ran on, and for what it does not have.
 */
export function resolveModel(params: ModelParams, stored?: AgentModel): AgentModel {
  checkModelAge(params.id, 'model:');
  checkModelHas(params);
  const kept = params.effort === undefined && stored?.id === params.id ? stored.effort : undefined;
  return {
    id: params.id,
    // Source: effort page: the default is the model's own.
    effort: kept ?? { type: params.effort ?? modelFacts(params.id).default_effort },
    speed: params.speed ?? 'standard',
    ...(params.inference_geo == null ? {} : { inference_geo: params.inference_geo }),
  };
}

/** @throws Fault `invalid` for a model that agents never ran on. */
export function checkModelAge(id: string, field: string): void {
  if (!FIRST_FAMILIES.test(id) && !BEFORE_4_5.test(id)) return;
  throw new Fault('invalid', `${field} '${id}' is too old. Use a model of 4.5 or newer.`);
}

/** What a request would leave out in silence is refused: nobody should pay for, or rely on, a word. */
function checkModelHas({ id, speed, effort }: ModelParams): void {
  const { fast, efforts, default_effort } = modelFacts(id);
  if (speed === 'fast' && !fast) {
    throw new Fault('invalid', `model.speed: '${id}' has no fast mode. Use standard.`);
  }
  const takes = [...new Set([...efforts, default_effort])];
  if (effort == null || takes.includes(effort)) return;
  throw new Fault(
    'invalid',
    `model.effort: '${id}' has no level '${effort}'. Use ${takes.join(' or ')}.`,
  );
}
