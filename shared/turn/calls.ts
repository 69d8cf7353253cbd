import pLimit from 'p-limit';
import { deniedResult, lostResult, resultLine } from '../events/call-lines.ts';
import type { Write } from '../core/table.ts';
import type { Line } from '../events/event.ts';
import type { WritesAt } from '../files/commit.ts';
import { limits } from '../core/limits.ts';
import type { OpenCall, ThreadHead, Usage } from '../threads/thread.ts';
import { charged } from './charged.ts';
import { seenText, webRulesOf } from './call-facts.ts';
import { mountsOf } from '../resources/resource.ts';
import { noRequestUsage } from '../models/model.ts';
import { recordRead } from '../playbooks/playbook-reads.ts';
import type { ToolUsage } from '../tools/search.ts';
import type { TeamToolName } from '../team/team-tools.ts';
import { isChild } from '../threads/team.ts';
import { SandboxBusy } from '../tools/sandbox.ts';
import { repeatable, type ToolOutcome } from '../tools/tools.ts';
import { abandonConsult, advise } from './advise.ts';
import { announce, beginRequest } from './begin.ts';
import { andRest } from './and-rest.ts';
import { after, merge } from './change.ts';
import { addUsage } from '../sessions/add-usage.ts';
import type { Turn } from './turn.ts';
import { Watch } from './watch.ts';
import { FurtherRefused } from './writer.ts';
import type { Change } from '../threads/change.ts';

const CONSULT: TeamToolName = 'consult_advisor';

/**
 * Run what may run. A call that an earlier invocation began and did not record is answered with
 * an error, unless running it again cannot matter: no tool runs twice without anybody knowing.
 */
export async function runCalls(turn: Turn): Promise<void> {
  const runnable = await beginCalls(turn);
  if (runnable.length === 0) return;
  // Results of earlier appends must be known to the context before these are folded in.
  await turn.sync();
  const watch = new Watch(turn.writer, turn.time_left_ms - limits.step_time_reserve_ms);
  const limit = pLimit(limits.tools_parallel_max);
  let busy: SandboxBusy | undefined;
  const run = async (call: OpenCall): Promise<void> => {
    try {
      await runCall(turn, call, watch);
    } catch (error) {
      if (!(error instanceof SandboxBusy)) throw error;
      await putBack(turn, call);
      busy = error;
    }
  };
  try {
    await Promise.all(runnable.map(async (call) => await limit(run, call)));
  } finally {
    // Where one has failed, those that wait behind the eighth do not begin: nobody would record them.
    limit.clearQueue();
    watch.end();
  }
  // Once the others are recorded: the machine waits, and holds no execution meanwhile.
  if (busy !== undefined) throw busy;
}

/** A call that is sure to have run nothing is not begun: whoever repeats the step runs it. */
async function putBack(turn: Turn, { event_id }: OpenCall): Promise<void> {
  turn.begun.delete(event_id);
  await turn.writer.append((head) => {
    const calls = head.calls.map((open): OpenCall =>
      open.event_id === event_id && open.state === 'started' ? { ...open, state: 'ready' } : open,
    );
    return { lines: [], patch: { calls } };
  });
}

/** Say that the thread runs, answer what will not run, and mark what will. */
async function beginCalls(turn: Turn): Promise<OpenCall[]> {
  const { calls } = turn.head;
  const lost = calls.filter(
    ({ state, event_id, name }) =>
      state === 'started' && !turn.begun.has(event_id) && !mayRepeat(name),
  );
  const denied = calls.filter(({ state }) => state === 'denied');
  const runnable = calls.filter(
    (call) => call.state === 'ready' || (call.state === 'started' && !lost.includes(call)),
  );
  const answers = [...lost.map(lostResult), ...denied.map(deniedResult)];
  const ready = runnable.filter(({ state }) => state === 'ready');
  if (answers.length > 0 || ready.length > 0 || !turn.head.announced) {
    const closed = new Set([...lost, ...denied].map(({ event_id }) => event_id));
    const logged = await turn.writer.append((head) => {
      const marked = head.calls.map((call) => mark(call, closed, ready));
      const change = merge(announce(head), { lines: answers, patch: { calls: marked } });
      return answers.length > 0 ? proceed(turn, head, change) : change;
    });
    turn.context.take(logged);
  }
  for (const { event_id } of runnable) turn.begun.add(event_id);
  return runnable;
}

