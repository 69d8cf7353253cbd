import type { Conflict } from '../files/commit.ts';
import type { Kept } from './keep-changes.ts';
import { told, type ToolOutcome } from './tools.ts';

/** More lines tell a model nothing new. */
const LINES_MAX = 30;

/** Of a tool that writes one file: what could not be kept was not written. */
export function singleOutcome(outcome: ToolOutcome, { not_kept, failure }: Kept): ToolOutcome {
  const [lost] = not_kept.filter(({ lost_sha256 }) => lost_sha256 !== undefined);
  if (lost !== undefined) return told(`${lost.path} was not written: ${lost.reason}`, true);
  return failure === undefined ? outcome : withFailure(outcome, failure);
}

/** Of a command: what it did, and what became of it. */
export function commandOutcome(outcome: ToolOutcome, kept: Kept): ToolOutcome {
  let told_so = outcome;
  if (kept.conflicts.length > 0) {
    const lines = conflictLines(kept.conflicts, 'the other thread');
    told_so = withText(
      told_so,
      `[Another thread changed the same files while this command ran:\n${lines}]`,
    );
  }
  if (kept.memory_conflicts.length > 0) {
    const lines = conflictLines(kept.memory_conflicts, 'the other writer');
    told_so = withText(
      told_so,
      `[Others changed the same memories while this command ran:\n${lines}]`,
    );
  }
  if (kept.not_kept.length > 0) told_so = withLosses(told_so, kept.not_kept);
  return kept.failure === undefined ? told_so : withFailure(told_so, kept.failure);
}

function withLosses(outcome: ToolOutcome, not_kept: Kept['not_kept']): ToolOutcome {
  const lines = linesOf(not_kept.map(({ path, reason }) => `${path}: ${reason}`));
  const is_loss = not_kept.some(({ lost_sha256 }) => lost_sha256 !== undefined);
  return {
    ...withText(outcome, `[Not kept as this command left it:\n${lines}]`),
    is_error: outcome.is_error || is_loss,
  };
}

function withFailure(outcome: ToolOutcome, failure: string): ToolOutcome {
  const text = `[The changed files were not kept, or not all. ${failure}]`;
  return { ...withText(outcome, text), is_error: true };
}

function withText(outcome: ToolOutcome, text: string): ToolOutcome {
  return { ...outcome, content: [...outcome.content, { type: 'text', text }] };
}

function conflictLines(conflicts: readonly Conflict[], other: string): string {
  return linesOf(
    conflicts.map(({ path, saved_as, is_joined }) => {
      if (is_joined === true)
        return `${path}: both have appended; ${other}'s addition comes first.`;
      return saved_as === undefined
        ? `${path}: this command removed it, ${other} changed it; it is kept.`
        : `${path}: ${other}'s version is kept; this command's version is in ${saved_as}.`;
    }),
  );
}

function linesOf(lines: readonly string[]): string {
  const rest = lines.length - LINES_MAX;
  return [...lines.slice(0, LINES_MAX), ...(rest > 0 ? [`and ${rest} more`] : [])].join('\n');
}
