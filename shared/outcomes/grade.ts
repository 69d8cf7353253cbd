import type {
  BetaContentBlock,
  BetaToolUseBlock,
} from '@anthropic-ai/sdk/resources/beta/messages/messages';
import { limits } from '../core/limits.ts';
import { upToUnits } from '../core/text.ts';
import { aborted, ModelError } from '../models/model-error.ts';
import type { Assignment } from './assignment.ts';
import { Conversation, Audit, type ToolAnswer } from './conversation.ts';
import { criteriaOf, type Criterion } from './criteria.ts';
import { Desk } from './desk.ts';
import { checkEvidence, findQuotes, type Checked } from './evidence.ts';
import { explain, type Judged } from './explanation.ts';
import { fitOf } from './fit.ts';
import { namedPaths, outputs } from './graded-files.ts';
import type { GradeOptions, GradePorts, Grading, Verdict } from './grading.ts';
import { briefOf, grader_prompt_version, graderTools, instructions } from './prompts.ts';
import { foldersOf, Reading, said } from './reading.ts';
import { Ballot } from './submission.ts';

/** Everything that one grading works with. */
interface Bench {
  readonly ports: GradePorts;
  readonly assignment: Assignment;
  readonly criteria: readonly Criterion[];
  readonly desk: Desk;
  readonly reading: Reading;
  readonly conversation: Conversation;
  readonly audit: Audit;
  readonly ballot: Ballot;
  /** Criteria whose evidence was asked for again. */
  readonly doubted: Set<string>;
  repeats_count: number;
}

type Checks = ReadonlyMap<string, Checked>;

/**
 * Judge what a session has handed over, by its rubric alone: the requests hold description, rubric
 * and deliverables, and nothing of how the agent worked. Nothing is written anywhere, so a grading
 * that was lost is done again from its beginning.
 *
 * `satisfied` only when every criterion is met and its evidence holds. `failed` only when the grader
 * says that rubric and task do not fit, has judged no more than half of the criteria all the same,
 * and a second look without the deliverables agrees. Everything else is `needs_revision`, also an
 * answer that stays unusable after `limits.grader_repeats_max` repeats.
 *
 * @throws ModelError for whatever the provider does; also when the time ends (then it is retryable).
 */
export async function grade(
  ports: GradePorts,
  grading: Grading,
  options: GradeOptions,
): Promise<Verdict> {
  const audit = new Audit(ports, grading, options.spent);
  const criteria = criteriaOf(grading.rubric);
  if (criteria.length === 0) {
    const ruling: Ruling = { result: 'failed', why: 'The rubric is empty.', criteria: [] };
    return plainVerdict(audit, grader_prompt_version, ruling);
  }
  return await judge(ports, audit, assignmentOf(audit, grading, criteria), options);
}

/** By its rubric alone. */
function assignmentOf(audit: Audit, grading: Grading, criteria: readonly Criterion[]): Assignment {
  const { description, rubric, outcome_id, iteration, start_event_id } = grading;
  return {
    ...grading,
    event_id: start_event_id,
    noted: { outcome_id, iteration, start_event_id, grader_prompt_version },
    criteria,
    task_texts: [description, rubric],
    pages: new Map(),
    instructions,
    brief: (boundary, seen) => briefOf(boundary, { description, rubric, criteria, ...seen }),
    unjudged: 'not_met',
    fit: async (signal) => await fitOf(audit, grading, signal),
    grader_prompt_version,
  };
}

/**
 * Have a grader work through an assignment, within the time of the caller.
 *
 * @throws ModelError
 */
export async function judge(
  ports: GradePorts,
  audit: Audit,
  assignment: Assignment,
  options: GradeOptions,
): Promise<Verdict> {
  return await withinTime(ports, options, async (signal) => {
    const bench = await benchFor(ports, audit, assignment);
    return await converse(bench, options.deadline_ms, signal);
  });
}

/** Run with a heartbeat, until the caller or the clock stops it. */
async function withinTime<T>(
  { clock }: GradePorts,
  { signal, deadline_ms, heartbeat }: GradeOptions,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const own = new AbortController();
  const left_ms = Math.max(0, deadline_ms - clock.now().getTime());
  const timer = setTimeout(() => own.abort(tooSlow()), left_ms);
  const beats = setInterval(() => {
    heartbeat().catch((error: unknown) => own.abort(error));
  }, limits.grader_heartbeat_ms);
  try {
    return await run(AbortSignal.any([signal, own.signal]));
  } catch (error) {
    if (signal.aborted) throw aborted(error);
    throw own.signal.aborted ? own.signal.reason : error;
  } finally {
    clearTimeout(timer);
    clearInterval(beats);
  }
}

