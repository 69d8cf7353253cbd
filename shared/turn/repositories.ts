import { newId } from '../core/id.ts';
import { limits } from '../core/limits.ts';
import type { Update } from '../core/table.ts';
import type { Line } from '../events/event.ts';
import type { RepositoryFault } from '../resources/github-archive.ts';
import { resourceKey, type RepositoryResource } from '../resources/resource.ts';
import type { Turn } from './turn.ts';
import { Watch } from './watch.ts';

/**
 * Bring what the session's repositories hold before the model is asked, one try a run for each. A
 * failure is told, and the session goes on without it. That it was tried stands in the resource's
 * row by the transaction that tells of it: told once, whatever dies in between.
 *
 * @returns false when a client or the clock stopped it: the loop decides anew
 */
export async function bringRepositories(turn: Turn): Promise<boolean> {
  const { run } = turn.head;
  const due = turn.resources.filter(
    (one): one is RepositoryResource =>
      one.type === 'github_repository' && one.state === 'pending' && one.tried_run < run,
  );
  if (due.length === 0) return true;
  const watch = new Watch(turn.writer, turn.time_left_ms - limits.step_time_reserve_ms);
  try {
    for (const resource of due) {
      if (!(await bring(turn, resource, watch.signal))) return false;
    }
    return true;
  } finally {
    watch.end();
  }
}

async function bring(
  turn: Turn,
  resource: RepositoryResource,
  signal: AbortSignal,
): Promise<boolean> {
  const { workspace_id, run } = turn.head;
  try {
    const fault = await turn.ports.bringRepository(resource, workspace_id, signal);
    const state = fault === undefined ? 'ready' : 'pending';
    const tried: RepositoryResource = { ...resource, state, tried_run: run };
    const lines = fault === undefined ? [] : [errorLine(fault, resource.url)];
    turn.context.take(await turn.writer.append(() => ({ lines, writes: [record(tried)] })));
    turn.replaceResource(tried);
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}

/** Refused when another invocation has recorded this run's try: then the lease is its own. */
function record({ session_id, resource_id, state, tried_run }: RepositoryResource): Update {
  return {
    update: resourceKey(session_id, resource_id),
    expression: 'SET #state = :state, tried_run = :run',
    condition: 'tried_run < :run',
    names: { '#state': 'state' },
    values: { ':state': state, ':run': tried_run },
  };
}

function errorLine({ type, message }: RepositoryFault, repository_url: string): Line {
  const error = { type, message, repository_url, retry_status: { type: 'retrying' as const } };
  return { event: { id: newId('event'), type: 'session.error', error } };
}
