import type { SessionEvent } from '../events/event.ts';
import { textOfEvent, timeOf } from './lines.ts';
import type { SessionFacts, SessionVerdict } from './piece.ts';

type Known = Pick<
  SessionFacts,
  'session_id' | 'agent_id' | 'agent_version' | 'model_id' | 'created_at' | 'cost_microcents'
>;

/** What the events of a session say about how it went; of all its threads, one after the other. */
export function factsOf(
  known: Known,
  events: Iterable<SessionEvent>,
  reports: readonly SessionVerdict[] = [],
): SessionFacts {
  const facts = {
    reports,
    verdicts: [] as SessionVerdict[],
    errors: [] as string[],
    denials: [] as string[],
    interrupts: [] as string[],
    corrections: [] as string[],
  };
  let has_answered = false;
  for (const event of events) {
    if (event.type === 'span.outcome_evaluation_end') facts.verdicts.push(verdictOf(event));
    if (isError(event)) facts.errors.push(event.id);
    if (event.type === 'user.tool_confirmation' && event.result === 'deny') {
      facts.denials.push(event.id);
    }
    if (event.type === 'user.interrupt') facts.interrupts.push(event.id);
    if (event.type === 'user.message' && has_answered) facts.corrections.push(event.id);
    if (event.type === 'agent.message') has_answered = true;
  }
  return { ...known, ...facts };
}

/** A request of the model that failed was made again: nothing that the agent could have done better. */
function isError(event: SessionEvent): boolean {
  if (event.type === 'span.model_request_end') return false;
  return event.type === 'session.error' || ('is_error' in event && event.is_error === true);
}

const results: Readonly<Record<string, SessionVerdict['result']>> = {
  satisfied: 'success',
  needs_revision: 'failure',
  max_iterations_reached: 'failure',
};

function verdictOf(
  event: Extract<SessionEvent, { type: 'span.outcome_evaluation_end' }>,
): SessionVerdict {
  const result = Object.hasOwn(results, event.result) ? results[event.result] : undefined;
  return {
    event_id: event.id,
    at: timeOf(event),
    result: result ?? 'unsure',
    text: textOfEvent(event),
  };
}

/** What became of a session, by its last verdict that says; where there is none, its last report. */
export function outcomeOf({
  verdicts,
  reports,
}: Pick<SessionFacts, 'verdicts' | 'reports'>): 'success' | 'failure' | 'unknown' {
  const last = [...reports, ...verdicts].findLast(({ result }) => result !== 'unsure');
  return last === undefined || last.result === 'unsure' ? 'unknown' : last.result;
}