function tooSlow(): ModelError {
  const message = 'The grading took longer than it may.';
  return new ModelError(message, { kind: 'failed', retryable: true });
}

async function benchFor(ports: GradePorts, audit: Audit, assignment: Assignment): Promise<Bench> {
  const { session_id, event_id, model, web, criteria, task_texts, pages } = assignment;
  const folders = foldersOf(namedPaths(task_texts.join('\n')));
  const files = await ports.files({ session_id, event_id }, folders);
  const desk = new Desk({ files, folders, dialer: ports.dialer, web, task_texts, pages });
  const boundary = ports.newName();
  const { note, data = '' } = desk.list(outputs, 0);
  audit.note('begin', {
    ...assignment.noted,
    model: model.id,
    boundary,
    deliverables: desk.files.map(({ path, size_bytes, sha256 }) => ({ path, size_bytes, sha256 })),
  });
  const first = assignment.brief(boundary, { folders, listing: { note, data } });
  const script = { system: assignment.instructions, tools: graderTools(web !== null), first };
  return {
    ports,
    assignment,
    criteria,
    desk,
    reading: new Reading(desk, boundary),
    conversation: new Conversation(audit, script, model.id),
    audit,
    ballot: new Ballot(criteria),
    doubted: new Set(),
    repeats_count: 0,
  };
}

async function converse(bench: Bench, deadline_ms: number, signal: AbortSignal): Promise<Verdict> {
  const { conversation, desk, reading, ports } = bench;
  for (let round = 1; round <= limits.grader_rounds_max; round++) {
    const reply = await conversation.next(signal, () => desk.unshow());
    const calls = reply.stop_reason === 'refusal' ? [] : reply.content.filter(isCall);
    // A newer submission in the same reply replaces an older one.
    const submitted = calls.findLast(({ name }) => name === 'submit_verdict');
    if (submitted !== undefined) {
      const ended = await submit(bench, calls, submitted, signal);
      if (ended !== undefined) return ended;
      continue;
    }
    if (calls.length === 0) {
      if (!mayRepeat(bench)) break;
      conversation.tell([], 'That was no verdict. Call submit_verdict.');
      continue;
    }
    const is_late = deadline_ms - ports.clock.now().getTime() < limits.grader_reserve_ms;
    reading.beginRound(is_late ? 0 : conversation.room_chars);
    const answers: ToolAnswer[] = [];
    for (const call of calls) answers.push(await reading.answer(call, signal));
    conversation.tell(answers);
  }
  return conclude(bench, await checkAll(bench, signal), ['It was never handed in.']);
}

function isCall(block: BetaContentBlock): block is BetaToolUseBlock {
  return block.type === 'tool_use';
}

function mayRepeat(bench: Bench): boolean {
  bench.repeats_count += 1;
  return bench.repeats_count <= limits.grader_repeats_max;
}

/** Take a submission in. @returns the verdict, unless something is to be asked again */
async function submit(
  bench: Bench,
  calls: readonly BetaToolUseBlock[],
  submitted: BetaToolUseBlock,
  signal: AbortSignal,
): Promise<Verdict | undefined> {
  const { ballot, conversation, audit } = bench;
  const faults = ballot.take(submitted.input);
  if (ballot.misfit !== undefined) {
    if (await isMisfit(bench, ballot.misfit, signal)) return failed(bench, ballot.misfit);
    faults.push('The rubric can be applied to this task: judge every criterion.');
  }
  if (ballot.open.length > 0) faults.push(`No valid verdict on: ${ballot.open.join(', ')}.`);
  const checks = await checkAll(bench, signal);
  const doubts = doubtsOf(bench, checks);
  audit.note('checked', { faults, doubts });
  const is_repeated = faults.length > 0 && mayRepeat(bench);
  if (!is_repeated && doubts.length === 0) return conclude(bench, checks, faults);
  const text = ['The verdict is not accepted yet:', ...faults, ...doubts].join('\n- ');
  const again = `${text}\nCorrect it and call submit_verdict again.`;
  conversation.tell(
    calls.map((call) => said(call, call === submitted ? again : 'Not used.', true)),
  );
  return undefined;
}