/** An advisor only answers: it may be asked again. */
function mayRepeat(name: string): boolean {
  return repeatable(name) || name === CONSULT;
}

function mark(call: OpenCall, closed: Set<string>, ready: readonly OpenCall[]): OpenCall {
  if (closed.has(call.event_id)) return { ...call, state: 'answered' };
  const starts = ready.some(({ event_id }) => event_id === call.event_id);
  return starts ? { ...call, state: 'started' } : call;
}

async function runCall(turn: Turn, call: OpenCall, watch: Watch): Promise<void> {
  const { ports, config, head } = turn;
  if (watch.signal.aborted) return;
  if (call.thread_id !== undefined) return await askAdvisor(turn, call, watch);
  const began = ports.clock.now().getTime();
  let is_recorded = false;
  const outcome = await ports.tools.run(
    {
      session_id: head.session_id,
      workspace_id: head.workspace_id,
      thread_id: head.thread_id,
      event_id: call.event_id,
      name: call.name,
      input: turn.context.conversation.inputs.get(call.event_id),
      environment: config.environment,
      mounts: mountsOf(turn.resources),
      in_team: isChild(head) || head.team !== undefined,
      ...webFacts(turn, call.name),
      // Also behind an interrupt: what was done is told as it is.
      recordWith: async (brought, writesAt) =>
        (is_recorded = await recordWith(turn, call, brought, writesAt)),
    },
    watch.signal,
  );
  // What an interrupt or the function's end has stopped gets its answer from whoever goes on.
  if (!is_recorded && watch.signal.aborted) return await payCut(turn, call.name, outcome.usage);
  const ms = ports.clock.now().getTime() - began;
  ports.observe({ type: 'tool', name: call.name, ms, is_error: outcome.is_error });
  if (!is_recorded) await record(turn, call, answerOf(turn, call, outcome));
}

function answerOf(turn: Turn, call: OpenCall, outcome: ToolOutcome): Answer {
  return {
    line: resultLine(call.event_id, outcome.content, outcome.is_error),
    usage: usageOf(turn, call.name, outcome.usage),
    writes: readsOf(turn, call, outcome),
  };
}

/** See {@link RecordWith}: not where the call was closed meanwhile, or a row is not as it demands. */
async function recordWith(
  turn: Turn,
  call: OpenCall,
  outcome: ToolOutcome,
  timedWrites: WritesAt,
): Promise<boolean> {
  try {
    return await record(turn, call, { ...answerOf(turn, call, outcome), timedWrites });
  } catch (error) {
    if (error instanceof FurtherRefused) return false;
    throw error;
  }
}

/** What a call has used that is stopped is paid for: else interrupts would be a way around the budget. */
async function payCut(turn: Turn, name: string, used: ToolUsage | undefined): Promise<void> {
  if (used === undefined) return;
  const usage = usageOf(turn, name, used);
  await turn.writer.append((head) => charged(head, usage));
}

async function askAdvisor(turn: Turn, call: OpenCall, watch: Watch): Promise<void> {
  const advised = await adviseUnlessAbandoned(turn, call, watch.signal);
  if (watch.signal.aborted) return;
  const now = turn.ports.clock.now();
  turn.context.take(
    await turn.writer.append((head) => {
      if (openOf(head, call) === undefined) return { lines: [] };
      // What was answered is given, and paid for, also where the interrupt came right behind it.
      const end = advised === undefined ? abandonConsult(head, call, now) : advised(head);
      return proceed(turn, head, merge(end, { lines: [], patch: answered(head, call) }));
    }),
  );
}

