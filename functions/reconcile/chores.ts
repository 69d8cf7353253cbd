import type { ApiFile } from '#shared/api-files/api-file.ts';
import { expireFile } from '#shared/api-files/expire-file.ts';
import type { Chores } from '#shared/core/due.ts';
import { expireVersion } from '#shared/memory/expire-version.ts';
import { healReport } from '#shared/outcome-reports/heal-report.ts';
import type { Runs } from '#shared/sessions/runs.ts';
import { sweepStore } from '#shared/memory/sweep-store.ts';
import { sweepSession } from '#shared/sessions/sweep-session.ts';

/** Where nouns register what reconcile does for them: by the beginning of their rows' partition. */
export function choresWith(runs: Runs): Chores {
  return {
    deleted: {
      'SESSION#': sweepSession,
      'MEMSTORE#': sweepStore,
      // Loaded when there is something to redact: most minutes have nothing.
      'REDACTION#': async (...sweep) => {
        const { redactDreams } = await import('#shared/redactions/redact-dreams.ts');
        return await redactDreams(...sweep);
      },
    },
    expired: {
      'MEMVERS#': expireVersion,
      'FILE#': (ports, row) => expireFile(ports, row as ApiFile),
      // Of a session's rows only a report has a time.
      'SESSION#': (ports, row) => healReport({ ...ports, runs }, row),
    },
  };
}
