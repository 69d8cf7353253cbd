import { all, type Event } from '../rig.ts';
import type { SessionRecord } from './record.ts';

/** Calls and their results, spans and their ends, outcomes, tokens, and what stands in the files. */
export function workFaults(record: SessionRecord): string[] {
  const { log, children } = record;
  const own = ownEvents(record);
  const logs = [own, ...children.map((child) => child.log)];
  return [
    ...logs.flatMap((one) => [...callFaults(one), ...spanFaults(one)]),
    ...outcomeFaults(record, log),
    ...usageFaults(record, logs),
    ...lineFaults(record, logs),
  ];
}

/** What the primary thread has done: its log also shows what children ask of the client. */
export function ownEvents({ log, primary_id }: SessionRecord): Event[] {
  return log.filter((event) => {
    const shown = ['agent.tool_use', 'agent.custom_tool_use', 'user.tool_confirmation'];
    if (![...shown, 'user.custom_tool_result'].includes(event.type)) return true;
    const { session_thread_id } = event as { readonly session_thread_id?: string | null };
    return session_thread_id == null || session_thread_id === primary_id;
  });
}

function callFaults(log: readonly Event[]): string[] {
  const is_ended = log.some(
    ({ type }) =>
      type === 'session.status_terminated' || type === 'session.thread_status_terminated',
  );
  const answers = log.flatMap((event, at) => {
    if (event.type === 'agent.tool_result') return [{ to: event.tool_use_id, at }];
    if (event.type === 'user.custom_tool_result') return [{ to: event.custom_tool_use_id, at }];
    return [];
  });
  const uses = log.flatMap((event, at) =>
    event.type === 'agent.tool_use' || event.type === 'agent.custom_tool_use'
      ? [{ event, at }]
      : [],
  );
  const faults = uses.flatMap(({ event, at }) => {
    const own = answers.filter(({ to }) => to === event.id);
    if (own.length > 1) return [`${event.type} ${event.id} has ${own.length} results`];
    if (own.length === 0) return is_ended ? [] : [`${event.type} ${event.id} has no result`];
    return (own[0]?.at ?? 0) < at ? [`the result of ${event.id} comes before it`] : [];
  });
  const known = new Set(uses.map(({ event }) => event.id));
  const strange = answers.filter(({ to }) => !known.has(to));
  return [
    ...faults,
    ...strange.map(({ to }) => `a result of ${to}, which is no call`),
    ...permissionFaults(log),
  ];
}

/** What its user was asked about has run only where the user allowed it, once. */
function permissionFaults(log: readonly Event[]): string[] {
  const answers = all(log, 'user.tool_confirmation');
  return all(log, 'agent.tool_use').flatMap((use) => {
    if (use.evaluated_permission !== 'ask') return [];
    const own = answers.filter(({ tool_use_id }) => tool_use_id === use.id);
    if (own.length > 1) return [`${use.id} was confirmed ${own.length} times`];
    const result = all(log, 'agent.tool_result').find(({ tool_use_id }) => tool_use_id === use.id);
    const has_run = result !== undefined && result.is_error !== true;
    return has_run && own[0]?.result !== 'allow' ? [`${use.id} has run and was not allowed`] : [];
  });
}

function spanFaults(log: readonly Event[]): string[] {
  const faults: string[] = [];
  let open: string | undefined;
  for (const event of log) {
    if (event.type === 'span.model_request_start') {
      if (open !== undefined) faults.push(`span ${event.id} begins within ${open}`);
      open = event.id;
    }
    if (event.type === 'span.model_request_end') {
      if (event.model_request_start_id !== open) faults.push(`span end ${event.id} ends no span`);
      open = undefined;
    }
  }
  return open === undefined ? faults : [...faults, `span ${open} has no end`];
}

