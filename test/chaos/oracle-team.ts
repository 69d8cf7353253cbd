import { all, type Event } from '../rig.ts';
import type { Child, SessionRecord } from './record.ts';
import { sequenceFaults } from './sequence.ts';

const THREAD = /^session\.thread_status_(running|idle|rescheduled|terminated)$/;

/** What a thread's own log says and what the session's says of it must agree. */
export function teamFaults(record: SessionRecord): string[] {
  const { log, children, primary_id } = record;
  const known = new Set(children.map(({ thread }) => thread.id));
  const created = all(log, 'session.thread_created').map((event) => event.session_thread_id);
  return [
    ...sequenceFaults('primary thread', changesOf(log, primary_id)),
    ...restlessFaults(log, primary_id),
    ...idleTurnFaults(log, primary_id),
    ...[...known].flatMap((id) => {
      const count = created.filter((one) => one === id).length;
      return count === 1 ? [] : [`${id} was created ${count} times`];
    }),
    ...created.filter((id) => !known.has(id)).map((id) => `${id} was created and is not there`),
    ...children.flatMap((child) => childFaults(record, child)),
  ];
}

function statusEventsOf(log: readonly Event[], thread_id: string): Event[] {
  return log.filter((event) => {
    const { session_thread_id } = event as { readonly session_thread_id?: string };
    return THREAD.test(event.type) && session_thread_id === thread_id;
  });
}

const nameOf = ({ type }: Event): string => THREAD.exec(type)?.[1] ?? '';

function statusesOf(log: readonly Event[], thread_id: string): string[] {
  return statusEventsOf(log, thread_id).map(nameOf);
}

/** Its statuses, but not where one that waits for answers is said to rest again: some came, or an interrupt. */
function changesOf(log: readonly Event[], thread_id: string): string[] {
  const said = statusEventsOf(log, thread_id);
  return said
    .filter(({ type }, at) => type !== 'session.thread_status_idle' || !isAsking(said[at - 1]))
    .map(nameOf);
}

/** A model is asked by a thread that runs, and by no other. */
function restlessFaults(log: readonly Event[], thread_id: string): string[] {
  const statuses = new Set(statusEventsOf(log, thread_id));
  let last = 'not yet begun';
  return log.flatMap((event) => {
    if (statuses.has(event)) last = nameOf(event);
    if (event.type !== 'span.model_request_start' || last === 'running') return [];
    return [`${thread_id} asks its model (${event.id}) while it is ${last}`];
  });
}

/**
 * A turn has something to do. One that hears of nothing but an interrupt was begun for nothing, unless
 * what it was begun for stands before it, as an answer does, or waits behind it, as a message does.
 */
function idleTurnFaults(log: readonly Event[], thread_id: string): string[] {
  const own = log.filter(({ type }) => !/^session\.(status|usage)/.test(type));
  return statusEventsOf(own, thread_id).flatMap((event) => {
    if (nameOf(event) !== 'running') return [];
    const at = own.indexOf(event);
    const types = own.slice(Math.max(0, at - 1), at + 4).map(({ type }) => type);
    return NOTHING.test(types.join(' ')) ? [`${thread_id} runs (${event.id}) for nothing`] : [];
  });
}

const NOTHING =
  /thread_status_idle \S+_running user\.interrupt \S+_idle(?! user\.message| agent\.thread_message_received)/;

const isAsking = (event: Event | undefined): boolean =>
  event?.type === 'session.thread_status_idle' && event.stop_reason.type === 'requires_action';

function childFaults({ log }: SessionRecord, { thread, log: own }: Child): string[] {
  const { id } = thread;
  const said = statusesOf(own, id);
  const told = statusesOf(log, id);
  const last = said.at(-1);
  const status = thread.status as string;
  const asked = own.filter(
    (event) =>
      (event.type === 'agent.tool_use' && event.evaluated_permission === 'ask') ||
      event.type === 'agent.custom_tool_use',
  );
  const shown = log.filter(
    ({ type }) => type === 'agent.tool_use' || type === 'agent.custom_tool_use',
  );
  return [
    ...sequenceFaults(id, changesOf(own, id)),
    ...restlessFaults(own, id),
    ...(said.join(' ') === told.join(' ')
      ? []
      : [`${id} says ${said.join(' ')}, of it is told ${told.join(' ')}`]),
    ...(status === last || thread.archived_at !== null
      ? []
      : [`${id} is ${status}, its log says ${String(last)}`]),
    ...pairFaults(`reports of ${id}`, textsOf(own, 'agent.thread_message_sent'), [
      ...textsOf(
        log.filter(
          (event) =>
            event.type === 'agent.thread_message_received' && event.from_session_thread_id === id,
        ),
        'agent.thread_message_received',
      ),
    ]),
    ...pairFaults(
      `messages to ${id}`,
      textsOf(
        log.filter(
          (event) =>
            event.type === 'agent.thread_message_sent' && event.to_session_thread_id === id,
        ),
        'agent.thread_message_sent',
      ),
      textsOf(own, 'agent.thread_message_received'),
    ),
    ...pairFaults(
      `questions of ${id}`,
      asked.map((event) => event.id),
      shown.filter((event) => asked.some((one) => one.id === event.id)).map((event) => event.id),
    ),
  ];
}

function textsOf(
  log: readonly Event[],
  type: 'agent.thread_message_sent' | 'agent.thread_message_received',
): string[] {
  return all(log, type).map(({ content }) => JSON.stringify(content));
}

function pairFaults(what: string, sent: readonly string[], got: readonly string[]): string[] {
  return sent.join('\n') === got.join('\n')
    ? []
    : [`${what}: ${sent.length} sent, ${got.length} got`];
}