/** Evidence of a `met` that does not hold is asked for again, once for each criterion. */
function doubtsOf({ criteria, ballot, doubted }: Bench, checks: Checks): string[] {
  return criteria.flatMap(({ id }) => {
    const faults = checks.get(id)?.faults ?? [];
    if (ballot.of(id)?.verdict !== 'met' || faults.length === 0 || doubted.has(id)) return [];
    doubted.add(id);
    return [`The evidence of ${id} does not hold: ${faults.join('; ')}.`];
  });
}

async function checkAll(bench: Bench, signal: AbortSignal): Promise<Checks> {
  const { criteria, ballot, desk } = bench;
  const entries = criteria.flatMap(({ id }) => ballot.of(id) ?? []);
  const all = entries.flatMap(({ evidence }) => evidence);
  const found = await findQuotes(desk, all, signal);
  const checks = new Map<string, Checked>();
  for (const criterion of criteria) {
    const entry = ballot.of(criterion.id);
    if (entry === undefined) continue;
    checks.set(criterion.id, checkEvidence(desk, criterion, entry, found));
  }
  return checks;
}

/** Who has judged most of the criteria has shown that the rubric can be applied. */
async function isMisfit(bench: Bench, reason: string, signal: AbortSignal): Promise<boolean> {
  const { ballot, criteria, audit, assignment } = bench;
  const is_judged = ballot.judged_count * 2 > criteria.length;
  const fit = is_judged ? { fits: true } : await assignment.fit(signal);
  audit.note('checked', { misfit: reason, is_judged, fit });
  return !fit.fits;
}

function failed(bench: Bench, misfit: string): Verdict {
  const why = `The rubric does not fit the task: ${upToUnits(misfit, limits.reason_chars_max)}`;
  const criteria = bench.criteria.map((criterion) => judged(bench, criterion, undefined));
  return verdictOf(bench, { result: 'failed', why, criteria });
}

/** @param faults What is wrong with the answer that is taken after all: it is no pass then. */
function conclude(bench: Bench, checks: Checks, faults: readonly string[]): Verdict {
  const criteria = bench.criteria.map((one) => judged(bench, one, checks.get(one.id)));
  const is_met = criteria.every(({ verdict }) => verdict === 'met');
  const result = is_met && faults.length === 0 ? 'satisfied' : 'needs_revision';
  const unusable = `The grader gave no usable verdict: ${upToUnits(faults.join(' '), 1_000)}\n`;
  const why = (faults.length === 0 ? '' : unusable) + explain(criteria);
  return verdictOf(bench, { result, why, criteria });
}

function judged(
  { ballot, assignment }: Bench,
  { id, text }: Criterion,
  checked: Checked | undefined,
): Judged {
  const entry = ballot.of(id);
  if (entry === undefined) {
    const reason = 'The grader gave no usable verdict on it.';
    return { id, text, verdict: assignment.unjudged, reason, evidence: [] };
  }
  const evidence = checked?.held ?? [];
  const faults = checked?.faults ?? ['it was not checked'];
  if (entry.verdict !== 'met' || faults.length === 0) {
    return { id, text, verdict: entry.verdict, reason: entry.reason, evidence };
  }
  const reason = `The evidence for it does not hold: ${faults.join('; ')}. What was said of it: ${entry.reason}`;
  return { id, text, verdict: 'cannot_tell', reason, evidence };
}

interface Ruling {
  readonly result: Verdict['result'];
  readonly why: string;
  readonly criteria: readonly Judged[];
}

function verdictOf({ audit, desk, assignment }: Bench, ruling: Ruling): Verdict {
  const { grader_prompt_version } = assignment;
  const verdict = plainVerdict(audit, grader_prompt_version, ruling);
  return {
    ...verdict,
    usage: { ...verdict.usage, web_fetch_requests: desk.fetches_count },
  };
}

function plainVerdict(audit: Audit, version: string, { result, why, criteria }: Ruling): Verdict {
  audit.note('end', { result, criteria });
  return {
    result,
    explanation: why,
    criteria,
    usage: audit.usage,
    grader_prompt_version: version,
    transcript: audit.lines,
  };
}
