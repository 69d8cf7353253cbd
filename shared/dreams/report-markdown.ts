import { fenced, plain } from '../transcripts/fence.ts';
import type { LedgerEntry } from './ledger.ts';
import type { DreamReport, ReportedUse } from './report.ts';

/** The account of a dream, for people. What strangers wrote stands in fences or without mark-up. */
export function reportMarkdown(report: DreamReport): string {
  return [
    ...headLines(report),
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
  const share = cost_share === null ? '' : `, ${(cost_share * 100).toFixed(1)} % of that`;
  return [
    `# Dream \`${report.dream_id}\``,
    '',
    `- Model ${coded(report.model_id)}, prompts of ${report.dream_prompt_version}`,
    `- Sessions read: ${report.session_ids.length}; lessons found: ${report.candidates_count}`,
    `- Memories before: ${report.memories_before_count}; after: ${report.memories_after_count}`,
    `- Changes: ${report.operations.length}; proposals dropped: ${report.dropped.length}; pieces skipped: ${skipped.length}`,
    `- ${tokens}`,
    ...processingLines(report),
    `- Cost: ${dollars(cost_microcents)}; the sessions had cost ${dollars(sessions_cost_microcents)}${share}`,
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
  const sums = `${gate.old_correct_count} right with the old store, ${gate.new_correct_count} with the new one, of ${gate.scores.length} questions`;
  const rows = gate.scores.map(
    ({ question, old_correct, new_correct }) =>
      `| ${plain(question)} | ${word(old_correct)} | ${word(new_correct)} |`,
  );
  return [
    '## Gate',
    '',
    `The new store is ${verdict}: ${sums}. ${plain(gate.reason)}`,
    '',
    ...(rows.length > 0 ? ['| Question | Old | New |', '|---|---|---|', ...rows, ''] : []),
  ];
}

const word = (is_right: boolean): string => (is_right ? 'right' : 'wrong');

function operationLines({ operations }: DreamReport): string[] {
  const lines = operations.flatMap(({ change_id, op, reason, evidence, edits }) => [
    `### ${change_id}: ${op} ${edits.map(({ path }) => coded(path)).join(', ')}`,
    '',
    plain(reason),
    '',
    ...evidence.map(
      ({ session_id, event_id, at, speaker, outcome, quote }) =>
        `- \`${session_id}\` / \`${event_id}\`, ${at}, said by ${speaker}, session: ${outcome}: "${plain(quote)}"`,
    ),
    '',
    ...edits.map(({ diff }) => fenced('diff', diff)),
  ]);
  return ['## Changes', '', ...(lines.length > 0 ? lines : ['None.', ''])];
}

const use_words: Readonly<Record<ReportedUse['state'], string>> = {
  counted: 'counted',
  counted_before: 'had been counted before',
  no_verdict: 'nothing says how it went',
  dropped: 'not counted: the change was dropped',
};

function useLines({ playbook_uses }: DreamReport): string[] {
  if (playbook_uses.length === 0) return [];
  const lines = playbook_uses.map(({ path, session_id, event_id, verdict, state }) => {
    const said =
      verdict === null
        ? ''
        : `; ${verdict.outcome}, \`${verdict.event_id}\`, ${verdict.at}: "${plain(verdict.quote)}"`;
    return `- ${coded(path)}, read by \`${session_id}\` (\`${event_id}\`): ${use_words[state]}${said}`;
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
  const kept = fates.get('kept') ?? [];
  const others = ledger.entries.filter(({ fate }) => fate !== 'kept');
  return [
    '## Ledger',
    '',
    `Of ${memories_before_count} memories: ${counts.join(', ') || 'none'}. New: ${ledger.added.length}. So there are ${memories_after_count} now.`,
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
      return `merged into ${coded(entry.into_path)} (${entry.change_id})`;
    case 'superseded':
      return `superseded by ${coded(entry.by_path)} (${entry.change_id}); until ${entry.loser.at} it said: "${plain(entry.loser.text)}"`;
    case 'retired':
      return `retired because ${plain(entry.reason)} (${entry.change_id})`;
  }
}

function droppedLines({ dropped, dropped_counts, skipped }: DreamReport): string[] {
  const counts = Object.entries(dropped_counts).map(([reason, count]) => `${reason} ${count}`);
  return [
    '## Dropped',
    '',
    counts.length > 0 ? `${counts.join(', ')}.` : 'Nothing.',
    '',
    ...dropped.map(({ stage, reason, what }) => `- ${stage}, ${reason}: ${plain(what)}`),
    ...skipped.map(
      ({ session_id, piece, reason }) =>
        `- Not read: piece ${piece} of \`${session_id}\`: ${plain(reason)}`,
    ),
    '',
  ];
}
