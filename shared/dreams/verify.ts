import pLimit from 'p-limit';
import { limits } from '../core/limits.ts';
import { addThinking, askFor, noThinking } from './ask.ts';
import { inTurn, together } from './awaited.ts';
import { boundFaults } from './bounds.ts';
import type { HeldEvidence } from './candidate.ts';
import { Counts } from './counts.ts';
import { quoteStands } from './evidence.ts';
import { likenessOf } from './likeness.ts';
import { ownWords } from './loss.ts';
import { changeId, inputPaths, outputPath, pathsOf, type Operation } from './operation.ts';
import { Verdicts, verifyPrompt } from './prompts/verify.ts';
import type { Repeated } from './repeats.ts';
import type { Dropped, DropReason } from './report.ts';
import type { Snapshot } from './snapshot.ts';
import type { ThinkPorts, ThinkUsage, Verification } from './thinking.ts';

/** The text of an event as pieces are made of it; undefined when there is none. */
export type EventText = (session_id: string, event_id: string) => Promise<string | undefined>;

export interface Proposed {
  readonly snapshot: Snapshot;
  readonly operations: readonly Operation[];
  /** Counts that move all the same where the operation that held them falls. */
  readonly counts: readonly Operation[];
  readonly eventText: EventText;
  /** How a quote of an agent or a grader repeats what a stranger says anywhere in its session. */
  readonly repeated: (evidence: HeldEvidence) => Repeated | undefined;
}

/**
 * Check every operation once more: each quote against the whole log, every bound, and then by a
 * request of its own that sees the operation and its evidence and may veto. One that cannot be
 * checked is dropped.
 *
 * @throws ModelError when the provider fails
 */
export async function verify(
  ports: ThinkPorts,
  proposed: Proposed,
  signal: AbortSignal,
): Promise<Verification> {
  const first = await check(ports, proposed, signal);
  const operations = countsLeft(proposed, first.operations);
  if (operations.length === 0) return first;
  const { counts: _, ...facts } = proposed;
  const counts = await check(ports, { ...facts, operations }, signal);
  return {
    operations: [...first.operations, ...counts.operations],
    dropped: [...first.dropped, ...counts.dropped],
    usage: addThinking(first.usage, counts.usage),
  };
}

/** Counts whose memory has lost its operation. */
function countsLeft({ snapshot, operations, counts }: Proposed, kept: readonly Operation[]) {
  const last = Math.max(0, ...operations.map(({ change_id }) => Number(change_id.slice(1))));
  return new Counts(snapshot, counts)
    .besides(new Set(kept.flatMap(pathsOf)))
    .map((move, n): Operation => ({ ...move, change_id: changeId(last + n + 1) }));
}

async function check(
  ports: ThinkPorts,
  { snapshot, operations, ...log }: Omit<Proposed, 'counts'>,
  signal: AbortSignal,
): Promise<Verification> {
  const dropped: Dropped[] = [];
  const limit = pLimit(limits.dream_parallel_max);
  const proven = await Promise.all(
    operations.map(async (operation) => await limit(proveQuotes, operation, log)),
  );
  for (const { lost, orders, operation } of proven) {
    dropped.push(
      ...lost.map((each) => drop('quote_not_found', operation, each.event_id)),
      ...orders.map((each) => drop('stranger_only', operation, each.event_id)),
    );
  }
  const faults = new Map(
    boundFaults(
      snapshot,
      proven.map(({ operation }) => operation),
    ).map((fault) => [fault.change_id, fault]),
  );
  const texts = new Map(snapshot.memories.map(({ path, text }) => [path, text]));
  const sound = proven
    .map(({ operation }) => operation)
    .filter(({ change_id }) => !faults.has(change_id));
  const open = sound.filter((operation) => needsJudging(operation, texts));
  const judged = await together(
    packsOf(open, texts).map(async (pack) => await limit(judge, ports, pack, { texts, signal })),
  );
  const falls = new Map(judged.flatMap((each) => [...each.falls]));
  const kept: Operation[] = [];
  for (const { operation } of proven) {
    const fault = faults.get(operation.change_id);
    const fall =
      fault === undefined
        ? falls.get(operation.change_id)
        : drop(fault.reason, operation, fault.text);
    if (fall === undefined) kept.push(operation);
    else dropped.push(fall);
  }
  const usage = judged.reduce((sum, each) => addThinking(sum, each.usage), noThinking);
  return { operations: kept, dropped, usage };
}

function drop(reason: DropReason, operation: Operation, why: string): Dropped {
  const places = [...inputPaths(operation), outputPath(operation)];
  const about = [...new Set(places)].filter((path) => path !== undefined).join(', ');
  const what = `${operation.change_id} ${operation.op} ${about}: ${why}`.slice(0, 300);
  const is_secret = reason === 'secret' || reason === 'instruction';
  return { stage: 'verify', reason, what, evidence: is_secret ? [] : operation.evidence };
}

