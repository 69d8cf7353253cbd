import { limits } from '../core/limits.ts';
import { upToUnits } from '../core/text.ts';
import { fenced, plain } from '../transcripts/fence.ts';
import type { HeldEvidence } from './candidate.ts';
import type { LedgerEntry } from './ledger.ts';
import { inputPaths, outputPath, type Operation } from './operation.ts';
import type {
  DreamReport,
  DropReason,
  GateResult,
  ReportedSession,
  ReportedUse,
} from './report.ts';

/** The account of a dream, for people. What strangers wrote stands in fences or without mark-up. */
export function reportMarkdown(report: DreamReport): string {
  return [
    ...headLines(report),
    ...sessionLines(report),
    ...gateLines(report),
    ...operationLines(report),
    ...useLines(report),
    ...ledgerLines(report),
    ...droppedLines(report),
  ].join('\n');
}

function headLines(report: DreamReport): string[] {
  const { spending, cost_share, skipped } = report;
  const tokens = `${spending.input_tokens} tokens in, ${spending.cache_read_input_tokens} from the cache, ${spending.output_tokens} out`;
  const { cost_microcents, sessions_cost_microcents } = spending;
  const sessions_cost = dollars(sessions_cost_microcents);
  const share =
    cost_share === null
      ? `; the sessions had cost ${sessions_cost}`
      : `, ${(cost_share * 100).toFixed(1)} % of the ${sessions_cost} that the sessions had cost`;
  return [
    `# Dream \`${report.dream_id}\``,
    '',
    `- Model ${coded(report.model_id)}, prompts of ${report.dream_prompt_version}`,
    `- Sessions read: ${report.session_ids.length}; lessons found: ${report.candidates_count}`,
    `- Memories before: ${report.memories_before_count}; after: ${report.memories_after_count}`,
    `- Changes: ${report.operations.length}; proposals dropped: ${report.dropped.length}; pieces skipped: ${skipped.length}`,
    `- ${tokens}`,
    ...processingLines(report),
    `- Cost: ${dollars(cost_microcents)}${share}`,
    '',
  ];
}

function processingLines({ processing }: DreamReport): string[] {
  if (
    processing === undefined ||
    (processing.type === 'standard' && processing.reasons.length === 0)
  )
    return [];
  const { type, batches_count, batched_count, alone_count, reasons } = processing;
  const why = reasons.length === 0 ? '' : ` (${reasons.map(plain).join('; ')})`;
  if (type === 'standard') return [`- Asked at once, at the full price${why}`];
  const alone = alone_count === 0 ? '' : `; ${alone_count} by themselves, at the full price${why}`;
  return [
    `- Asked by ${batches_count} batches, at half the price: ${batched_count} requests${alone}`,
  ];
}

function sessionLines({ session_ids, sessions = [] }: DreamReport): string[] {
  const nameOf = namer(sessions);
  return ['## Sessions', '', ...session_ids.map((id) => `- ${nameOf(id)}`), ''];
}

type Namer = (session_id: string) => string;

/** A session by its id, which can be looked up, and what people call it, where it stands beside others. */
function namer(sessions: readonly ReportedSession[]): Namer {
  const titles = new Map(sessions.map(({ session_id, title }) => [session_id, title ?? '']));
  return (id) => {
    const title = plain(shortened(titles.get(id) ?? ''));
    return title === '' ? `\`${id}\`` : `\`${id}\` (${title})`;
  };
}

function shortened(title: string): string {
  const chars_max = limits.report_title_chars_max;
  if (title.length <= chars_max) return title;
  return `${upToUnits(title, chars_max)}…`;
}

const MICROCENTS_PER_DOLLAR = 100_000_000;

function dollars(microcents: number | null): string {
  return microcents === null
    ? 'an unknown sum'
    : `$${(microcents / MICROCENTS_PER_DOLLAR).toFixed(4)}`;
}

/** A path or a name as code, which can be read and copied; one that could break out of it as plain text. */
function coded(name: string): string {
  return /^[\w./@+ -]+$/.test(name) ? `\`${name}\`` : plain(name);
}

function gateLines({ gate }: DreamReport): string[] {
  if (gate === null) return ['## Gate', '', 'There was nothing to ask about.', ''];
  const verdict = gate.recommended ? 'recommended' : '**not recommended**';
  const asked = gate.scores.length === 0 ? '' : `: ${sumsOf(gate)}`;
  const rows = gate.scores.map(
    ({ question, old_correct, new_correct }) =>
      `| ${plain(question)} | ${word(old_correct)} | ${word(new_correct)} |`,
  );
  return [
    '## Gate',
    '',
    `The new store is ${verdict}${asked}. ${plain(gate.reason)}`.trimEnd(),
    '',
    ...(rows.length > 0 ? ['| Question | Old | New |', '|---|---|---|', ...rows, ''] : []),
  ];
}

function sumsOf({ scores, old_correct_count, new_correct_count }: GateResult): string {
  return `of ${scores.length} questions about what was known and what is new, ${old_correct_count} were answered right from the old store and ${new_correct_count} from the new one`;
}

const word = (is_right: boolean): string => (is_right ? 'right' : 'wrong');

function operationLines({ operations, sessions = [] }: DreamReport): string[] {
  const nameOf = namer(sessions);
  const lines = operations.flatMap((operation) => [
    `### ${operation.change_id}: ${titleOf(operation)}`,
    '',
    plain(operation.reason),
    '',
    ...operation.evidence.map(
      ({ session_id, event_id, at, speaker, outcome, quote }) =>
        `- ${nameOf(session_id)} / \`${event_id}\`, ${at}, said by ${speaker}, ${ends[outcome]}: "${plain(quote)}"`,
    ),
    ...(operation.evidence.length > 0 ? [''] : []),
    ...operation.edits.map(({ diff }) => fenced('diff', diff)),
  ]);
  return ['## Changes', '', ...(lines.length > 0 ? lines : ['None.', ''])];
}

