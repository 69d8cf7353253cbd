import type { BetaManagedAgentsUserDefineOutcomeEventParams } from '@anthropic-ai/sdk/resources/beta/sessions/events';
import type { ModelRequest } from '../../model/model.ts';
import { call, type Reply } from '../../model/replies.ts';
import type { Event, Rig } from '../../rig.ts';

/** Two criteria: c1 and c2. */
export const RUBRIC = '- The report names the total\n- The report has a source';

export function outcome(
  task: string,
  more: Partial<BetaManagedAgentsUserDefineOutcomeEventParams> = {},
): BetaManagedAgentsUserDefineOutcomeEventParams {
  const rubric = { type: 'text' as const, content: RUBRIC };
  return { type: 'user.define_outcome', description: task, rubric, ...more };
}

/** Agent and grader are the same scripted model, told apart by what they are offered. */
export function isGrader({ body }: ModelRequest): boolean {
  return (body.tools ?? []).some((tool) => 'name' in tool && tool.name === 'submit_verdict');
}

/** Replies of the agent and of the grader, of the task that `task` names. */
export function script(
  { model }: Rig,
  task: string,
  agent: readonly Reply[],
  grader: readonly Reply[],
): void {
  const about = (request: ModelRequest): boolean => JSON.stringify(request.body).includes(task);
  model.on((request) => about(request) && !isGrader(request), ...agent);
  model.on((request) => about(request) && isGrader(request), ...grader);
}

const path = '/mnt/session/outputs/report.md';

/** The agent writes the report. */
export const write = (content: string): Reply => call('write', { file_path: path, content });
/** The grader reads it. */
export const read = call('read', { path });

interface Judgement {
  readonly total: 'met' | 'not_met';
  readonly source: 'met' | 'not_met';
}

function verdict({ total, source }: Judgement): Reply {
  const evidence = (quote: string) => [{ path, quote }];
  return call('submit_verdict', {
    criteria: [
      { id: 'c1', verdict: total, reason: 'As to the total.', evidence: evidence('Total: 42') },
      {
        id: 'c2',
        verdict: source,
        reason: source === 'met' ? 'It is named.' : 'No source is named.',
        evidence: source === 'met' ? evidence('Source: ledger') : [],
      },
    ],
  });
}

export const pass = verdict({ total: 'met', source: 'met' });
export const revise = verdict({ total: 'met', source: 'not_met' });
/** Nothing is met. */
export const open = verdict({ total: 'not_met', source: 'not_met' });
/** The report as it passes. */
export const whole = write('Total: 42\nSource: ledger\n');

export async function evaluationsOf({ client }: Rig, session_id: string) {
  const { outcome_evaluations } = await client.beta.sessions.retrieve(session_id);
  return outcome_evaluations;
}

/** How each evaluation ended. */
export function spans(events: readonly Event[]): string[] {
  return events.flatMap((event) =>
    event.type === 'span.outcome_evaluation_end' ? [`${event.iteration} ${event.result}`] : [],
  );
}