function outcomeFaults({ session }: SessionRecord, log: readonly Event[]): string[] {
  const starts = all(log, 'span.outcome_evaluation_start');
  const ends = all(log, 'span.outcome_evaluation_end');
  const faults = starts.flatMap(({ id }) => {
    const own = ends.filter((end) => end.outcome_evaluation_start_id === id);
    return own.length === 1 ? [] : [`evaluation ${id} has ${own.length} ends`];
  });
  for (const defined of all(log, 'user.define_outcome')) {
    const { outcome_id } = defined;
    const own = ends.filter((end) => end.outcome_id === outcome_id);
    const last = own.at(-1);
    const shown = session.outcome_evaluations.filter((one) => one.outcome_id === outcome_id);
    if (shown.length !== 1) faults.push(`outcome ${outcome_id} is shown ${shown.length} times`);
    if (last === undefined || last.result === 'needs_revision') {
      faults.push(`outcome ${outcome_id} has no end: ${own.map(({ result }) => result).join(' ')}`);
    } else if (shown[0]?.result !== last.result) {
      faults.push(
        `outcome ${outcome_id} is ${String(shown[0]?.result)}, its log says ${last.result}`,
      );
    }
    const judged = own.filter(({ result }) => result !== 'interrupted');
    judged.forEach(({ iteration }, at) => {
      if (iteration !== at) faults.push(`outcome ${outcome_id}: evaluation ${at} is ${iteration}`);
    });
  }
  return faults;
}

interface Tokens {
  readonly input: number;
  readonly output: number;
}

/** What all spans have used is what the session has, or less. */
function usageFaults(
  { session, log }: SessionRecord,
  logs: readonly (readonly Event[])[],
): string[] {
  const spans = logs.flatMap((one) => all(one, 'span.model_request_end'));
  const gradings = all(log, 'span.outcome_evaluation_end');
  const used = [
    ...spans.map(({ model_usage }) => model_usage),
    ...gradings.map(({ usage }) => usage),
  ];
  const sum = used.reduce<Tokens>(
    (so_far, usage) => ({
      input:
        so_far.input +
        usage.input_tokens +
        usage.cache_read_input_tokens +
        usage.cache_creation_input_tokens,
      output: so_far.output + usage.output_tokens,
    }),
    { input: 0, output: 0 },
  );
  const { usage } = session;
  const made = usage.cache_creation;
  const input =
    (usage.input_tokens ?? 0) +
    (usage.cache_read_input_tokens ?? 0) +
    (made?.ephemeral_5m_input_tokens ?? 0) +
    (made?.ephemeral_1h_input_tokens ?? 0);
  const output = usage.output_tokens ?? 0;
  const is_right = isToldWhole(log)
    ? input === sum.input && output === sum.output
    : input >= sum.input && output >= sum.output;
  return is_right
    ? []
    : [`the session used ${input} and ${output} tokens, its spans ${sum.input} and ${sum.output}`];
}

/** Whether all requests have their spans: a grader's have none, nor has an advisor's that was cut off. */
function isToldWhole(log: readonly Event[]): boolean {
  const is_advised = all(log, 'session.thread_created').some(
    ({ agent_name }) => agent_name === 'anthropic.advisor',
  );
  return !is_advised && all(log, 'user.define_outcome').length === 0;
}

/**
 * A line that a command has appended stands in its file: once where the command's result says so, at
 * most once where the result says that nobody knows.
 */
function lineFaults(
  { planned, texts }: SessionRecord,
  logs: readonly (readonly Event[])[],
): string[] {
  const uses = logs.flatMap((log) => all(log, 'agent.tool_use'));
  const results = logs.flatMap((log) => all(log, 'agent.tool_result'));
  return planned.flatMap(({ line, file }) => {
    const own = uses.filter(
      ({ input }) => typeof input['command'] === 'string' && input['command'].includes(`'${line}'`),
    );
    const good = own.filter(({ id }) =>
      results.some(({ tool_use_id, is_error }) => tool_use_id === id && is_error !== true),
    ).length;
    const count = (texts.get(file) ?? '').split('\n').filter((one) => one === line).length;
    return good <= count && count <= own.length
      ? []
      : [
          `${line} stands ${count} times in ${file}: ${own.length} calls, of which ${good} succeeded`,
        ];
  });
}