/** All that it is about: what a merge leaves as it was has no diff. */
function titleOf(operation: Operation): string {
  const { op } = operation;
  const paths = inputPaths(operation);
  const to = outputPath(operation);
  if (paths.length === 0) return `${op} ${coded(to ?? '')}`;
  const from = paths.map(coded).join(', ');
  const link = op === 'merge' ? 'into' : 'by';
  return to === undefined || (paths.length === 1 && paths[0] === to)
    ? `${op} ${from}`
    : `${op} ${from} ${link} ${coded(to)}`;
}

const ends: Readonly<Record<HeldEvidence['outcome'], string>> = {
  success: 'in a session that succeeded',
  failure: 'in a session that failed',
  unknown: 'in a session that nobody has judged',
};

const use_words: Readonly<Record<ReportedUse['state'], string>> = {
  counted: 'counted',
  counted_before: 'had been counted before',
  no_verdict: 'nothing says how it went',
  dropped: 'not counted: the change was dropped',
};

function useLines({ playbook_uses, sessions = [] }: DreamReport): string[] {
  const nameOf = namer(sessions);
  if (playbook_uses.length === 0) return [];
  const lines = playbook_uses.map(({ path, session_id, event_id, verdict, state }) => {
    const said =
      verdict === null
        ? ''
        : `; ${verdict.outcome}, \`${verdict.event_id}\`, ${verdict.at}: "${plain(verdict.quote)}"`;
    return `- ${coded(path)}, read by ${nameOf(session_id)} at \`${event_id}\`: ${use_words[state]}${said}`;
  });
  return ['## Playbooks that were read', '', ...lines, ''];
}

function ledgerLines({
  ledger,
  memories_before_count,
  memories_after_count,
}: DreamReport): string[] {
  const fates = Map.groupBy(ledger.entries, ({ fate }) => fate);
  const counts = [...fates].map(([fate, entries]) => `${entries.length} ${fate}`);
  const gone = memories_before_count + ledger.added.length - memories_after_count;
  const kept = fates.get('kept') ?? [];
  const others = ledger.entries.filter(({ fate }) => fate !== 'kept');
  return [
    '## Ledger',
    '',
    `Of ${memories_before_count} memories: ${counts.join(', ') || 'none'}. Gone: ${gone}. New: ${ledger.added.length}. So there are ${memories_after_count} now.`,
    '',
    ...others.map((entry) => `- ${coded(entry.path)}: ${endOf(entry)}`),
    ...ledger.added.map(({ path, change_id }) => `- ${coded(path)}: new (${change_id})`),
    ...kept.map((entry) => `- ${coded(entry.path)}: ${endOf(entry)}`),
    '',
  ];
}

function endOf(entry: LedgerEntry): string {
  switch (entry.fate) {
    case 'kept':
      return 'kept';
    case 'revised':
      return `revised (${entry.change_id})`;
    case 'merged':
      return entry.into_path === entry.path
        ? `stays, and others were merged into it (${entry.change_id})`
        : `merged into ${coded(entry.into_path)} (${entry.change_id})`;
    case 'superseded':
      return `${newsOf(entry.path, entry.by_path)} (${entry.change_id}); until ${entry.loser.at} it said: "${plain(entry.loser.text)}"`;
    case 'retired':
      return `retired because ${plain(entry.reason)} (${entry.change_id})`;
  }
}

function newsOf(path: string, by_path: string): string {
  return path === by_path ? 'says what is newer' : `superseded by ${coded(by_path)}`;
}

function droppedLines(report: DreamReport): string[] {
  const { dropped, dropped_counts, skipped, sessions = [] } = report;
  const nameOf = namer(sessions);
  const counts = Object.entries(dropped_counts).map(
    ([reason, count]) => `- ${count} × ${reason}: ${drop_words[reason as DropReason]}`,
  );
  return [
    '## Dropped',
    '',
    ...(counts.length > 0
      ? ['Proposals that were not taken, and why:', '', ...counts, '']
      : ['Nothing.', '']),
    ...dropped.map(({ stage, reason, what }) => `- ${stage}, ${reason}: ${plain(what)}`),
    ...skipped.map(
      ({ session_id, piece, reason }) =>
        `- Not read: piece ${piece} of ${nameOf(session_id)}: ${plain(reason)}`,
    ),
    '',
  ];
}

const drop_words: Readonly<Record<DropReason, string>> = {
  bad_answer: 'the model answered with something that cannot be used.',
  no_evidence: 'no passage of a session stands behind it.',
  quote_not_found: 'what it quotes does not stand in the session.',
  secret: 'it holds a secret.',
  instruction: 'it gives orders that are not about the work.',
  stranger_only: 'only a tool, a page or a passed-on mail says so, and nobody whose word counts.',
  duplicate: 'a memory says so already.',
  not_taken: 'no change came of this lesson.',
  unknown_path: 'it is about a memory that does not exist.',
  conflicting_operation: 'another change is about the same memory.',
  hand_edited: 'it would change what a person has written, without a newer reason.',
  older_evidence: 'something newer says otherwise.',
  collapse: 'it would lose knowledge without saying so.',
  too_large: 'the text is longer than a memory may be.',
  bad_path: 'no memory can have that path.',
  bad_playbook: 'the text is no playbook.',
  no_change: 'it changes nothing.',
  too_many: 'there were more of them than one dream takes.',
  vetoed: 'a second look of the model refused it.',
  unverified: 'the second look brought no answer.',
  changed_meanwhile: 'others changed the memory while the dream ran.',
  store_full: 'the store holds as many memories as it may.',
};
