import type { Event } from '../rig.ts';
import type { SessionRecord } from './record.ts';
import { answeredBy } from './client-calls.ts';
import { previewFaults } from './oracle-previews.ts';
import { teamFaults } from './oracle-team.ts';
import { workFaults } from './oracle-work.ts';
import { sequenceFaults } from './sequence.ts';

/** What is wrong with a session that has come to rest, in sentences; nothing when all is right. */
export function faultsOf(record: SessionRecord): string[] {
  const { log, children } = record;
  const logs: [name: string, log: readonly Event[]][] = [
    ['session', log],
    ...children.map(({ thread, log: own }): [string, readonly Event[]] => [thread.id, own]),
  ];
  return [
    ...logs.flatMap(([name, one]) => orderFaults(one).map((fault) => `${name}: ${fault}`)),
    ...statusFaults(record),
    ...sentFaults(record),
    ...refusalFaults(record),
    ...streamFaults(record),
    ...workFaults(record),
    ...teamFaults(record),
  ];
}

/** Ids once, times in order, and nothing that still waits. */
function orderFaults(log: readonly Event[]): string[] {
  const faults: string[] = [];
  const ids = new Set<string>();
  let last = '';
  for (const { id, type, processed_at } of log) {
    if (ids.has(id)) faults.push(`${type} ${id} stands twice`);
    ids.add(id);
    if (processed_at == null) faults.push(`${type} ${id} was never processed`);
    else if (processed_at < last) faults.push(`${type} ${id} is older than what is before it`);
    else last = processed_at;
  }
  return faults;
}

const STATUS = /^session\.status_(running|idle|rescheduled|terminated)$/;

function statusFaults({ session, log }: SessionRecord): string[] {
  // While some of what is waited for is answered, it is said again what is left.
  const said = log.filter((event, at) => STATUS.test(event.type) && !isSaidAgain(log, at));
  const statuses = said.map(({ type }) => STATUS.exec(type)?.[1] ?? '');
  const last = statuses.at(-1);
  const is_ended = session.archived_at !== null;
  return [
    ...sequenceFaults('session', statuses),
    ...(session.status === last || is_ended
      ? []
      : [`the session is ${session.status}, its log says ${String(last)}`]),
    ...(session.status === 'idle' || is_ended ? [] : [`the session is ${session.status} for ever`]),
    ...log.flatMap(({ id, type }, at) =>
      type === 'session.status_idle' && log[at - 1]?.type !== 'session.usage'
        ? [`${id} rests without a bill before it`]
        : [],
    ),
  ];
}

function isSaidAgain(log: readonly Event[], at: number): boolean {
  const event = log[at];
  if (event?.type !== 'session.status_idle') return false;
  const before = log.slice(0, at).findLast(({ type }) => STATUS.test(type));
  return (
    before?.type === 'session.status_idle' &&
    ['requires_action', 'budget_reached'].includes(before.stop_reason.type)
  );
}

const isCapped = (event: Event): boolean =>
  event.type === 'session.status_idle' && event.stop_reason.type === 'budget_reached';

/** Each event that was accepted stands in the log, once. */
function sentFaults(record: SessionRecord): string[] {
  const { log, sent } = record;
  const counts = new Map<string, number>();
  for (const { id } of log) counts.set(id, (counts.get(id) ?? 0) + 1);
  const lost = sent.filter(
    (event) => counts.get(event.id) !== 1 && (counts.has(event.id) || !isVoid(record, event)),
  );
  const known = new Set(sent.map(({ id }) => id));
  const own = log.filter(({ type }) => type.startsWith('user.') || type === 'system.message');
  return [
    ...lost.map(
      ({ id, type }) => `${type} ${id} was accepted and stands ${counts.get(id) ?? 0} times`,
    ),
    ...own.flatMap(({ id, type }) => (known.has(id) ? [] : [`${type} ${id} was never accepted`])),
  ];
}

/**
 * Whether an event may have been accepted without any effect: an interrupt while the session rests at
 * its budget, or of a child that rests, and an answer to a call that another answer or an interrupt closed.
 */
function isVoid({ log, children }: SessionRecord, event: Event): boolean {
  if (event.type === 'user.interrupt') return event.session_thread_id != null || log.some(isCapped);
  const call_id = answeredBy(event);
  if (call_id === undefined) return false;
  return [log, ...children.map((child) => child.log)].flat().some((other) => {
    if (answeredBy(other) !== call_id) return false;
    return other.type !== 'agent.tool_result' || other.is_error === true;
  });
}

/** What was refused was so for a reason that the client is told, in the API's envelope. */
function refusalFaults({ refused }: SessionRecord): string[] {
  return refused.flatMap(({ what, status = 0, body }) => {
    const { type, error, request_id } = (body ?? {}) as Readonly<Record<string, unknown>>;
    const { type: kind, message } = (error ?? {}) as Readonly<Record<string, unknown>>;
    const is_told = [type, kind, message, request_id].every((one) => typeof one === 'string');
    return is_told && status >= 400 && status < 500
      ? []
      : [`${what} was answered with ${status} ${JSON.stringify(body)}`];
  });
}

/** A stream that was open from the beginning has given what the list gives. */
function streamFaults({ streamed }: SessionRecord): string[] {
  if (streamed === undefined) return [];
  const { given, expected, openings } = streamed;
  const previewed = openings.flatMap(previewFaults);
  if (expected.join(' ') === given.join(' ')) return previewed;
  const lost = expected.filter((id) => !given.includes(id));
  const doubled = given.filter((id, at) => given.indexOf(id) !== at);
  const strange = given.filter((id) => !expected.includes(id));
  return [
    ...previewed,
    `the stream gave ${given.length} of ${expected.length} events: lost ${placesOf(lost, expected)}, doubled ${placesOf(doubled, expected)}, strange ${strange.length}`,
  ];
}

/** Which events of a list, by their places in it. */
function placesOf(ids: readonly string[], listed: readonly string[]): string {
  return ids.length === 0 ? 'none' : ids.map((id) => listed.indexOf(id)).join(' ');
}
