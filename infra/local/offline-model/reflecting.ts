import { eventsIn, fieldsOf, type ShownEvent } from './tagged.ts';

/** A lesson as a dream takes it. */
export interface OfflineLesson {
  readonly kind: 'success' | 'failure';
  readonly situation: string;
  readonly advice: string;
  readonly why: string;
  readonly evidence: readonly { readonly event_id: string; readonly quote: string }[];
}

/** As much of a passage as shows what it is about. */
const QUOTE_CHARS = 300;

/** What a user says of how things are to be done, and not only of the task at hand. */
const LASTING =
  /\b(?:always|never|from now on|instead of|not the|we use|we never|must be|should be|prefers?|actually|wrong|no longer|any ?more|now)\b/i;

/** What is said for the task at hand alone. */
const ONCE =
  /\b(?:right now|for now|this time|just (?:this )?once|only for (?:today|this|that|now)|for today only)\b/i;

/** What a sentence begins with before it says anything. */
const INTERJECTION =
  /^(?:(?:no|yes|well|of course(?: not)?|please note(?: that)?|remember|actually|as (?:ever|always|usual))[,:]?\s+)+/i;

/**
 * Find lessons without a model, by four rules that hold for any work: what was done between a
 * verdict that failed and one that passed; what a user says that lasts; why a user denied a call;
 * and what worked after the same tool had failed. Only what stands in the events is said.
 */
export function lessonsIn(asked: string): OfflineLesson[] {
  const events = eventsIn(asked);
  const found = [...revisions(events), ...wishes(events), ...denials(events), ...repairs(events)];
  return found.slice(0, 8);
}

/** An attempt that was judged short of its rubric, and what made the next one pass. */
function revisions(events: readonly ShownEvent[]): OfflineLesson[] {
  const task = events.find(({ type }) => type === 'user.define_outcome');
  const passed = events.findLastIndex((event) => resultOf(event) === 'satisfied');
  const failed = events
    .slice(0, Math.max(0, passed))
    .findLastIndex((event) => resultOf(event) === 'needs_revision');
  const verdict = events[failed];
  const between = events.slice(failed + 1, passed);
  const last_call = between.findLastIndex(({ type }) => type === 'agent.tool_use');
  const said = between.slice(0, last_call + 1).filter(({ type }) => type === 'agent.message');
  const method = said.toSorted((a, b) => b.text.length - a.text.length)[0];
  if (task === undefined || verdict === undefined || method === undefined) return [];
  const goal = sentencesOf(String(fieldsOf(task)['description']))[0] ?? '';
  const missed = /^- (?:Not met|Cannot tell): .*$/m.exec(String(fieldsOf(verdict)['explanation']));
  return [
    {
      kind: 'success',
      situation: short(goal),
      advice: method.text.slice(0, 1_500),
      why: `A first attempt without it was judged: ${short(missed?.[0].slice(2) ?? 'not enough')}`,
      evidence: [
        { event_id: task.id, quote: quoteOf(goal) },
        { event_id: verdict.id, quote: quoteOf(missed?.[0] ?? '"result":"needs_revision"') },
        { event_id: method.id, quote: quoteOf(method.text) },
      ],
    },
  ];
}

function resultOf(event: ShownEvent): unknown {
  return event.type === 'span.outcome_evaluation_end' ? fieldsOf(event)['result'] : undefined;
}

function wishes(events: readonly ShownEvent[]): OfflineLesson[] {
  return events.flatMap(({ id, type, text }, n): OfflineLesson[] => {
    if (type !== 'user.message') return [];
    const before = events.slice(0, n);
    const has_answered = before.some((event) => event.type === 'agent.message');
    const asked = before.findLast((event) => event.type === 'user.message');
    return sentencesOf(text)
      .filter((sentence) => LASTING.test(sentence) && !ONCE.test(sentence))
      .map((sentence) => sentence.replace(INTERJECTION, ''))
      .map((sentence) => ({
        kind: has_answered ? 'failure' : 'success',
        situation: short(has_answered ? (asked?.text ?? sentence) : sentence),
        advice: sentence,
        why: has_answered ? 'The user corrected the agent.' : 'The user says so.',
        evidence: [{ event_id: id, quote: quoteOf(sentence) }],
      }));
  });
}

function denials(events: readonly ShownEvent[]): OfflineLesson[] {
  const denied = events.filter(({ type }) => type === 'user.tool_confirmation');
  return denied.flatMap((event): OfflineLesson[] => {
    const { deny_message } = fieldsOf(event);
    if (typeof deny_message !== 'string' || deny_message.trim() === '') return [];
    return [
      {
        kind: 'failure',
        situation: short(deny_message),
        advice: deny_message,
        why: 'The user denied a call.',
        evidence: [{ event_id: event.id, quote: quoteOf(deny_message) }],
      },
    ];
  });
}

function repairs(events: readonly ShownEvent[]): OfflineLesson[] {
  const calls = events.filter(({ type }) => type === 'agent.tool_use');
  const results = new Map(
    events.filter(({ type }) => type === 'agent.tool_result').map((event) => [event.call, event]),
  );
  const has_failed = ({ id }: ShownEvent): boolean => {
    const result = results.get(id);
    return result !== undefined && fieldsOf(result)['is_error'] === true;
  };
  return calls.flatMap((call, n): OfflineLesson[] => {
    const { name } = fieldsOf(call);
    const next = calls.slice(n + 1).find((event) => fieldsOf(event)['name'] === name);
    if (!has_failed(call) || next === undefined || has_failed(next)) return [];
    const error = results.get(call.id);
    const said = error?.text.split('\n').slice(1).join(' ').trim() ?? '';
    const worked = JSON.stringify(fieldsOf(next)['input']);
    if (error === undefined || said.length < 8) return [];
    const explained = events
      .slice(events.indexOf(error), events.indexOf(next))
      .find(({ type }) => type === 'agent.message');
    return [
      {
        kind: 'success',
        situation: `The tool ${String(name)} answers: ${short(said)}`,
        advice: explained?.text.slice(0, 1_500) ?? `What worked then: ${short(worked)}`,
        why: 'The same tool had failed before.',
        evidence: [
          { event_id: error.id, quote: quoteOf(said) },
          ...(explained === undefined
            ? []
            : [{ event_id: explained.id, quote: quoteOf(explained.text) }]),
          { event_id: next.id, quote: quoteOf(worked.slice(1, -1)) },
        ],
      },
    ];
  });
}

export function sentencesOf(text: string): string[] {
  return text
    .split(/(?<=[.!?])\s+|\n+/)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== '');
}

function short(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= 240 ? line : `${line.slice(0, 239)}…`;
}

function quoteOf(text: string): string {
  return text.trim().slice(0, QUOTE_CHARS);
}
