import type { SessionEvent } from '../events/event.ts';
import { limits } from '../core/limits.ts';
import { upToUnits } from '../core/text.ts';
import type { HeldEvidence } from './candidate.ts';
import { quoteStands } from './evidence.ts';
import { textOfEvent, timeOf } from './lines.ts';
import { secretIn } from './secrets.ts';

/** Something that says how a session went on. */
export type UseSign = Omit<HeldEvidence, 'session_id'> & {
  readonly outcome: 'success' | 'failure';
};

/** Types of the events that a verdict is found by. */
export const signs: ReadonlySet<string> = new Set<SessionEvent['type']>([
  'span.outcome_evaluation_end',
  'user.interrupt',
  'user.message',
  'agent.message',
]);

/** As much of a verdict as shows why. */
const QUOTE_CHARS = 300;

/** What a user says of an answer that is not as it should be. Only plain English words are known. */
const CORRECTS =
  /^\W*(?:no|nope|wrong|stop|undo|revert|not what)\b|\b(?:that|this|it)(?:['’]s| is) (?:still )?(?:not|wrong|incorrect|broken)\b|\b(?:does|did)(?:n['’]t| not) work\b|\bstill (?:fails?|wrong)\b|\bnot what I (?:asked|wanted|meant)\b|\byou (?:forgot|missed|ignored)\b/i;

/**
 * The newest sign of how a session went after a time: a verdict of a grader, an interrupt, or a
 * message that corrects an answer. What came before says nothing of what was read then.
 *
 * @param reports Outcome reports, which stand in no log.
 */
export function verdictAfter(
  at: string,
  events: readonly SessionEvent[],
  reports: readonly UseSign[],
): UseSign | undefined {
  const later = events.filter((event) => timeOf(event) >= at);
  const answered = later.findIndex(({ type }) => type === 'agent.message');
  const signs = later.flatMap((event, n) => signOf(event, answered !== -1 && n > answered));
  return [...signs, ...reports.filter((report) => report.at >= at)]
    .toSorted((a, b) => (a.at < b.at ? -1 : 1))
    .at(-1);
}

const results: Readonly<Record<string, UseSign['outcome']>> = {
  satisfied: 'success',
  needs_revision: 'failure',
  max_iterations_reached: 'failure',
};

function signOf(event: SessionEvent, has_answered: boolean): UseSign[] {
  const base = { event_id: event.id, at: timeOf(event) };
  const text = textOfEvent(event);
  if (event.type === 'span.outcome_evaluation_end') {
    const outcome = Object.hasOwn(results, event.result) ? results[event.result] : undefined;
    const quote = openOf([resultQuote(text), `"result":"${event.result}"`]);
    if (outcome === undefined || quote === undefined) return [];
    return [{ ...base, outcome, speaker: 'grader', quote }];
  }
  const is_correction = event.type === 'user.message' && has_answered && CORRECTS.test(text);
  if (event.type !== 'user.interrupt' && !is_correction) return [];
  const quote = openOf([upToUnits(text, limits.quote_chars_max), ...sentencesOf(text)]);
  return quote === undefined ? [] : [{ ...base, outcome: 'failure', speaker: 'user', quote }];
}

/** The first quote without a secret: a report shows it. */
function openOf(quotes: readonly string[]): string | undefined {
  return quotes.find((quote) => secretIn(quote) === undefined);
}

/** Those that are long enough to be a quote, and not too long. */
function sentencesOf(text: string): string[] {
  return text.split(/\n|(?<=[.!?,;:])\s/).filter((sentence) => quoteStands(sentence, text));
}

/** The result with the beginning of its reasons, as it stands in the event. */
function resultQuote(text: string): string {
  const from = Math.max(0, text.indexOf('"result"'));
  // Not within an escape.
  return upToUnits(text.slice(from), QUOTE_CHARS).replace(/\\+$/, '');
}
