import { limits } from '../core/limits.ts';
import type { ChorePorts } from '../core/due.ts';
import { ConditionFailed, type Row, type Update } from '../core/table.ts';
import type { Runs } from '../sessions/runs.ts';
import { executionName } from '../sessions/session.ts';
import { reportDue, type ReportRow } from './report.ts';

/**
 * A report that is still due after a while: its execution may have gone with the local host, or have
 * failed before it came so far. While it is alive it is left alone; else the run is given another
 * execution, which finds nothing to do but the report, and at last it is said that there is none.
 * Conditional on what was read: two of these at once do nothing twice.
 *
 * @returns false when it was ended meanwhile, or another was first
 */
export async function healReport(
  { table, clock, runs }: Pick<ChorePorts, 'table' | 'clock'> & { readonly runs: Runs },
  row: Row,
): Promise<boolean> {
  const report = row as ReportRow;
  const { session_id, thread_id, run, restarts_count: before } = report;
  const now = clock.now();
  const is_alive = await runs.alive(executionName(session_id, run, before));
  if (!is_alive && before >= limits.report_restarts_max) {
    return await written(table, ended(report, now.toISOString()));
  }
  const restarts_count = is_alive ? before : before + 1;
  if (!(await written(table, postponed(report, restarts_count, now)))) return false;
  // Lost here, the next look finds no execution of this number and makes one of the next.
  if (!is_alive) await runs.start({ session_id, thread_id, run }, restarts_count);
  return true;
}

const still_due = '#state = :pending AND gsi2sk = :place';

function postponed(report: ReportRow, restarts_count: number, now: Date): Update {
  const { pk, sk, gsi2sk } = report;
  return {
    update: { pk, sk },
    expression: 'SET gsi2sk = :next, restarts_count = :restarts',
    condition: still_due,
    names: { '#state': 'state' },
    values: {
      ':pending': 'pending',
      ':place': gsi2sk,
      ':next': reportDue(report, now).gsi2sk,
      ':restarts': restarts_count,
    },
  };
}

function ended({ pk, sk, gsi2sk, restarts_count }: ReportRow, at: string): Update {
  return {
    update: { pk, sk },
    expression: 'SET #state = :failed, reason = :reason, completed_at = :at REMOVE gsi2pk, gsi2sk',
    condition: still_due,
    names: { '#state': 'state' },
    values: {
      ':pending': 'pending',
      ':place': gsi2sk,
      ':failed': 'failed',
      ':reason': `The platform failed to make this report in ${restarts_count + 1} executions.`,
      ':at': at,
    },
  };
}

async function written(table: ChorePorts['table'], update: Update): Promise<boolean> {
  try {
    await table.update(update);
    return true;
  } catch (error) {
    if (error instanceof ConditionFailed) return false;
    throw error;
  }
}
