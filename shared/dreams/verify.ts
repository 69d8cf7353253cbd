import pLimit from 'p-limit';
import { limits } from '../core/limits.ts';
import { addThinking, askFor, noThinking } from './ask.ts';
import { boundFaults } from './bounds.ts';
import type { HeldEvidence } from './candidate.ts';
import { Counts } from './counts.ts';
import { quoteStands } from './evidence.ts';
import { likenessOf } from './likeness.ts';
import { ownWords } from './loss.ts';
import { changeId, inputPaths, outputPath, pathsOf, type Operation } from './operation.ts';
import { Verdict, verifyPrompt } from './prompts/verify.ts';
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
}

/**
 * Check every operation once more: each quote against the log itself, every bound, and then by a
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
  const { snapshot, eventText } = proposed;
  const counts = await check(ports, { snapshot, eventText, operations }, signal);
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
  { snapshot, operations, eventText }: Omit<Proposed, 'counts'>,
  signal: AbortSignal,
): Promise<Verification> {
  const dropped: Dropped[] = [];
  const limit = pLimit(limits.dream_parallel_max);
  const proven = await Promise.all(
    operations.map(async (operation) => await limit(proveQuotes, operation, eventText)),
  );
  for (const { lost, operation } of proven) {
    dropped.push(...lost.map((each) => drop('quote_not_found', operation, each.event_id)));
  }
  const faults = new Map(
    boundFaults(
      snapshot,
      proven.map(({ operation }) => operation),
    ).map((fault) => [fault.change_id, fault]),
  );
  const texts = new Map(snapshot.memories.map(({ path, text }) => [path, text]));
  const judged = await Promise.all(
    proven.map(async ({ operation }) => {
      const fault = faults.get(operation.change_id);
      return fault === undefined
        ? await limit(judge, ports, operation, { texts, signal })
        : { usage: noThinking, fall: drop(fault.reason, operation, fault.text) };
    }),
  );
  let usage: ThinkUsage = noThinking;
  const kept: Operation[] = [];
  for (const [n, { operation }] of proven.entries()) {
    const verdict = judged[n];
    if (verdict === undefined) continue;
    usage = addThinking(usage, verdict.usage);
    if (verdict.fall === undefined) kept.push(operation);
    else dropped.push(verdict.fall);
  }
  return { operations: kept, dropped, usage };
}

function drop(reason: DropReason, operation: Operation, why: string): Dropped {
  const places = [...inputPaths(operation), outputPath(operation)];
  const about = [...new Set(places)].filter((path) => path !== undefined).join(', ');
  const what = `${operation.change_id} ${operation.op} ${about}: ${why}`.slice(0, 300);
  const is_secret = reason === 'secret' || reason === 'instruction';
  return { stage: 'verify', reason, what, evidence: is_secret ? [] : operation.evidence };
}

/** An operation with the evidence that stands, and what does not. */
async function proveQuotes(
  operation: Operation,
  eventText: EventText,
): Promise<{ readonly operation: Operation; readonly lost: readonly HeldEvidence[] }> {
  const stands = await Promise.all(
    operation.evidence.map(async ({ session_id, event_id, quote }) => {
      const text = await eventText(session_id, event_id);
      return text !== undefined && quoteStands(quote, text);
    }),
  );
  const evidence = operation.evidence.filter((_, n) => stands[n] === true);
  const lost = operation.evidence.filter((_, n) => stands[n] !== true);
  return { operation: { ...operation, evidence }, lost };
}

async function judge(
  ports: ThinkPorts,
  operation: Operation,
  { texts, signal }: { readonly texts: ReadonlyMap<string, string>; readonly signal: AbortSignal },
): Promise<{ readonly usage: ThinkUsage; readonly fall?: Dropped }> {
  // Code has moved a count, or has found two texts to be the same: there is nothing to weigh.
  const is_same = operation.source === 'duplicates' && isOneOf(operation, texts);
  if (operation.source === 'counts' || is_same) return { usage: noThinking };
  const question = {
    system: verifyPrompt(ports.boundary),
    content: contentOf(operation, texts, ports.boundary),
    schema: Verdict,
  };
  const asked = await askFor(ports, question, signal);
  const { usage } = asked;
  if ('fault' in asked) return { usage, fall: drop('unverified', operation, asked.fault) };
  if (asked.value.verdict === 'keep') return { usage };
  return { usage, fall: drop('vetoed', operation, asked.value.reason) };
}

/** A merge of what is the same by hash, which leaves one of its memories as it is. */
function isOneOf(operation: Operation, texts: ReadonlyMap<string, string>): boolean {
  if (operation.op !== 'merge' || texts.get(operation.path) !== operation.text) return false;
  const { hash } = likenessOf(ownWords(operation.text));
  return operation.paths.every((path) => likenessOf(ownWords(texts.get(path) ?? '')).hash === hash);
}

function contentOf(
  operation: Operation,
  texts: ReadonlyMap<string, string>,
  boundary: string,
): string {
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
  const change = { op, reason, before, after, named_losses: named, superseded: loser };
  const shown = evidence.map(({ session_id, event_id, at, speaker, outcome, quote }) => ({
    session_id,
    event_id,
    at,
    said_by: speaker,
    session_outcome: outcome,
    quote,
  }));
  return [
    `<change-${boundary}>\n${JSON.stringify(change, null, 1)}\n</change-${boundary}>`,
    `<evidence-${boundary}>\n${JSON.stringify(shown, null, 1)}\n</evidence-${boundary}>`,
  ].join('\n\n');
}
