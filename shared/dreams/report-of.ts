import { unifiedOf } from '../memory-history/hunks.ts';
import type { Applied } from './apply-operations.ts';
import type { JudgedUse } from '../playbooks/count-uses.ts';
import type { Operation } from './operation.ts';
import { reportedUses } from './reported-uses.ts';
import type {
  DreamReport,
  Dropped,
  DropReason,
  Edit,
  EditDiff,
  ReportedSession,
} from './report.ts';
import { secretIn } from './secrets.ts';
import type { Snapshot } from './snapshot.ts';

/** What is known of a dream when it ends. */
export interface DreamFacts extends Pick<
  DreamReport,
  | 'dream_id'
  | 'dream_prompt_version'
  | 'model_id'
  | 'session_ids'
  | 'candidates_count'
  | 'dropped'
  | 'skipped'
  | 'gate'
  | 'processing'
  | 'spending'
> {
  readonly sessions: readonly ReportedSession[];
  readonly uses: readonly JudgedUse[];
  readonly snapshot: Snapshot;
  readonly operations: readonly Operation[];
  readonly applied: Applied;
}

/** The account of a dream, for programs. */
export function reportOf(facts: DreamFacts): DreamReport {
  const { uses, snapshot, operations, applied, ...rest } = facts;
  const { cost_microcents, sessions_cost_microcents } = rest.spending;
  const is_share_known = cost_microcents !== null && (sessions_cost_microcents ?? 0) > 0;
  return {
    type: 'dream_report',
    ...rest,
    sessions: rest.sessions.map(openTitle),
    dropped: rest.dropped.map(withoutSecrets),
    memories_before_count: snapshot.memories.length,
    memories_after_count: applied.next.size,
    operations: operations.map((operation) => ({
      ...operation,
      edits: diffsOf(applied.edits, operation.change_id),
    })),
    playbook_uses: reportedUses(uses, snapshot, operations),
    index: diffsOf(applied.edits, 'index')[0] ?? null,
    ledger: applied.ledger,
    dropped_counts: countsOf(rest.dropped),
    cost_share: is_share_known ? cost_microcents / (sessions_cost_microcents ?? 1) : null,
  };
}

function openTitle({ session_id, title }: ReportedSession): ReportedSession {
  return { session_id, title: title === null || secretIn(title) === undefined ? title : null };
}

/** What a model has said of a proposal that fell: it may hold what the proposal fell for. */
function withoutSecrets(dropped: Dropped): Dropped {
  if (secretIn(dropped.what) === undefined) return dropped;
  return { ...dropped, what: 'It holds a secret, and is not shown.', evidence: [] };
}

function diffsOf(edits: readonly Edit[], change_id: string): EditDiff[] {
  return edits
    .filter(({ change_ids }) => change_ids.includes(change_id))
    .map(({ path, before, after }) => ({
      path,
      diff: unifiedOf({
        from_path: before === null ? undefined : path,
        to_path: after === null ? undefined : path,
        from: before?.text ?? '',
        to: after ?? '',
      }),
    }));
}

export function countsOf(dropped: readonly Dropped[]): Partial<Record<DropReason, number>> {
  const counts: Partial<Record<DropReason, number>> = {};
  for (const { reason } of dropped) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}
