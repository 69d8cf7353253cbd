import type { HeldEvidence } from '../dreams/candidate.ts';
import type { LedgerEntry } from '../dreams/ledger.ts';
import type { Operation } from '../dreams/operation.ts';
import { REDACTED } from '../dreams/redacted.ts';
import type { DreamReport, Dropped, GateResult, ReportedUse } from '../dreams/report.ts';
import type { Snapshot } from '../dreams/snapshot.ts';
import { INDEX_PATH } from '../playbooks/index-page.ts';

/** What of one dream says what memories said that are redacted. */
export interface Touched {
  readonly version_ids: ReadonlySet<string>;
  /** Instead of paths, which are redacted too: names that tell the memories apart. */
  readonly names: ReadonlyMap<string, string>;
  readonly change_ids: ReadonlySet<string>;
}

/** What stands for the path of a memory in the account of a dream. */
export function nameFor(memory_id: string): string {
  return `/${REDACTED}/${memory_id}`;
}

export function scrubSnapshot(snapshot: Snapshot, { version_ids }: Touched): Snapshot {
  const memories = snapshot.memories.map((memory) => {
    if (version_ids.has(memory.memory_version_id)) {
      return { ...memory, path: nameFor(memory.memory_id), text: '', redacted: true as const };
    }
    // It has the first lines of the others, and no change is made from it.
    return memory.path === INDEX_PATH ? { ...memory, text: '' } : memory;
  });
  return { ...snapshot, memories };
}

export function scrubOperations(
  operations: readonly Operation[],
  { change_ids, names }: Touched,
): Operation[] {
  return operations.map((operation) =>
    named(change_ids.has(operation.change_id) ? silent(operation) : operation, names),
  );
}

/**
 * The account of a dream without what memories said. What cannot be put down to one memory (questions of
 * the gate, what a model said of proposals that fell, the index) goes whole; ids, kinds and counts stay.
 */
export function scrubReport(report: DreamReport, touched: Touched): DreamReport {
  const { change_ids, names } = touched;
  const scrubbed: DreamReport = {
    ...report,
    operations: report.operations.map((operation) =>
      change_ids.has(operation.change_id)
        ? { ...silent(operation), edits: operation.edits.map((edit) => ({ ...edit, ...silence })) }
        : operation,
    ),
    index: report.index && { ...report.index, ...silence },
    ledger: {
      ...report.ledger,
      entries: report.ledger.entries.map((entry) =>
        'change_id' in entry && change_ids.has(entry.change_id) ? silentEntry(entry) : entry,
      ),
    },
    dropped: report.dropped.map((one) => ({ ...one, what: REDACTED, ...unquoted(one) })),
    gate: report.gate && withoutQuestions(report.gate, () => true),
  };
  return named(scrubbed, names);
}

const silence = { diff: REDACTED };

function silent<Kind extends Operation>(operation: Kind): Kind {
  return {
    ...operation,
    redacted: true,
    reason: REDACTED,
    ...unquoted(operation),
    ...('text' in operation ? { text: REDACTED } : {}),
    ...('removed' in operation
      ? { removed: operation.removed.map(() => ({ what: REDACTED, why: REDACTED })) }
      : {}),
    ...('loser' in operation ? { loser: { ...operation.loser, text: REDACTED } } : {}),
  };
}

function silentEntry(entry: LedgerEntry): LedgerEntry {
  if (entry.fate === 'retired') return { ...entry, reason: REDACTED };
  if (entry.fate !== 'superseded') return entry;
  return { ...entry, loser: { ...entry.loser, text: REDACTED } };
}

interface Quoting {
  readonly evidence: readonly HeldEvidence[];
}

/** Where a quote stands is still known: it can be looked up there as long as it does. */
function unquoted(
  { evidence }: Quoting,
  is_gone: (evidence: HeldEvidence) => boolean = () => true,
): Quoting {
  return { evidence: evidence.map((one) => (is_gone(one) ? { ...one, quote: REDACTED } : one)) };
}

function withoutQuestions(
  gate: GateResult,
  is_gone: (from: GateResult['scores'][number]['from']) => boolean,
): GateResult {
  const scores = gate.scores.map((score) =>
    is_gone(score.from) ? { ...score, question: REDACTED, expected: REDACTED } : score,
  );
  return { ...gate, scores };
}

/** Paths stand by themselves wherever they are fields. */
function named<Value>(value: Value, names: ReadonlyMap<string, string>): Value {
  return mapped(value, (text) => names.get(text) ?? text) as Value;
}

function mapped(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((one) => mapped(one, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, mapped(one, change)]),
  );
}

/** Operations without the words of a session that is deleted; what was learned from it stays. */
export function forgetQuotes(operations: readonly Operation[], session_id: string): Operation[] {
  const is_gone = ofSession(session_id);
  return operations.map((operation) => ({
    ...operation,
    ...unquoted(operation, is_gone),
    ...('text' in operation ? { text: withoutQuotes(operation.text, session_id) } : {}),
  }));
}

/** The account without the words, and the title, of a session that is deleted. */
export function forgetSession(report: DreamReport, session_id: string): DreamReport {
  const is_gone = ofSession(session_id);
  const sessions = report.sessions?.map((one) =>
    one.session_id === session_id ? { ...one, title: null } : one,
  );
  return {
    ...report,
    ...(sessions === undefined ? {} : { sessions }),
    operations: report.operations.map((operation) => ({
      ...forgotten(operation, session_id),
      edits: operation.edits.map((edit) => ({
        ...edit,
        diff: withoutQuotes(edit.diff, session_id),
      })),
    })),
    dropped: report.dropped.map((one) => forgetDropped(one, session_id)),
    playbook_uses: report.playbook_uses.map((use) => forgetUse(use, is_gone)),
    // Nothing says which session a question is from.
    gate: report.gate && withoutQuestions(report.gate, (from) => from === 'evidence'),
  };
}

function ofSession(session_id: string): (evidence: HeldEvidence) => boolean {
  return (evidence) => evidence.session_id === session_id;
}

function forgotten<Kind extends Operation>(operation: Kind, session_id: string): Kind {
  return forgetQuotes([operation], session_id)[0] as Kind;
}

/** What has no evidence may be from any session. */
function forgetDropped(dropped: Dropped, session_id: string): Dropped {
  const is_gone = ofSession(session_id);
  const { evidence } = dropped;
  if (evidence.length > 0 && !evidence.some(is_gone)) return dropped;
  return { ...dropped, what: REDACTED, ...unquoted(dropped, is_gone) };
}

function forgetUse(use: ReportedUse, is_gone: (evidence: HeldEvidence) => boolean): ReportedUse {
  const { verdict } = use;
  if (verdict === null || !is_gone(verdict)) return use;
  return { ...use, verdict: { ...verdict, quote: REDACTED } };
}

/** A line of a playbook's evidence, as it stands there or in a diff. */
const EVIDENCE = /^([-+ ]?[ \t]*- )(\{.*"session_id".*\})$/gm;

/** A text, or a diff, whose playbooks quote the session no more. */
function withoutQuotes(text: string, session_id: string): string {
  return text.replaceAll(EVIDENCE, (line: string, before: string, json: string) => {
    const evidence = parsed(json);
    if (evidence?.session_id !== session_id) return line;
    return `${before}${JSON.stringify({ ...evidence, quote: REDACTED })}`;
  });
}

function parsed(json: string): { readonly session_id?: unknown } | undefined {
  try {
    return JSON.parse(json) as { readonly session_id?: unknown };
  } catch {
    return undefined;
  }
}
