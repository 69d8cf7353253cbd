import { hasCounted, type JudgedUse } from '../playbooks/count-uses.ts';
import { parsePlaybook } from '../playbooks/playbook.ts';
import { splitTrailer } from '../playbooks/trailer.ts';
import { pathsOf, type Operation } from './operation.ts';
import type { ReportedUse } from './report.ts';
import type { Snapshot } from './snapshot.ts';

/** What became of each use, told by the playbooks before and after and by nothing else. */
export function reportedUses(
  uses: readonly JudgedUse[],
  { memories }: Snapshot,
  operations: readonly Operation[],
): ReportedUse[] {
  const before = new Map(memories.map(({ path, text }) => [path, countedIn(text)]));
  const after = new Map(
    operations.flatMap((operation) =>
      pathsOf(operation).map((path): [string, readonly string[] | 'retired'] => [
        path,
        operation.op === 'retire' ? 'retired' : countedIn(operation.text),
      ]),
    ),
  );
  return uses.map(({ path, session_id, event_id, verdict }) => {
    const now = after.get(path) ?? [];
    const state = ((): ReportedUse['state'] => {
      if (hasCounted(before.get(path) ?? [], session_id)) return 'counted_before';
      if (verdict === null) return 'no_verdict';
      return now === 'retired' || now.includes(session_id) ? 'counted' : 'dropped';
    })();
    return { path, session_id, event_id, verdict, state };
  });
}

function countedIn(text: string): readonly string[] {
  const playbook = parsePlaybook(splitTrailer(text).body);
  return 'fault' in playbook ? [] : (playbook.facts.counted_sessions ?? []);
}