interface Proven {
  /** With the evidence that stands. An address that only a stranger has named is no word of who repeats it. */
  readonly operation: Operation;
  readonly lost: readonly HeldEvidence[];
  /** What repeats a stranger's order: that is no evidence. */
  readonly orders: readonly HeldEvidence[];
}

async function proveQuotes(
  operation: Operation,
  { eventText, repeated }: Pick<Proposed, 'eventText' | 'repeated'>,
): Promise<Proven> {
  const stands = await Promise.all(
    operation.evidence.map(async ({ session_id, event_id, quote }) => {
      const text = await eventText(session_id, event_id);
      return text !== undefined && quoteStands(quote, text);
    }),
  );
  const lost = operation.evidence.filter((_, n) => stands[n] !== true);
  const standing = operation.evidence.filter((_, n) => stands[n] === true);
  const orders = standing.filter((each) => repeated(each) === 'order');
  const evidence = standing
    .filter((each) => !orders.includes(each))
    .map((each) => (repeated(each) === 'address' ? { ...each, speaker: 'tool' as const } : each));
  return { operation: { ...operation, evidence }, lost, orders };
}

/** Not where code has moved a count, or has found two texts to be the same: nothing is to weigh. */
function needsJudging(operation: Operation, texts: ReadonlyMap<string, string>): boolean {
  const is_same = operation.source === 'duplicates' && isOneOf(operation, texts);
  return operation.source !== 'counts' && !is_same;
}

/** Changes that go into one request: the rules are said once for all of them. */
function packsOf(
  operations: readonly Operation[],
  texts: ReadonlyMap<string, string>,
): Operation[][] {
  const packs: Operation[][] = [];
  let chars = 0;
  for (const operation of operations) {
    const size = JSON.stringify(shownOf(operation, texts)).length;
    const last = packs.at(-1);
    const has_room =
      last !== undefined &&
      last.length < limits.verify_changes_max &&
      chars + size <= limits.verify_chars_max;
    if (has_room) last.push(operation);
    else packs.push([operation]);
    chars = has_room ? chars + size : size;
  }
  return packs;
}

interface Judged {
  readonly usage: ThinkUsage;
  /** By change id: why it falls. */
  readonly falls: ReadonlyMap<string, Dropped>;
}

/** A change that an answer leaves out, and all of an answer that cannot be used, are asked about alone. */
async function judge(
  ports: ThinkPorts,
  pack: readonly Operation[],
  about: { readonly texts: ReadonlyMap<string, string>; readonly signal: AbortSignal },
): Promise<Judged> {
  const { boundary } = ports;
  const shown = pack.map((operation, n) => ({ n, ...shownOf(operation, about.texts) }));
  const question = {
    system: verifyPrompt(boundary),
    content: `<changes-${boundary}>\n${JSON.stringify(shown, null, 1)}\n</changes-${boundary}>`,
    schema: Verdicts,
  };
  const asked = await askFor(ports, question, about.signal);
  let { usage } = asked;
  const verdicts = new Map(
    'fault' in asked ? [] : asked.value.verdicts.map((verdict) => [verdict.n, verdict]),
  );
  const why = 'fault' in asked ? asked.fault : 'It was given no verdict.';
  const falls = new Map<string, Dropped>();
  await inTurn(pack.entries(), async ([n, operation]) => {
    const { change_id } = operation;
    const verdict = verdicts.get(n);
    if (verdict?.verdict === 'veto')
      falls.set(change_id, drop('vetoed', operation, verdict.reason));
    if (verdict !== undefined) return;
    if (pack.length === 1) {
      falls.set(change_id, drop('unverified', operation, why));
      return;
    }
    const alone = await judge(ports, [operation], about);
    usage = addThinking(usage, alone.usage);
    for (const [id, fall] of alone.falls) falls.set(id, fall);
  });
  return { usage, falls };
}

/** A merge of what is the same by hash, which leaves just these words. */
function isOneOf(operation: Operation, texts: ReadonlyMap<string, string>): boolean {
  if (operation.op !== 'merge') return false;
  const { hash } = likenessOf(ownWords(operation.text));
  return operation.paths.every((path) => likenessOf(ownWords(texts.get(path) ?? '')).hash === hash);
}

function shownOf(operation: Operation, texts: ReadonlyMap<string, string>): object {
  const { op, reason, evidence } = operation;
  const path = outputPath(operation);
  const paths = new Set([...inputPaths(operation), ...(path === undefined ? [] : [path])]);
  const before = [...paths].flatMap((each) => {
    const text = texts.get(each);
    return text === undefined ? [] : [{ path: each, text }];
  });
  const after = operation.op === 'retire' ? null : { path, text: operation.text };
  const named = 'removed' in operation ? operation.removed : undefined;
  const loser = 'loser' in operation ? operation.loser : undefined;
  const shown = evidence.map(({ session_id, at, speaker, outcome, quote }) => ({
    session_id,
    at,
    said_by: speaker,
    session_outcome: outcome,
    quote,
  }));
  return { op, reason, before, after, named_losses: named, superseded: loser, evidence: shown };
}