/** @returns undefined when it was stopped: with the turn, or by itself. */
async function adviseUnlessAbandoned(
  turn: Turn,
  call: OpenCall,
  signal: AbortSignal,
): ReturnType<typeof advise> {
  const abandoned = new AbortController();
  const look = (): void => {
    if (openOf(turn.head, call)?.is_abandoned === true) abandoned.abort();
  };
  look();
  if (abandoned.signal.aborted) return undefined;
  // The watch reads the head anew; this only looks at it.
  const timer = setInterval(look, limits.interrupt_poll_ms);
  try {
    return await advise(turn, call, AbortSignal.any([signal, abandoned.signal]));
  } finally {
    clearInterval(timer);
  }
}

function openOf(head: ThreadHead, { event_id }: OpenCall): OpenCall | undefined {
  return head.calls.find((call) => call.event_id === event_id);
}

function answered(head: ThreadHead, call: OpenCall): Pick<ThreadHead, 'calls'> {
  const calls = head.calls.map((open): OpenCall =>
    open.event_id === call.event_id ? { ...open, state: 'answered' } : open,
  );
  return { calls };
}

/** What a call adds to the sums: searches, tokens of a model that helped, pages fetched. */
function usageOf(turn: Turn, name: string, used: ToolUsage | undefined): Partial<Usage> {
  const fetched = name === 'web_fetch' ? { web_fetch_requests: 1 } : {};
  if (used === undefined) return fetched;
  const { model_id, ...usage } = used;
  return { ...turn.charge({ ...noRequestUsage, ...usage }, null, model_id), ...fetched };
}

/** The web tools' rules, what they judge addresses by, and where a searching model may run. */
function webFacts({ agent, context }: Turn, name: string) {
  const { inference_geo } = agent.model;
  const web = webRulesOf(agent.tools, name);
  return {
    ...(inference_geo === undefined ? {} : { inference_geo }),
    ...(web === undefined ? {} : { web, seen: seenText(context.conversation) }),
  };
}

/** That playbooks were read stands with the answer that shows them. */
function readsOf({ ports, head }: Turn, { event_id }: OpenCall, outcome: ToolOutcome): Write[] {
  const at = ports.clock.now().toISOString();
  const { session_id, thread_id } = head;
  return (outcome.playbooks ?? []).map((playbook) =>
    recordRead({ session_id, thread_id, event_id, at }, playbook),
  );
}

/** What a call has brought. */
interface Answer {
  readonly line: Line;
  readonly usage: Partial<Usage>;
  readonly writes: readonly Write[];
  readonly timedWrites?: WritesAt;
}

/** @returns false for a call that is closed already, by an interrupt that came first */
async function record(turn: Turn, call: OpenCall, answer: Answer): Promise<boolean> {
  const { line, usage, ...further } = answer;
  let is_open = true;
  const logged = await turn.writer.append((head) => {
    is_open = openOf(head, call) !== undefined;
    if (!is_open) return { lines: [] };
    const spent = Object.keys(usage).length === 0 ? {} : { session: { usage } };
    const patch = { ...answered(head, call), usage: addUsage(head.usage, usage) };
    return proceed(turn, head, { lines: [line], patch, ...spent, ...further });
  });
  turn.context.take(logged);
  return is_open;
}

/** Behind the last answer the next request begins, or the thread rests for its client. */
function proceed(turn: Turn, head: ThreadHead, change: Change): Change {
  const next = after(head, change);
  if (next.calls.some(({ state }) => state !== 'answered')) return andRest(turn, head, change);
  const done = merge(change, { lines: [], patch: { calls: [], phase: 'model' } });
  const blocked = next.queue.some(({ type }) => type === 'user.interrupt') || turn.overBudget(next);
  return blocked ? done : merge(done, beginRequest(after(head, done)));
}
