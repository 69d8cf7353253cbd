import type { BetaManagedAgentsSession } from '@anthropic-ai/sdk/resources/beta/sessions/sessions';
import type { OutcomeEvaluation } from '../outcomes/outcome.ts';
import type { Resource } from '../resources/resource.ts';
import { showResource } from '../resources/show-resource.ts';
import type { SessionAgent, SessionConfig, SessionHead } from './session.ts';
import { usageNow, usageSnapshot } from './session-usage.ts';

/** A session exactly as it goes over the wire. */
export type Session = BetaManagedAgentsSession;

/** What a session is shown from. */
export interface Shown {
  readonly head: SessionHead;
  readonly config: SessionConfig;
  readonly agent: SessionAgent;
  readonly resources: readonly Resource[];
  readonly outcomes: readonly OutcomeEvaluation[];
}

/** @param now Sums of a running turn are shown up to here. */
export function showSession(
  { head, config, agent, resources, outcomes }: Shown,
  now: Date,
): Session {
  const usage = usageSnapshot(usageNow(head.usage, head.running_since, now));
  const ended_at = head.status === 'terminated' ? new Date(head.updated_at) : now;
  return {
    id: head.session_id,
    type: 'session',
    agent,
    archived_at: head.archived_at,
    budget: head.budget,
    created_at: config.created_at,
    deployment_id: config.deployment_id,
    environment_id: config.environment_id,
    metadata: { ...config.metadata },
    outcome_evaluations: [...outcomes],
    resources: resources.map(showResource),
    stats: {
      // Of the threads that still run only that one of them does is known here.
      active_seconds: Math.max(usage.active_seconds ?? 0, (head.threads_active_ms ?? 0) / 1_000),
      duration_seconds: Math.max(0, ended_at.getTime() - Date.parse(config.created_at)) / 1_000,
    },
    status: head.status,
    title: config.title,
    updated_at: head.updated_at,
    usage,
    vault_ids: [...config.vault_ids],
  };
}
