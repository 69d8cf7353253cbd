import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../core/backoff.ts';
import type { Call } from '../core/call.ts';
import { commit } from '../core/commit.ts';
import { limits } from '../core/limits.ts';
import { load } from '../core/stored.ts';
import { ConditionFailed, type Update } from '../core/table.ts';
import { lineOf, loadQueued } from '../events/inbox.ts';
import { interruptedOutcome } from '../outcomes/interrupted.ts';
import { isActive, outcomesOf, type OutcomeEvaluation } from '../outcomes/outcome.ts';
import { resourcesOf } from '../resources/read-resources.ts';
import type { Change } from '../threads/change.ts';
import { prepareChange } from '../threads/prepare-change.ts';
import { threadKey, type ThreadHead } from '../threads/thread.ts';
import { keepTranscript } from '../transcripts/keep-transcript.ts';
import { terminate } from '../turn/settle.ts';
import { checkNotRunning, readRows, tooBusy, type SessionRows } from './read-session.ts';
import type { Ports } from '../core/ports.ts';
import { sessionKey, type SessionHead } from './session.ts';
import { showSession, type Session } from './show-session.ts';

export interface ArchivePorts extends Ports {
  /** How long the bucket keeps transcripts; 0 means for ever. */
  readonly transcript_days: number;
  /** The end of a transcript could not be written: logged; a repeat of the archive makes it good. */
  readonly transcriptLost: (error: unknown) => void;
}

/**
 * `POST /v1/sessions/{session_id}/archive`: one-way. The history stays readable; the thread
 * terminates, which its log says, so that open streams end. A repeat answers as the first did.
 *
 * @throws Fault `missing`; `invalid` while it runs
 */
export async function archiveSession(
  ports: ArchivePorts,
  call: Call,
  session_id: string,
): Promise<Session> {
  for (let attempt = 1; attempt <= limits.head_attempts_max; attempt++) {
    const rows = await readRows(ports.table, call, session_id);
    checkNotRunning(rows.session, 'archived');
    try {
      const { answer, thread } = await write(ports, call, rows);
      await keepTranscript(ports, rows.config, thread).catch(ports.transcriptLost);
      await keepChildren(ports, rows).catch(ports.transcriptLost);
      return answer;
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
    }
    await sleep(backoffMs(attempt));
  }
  throw tooBusy(session_id);
}

interface Archived {
  readonly answer: Session;
  readonly thread: ThreadHead;
}

async function write(ports: Ports, call: Call, rows: SessionRows): Promise<Archived> {
  const { session, config, thread } = rows;
  const now = ports.clock.now();
  const [agent, resources, outcomes] = await Promise.all([
    load(ports.blobs, config.agent),
    resourcesOf(ports.table, config),
    outcomesOf(ports, session.session_id, session.outcomes_count),
  ]);
  const parts = { config, agent, resources, outcomes };
  if (session.archived_at !== null) {
    const answer = showSession({ head: session, ...parts }, now);
    return { answer: await commit(ports, call, [], { answer }), thread };
  }
  const at = now.toISOString();
  // A session that an error has terminated has said so already.
  const end: Pick<Change, 'lines' | 'patch' | 'others'> =
    session.status === 'terminated' ? { lines: [] } : terminate(thread, now);
  // What waits at a budget is kept in the history: a message that was accepted is never dropped.
  const waiting = (await loadQueued(ports, thread.thread_id, thread.queue)).map(lineOf);
  const given_up = endOutcome(thread, at);
  const lines = [...waiting, ...given_up.lines, ...end.lines];
  const prepared = await prepareChange(ports, thread, {
    lines,
    patch: { ...end.patch, outcome: null },
    others: end.others ?? [],
  });
  const archived: SessionHead = {
    ...session,
    status: 'terminated',
    stop_reason: null,
    stop_details: null,
    archived_at: at,
    updated_at: at,
  };
  const ended = { ...parts, outcomes: outcomes.map(given_up.show) };
  const answer = showSession({ head: archived, ...ended }, now);
  const writes = [...prepared.writes, ...given_up.writes, archiveHead(archived)];
  return { answer: await commit(ports, call, writes, { answer }), thread: prepared.appended.head };
}

/** The ends of the children that have just been terminated with their session. */
async function keepChildren(ports: ArchivePorts, { config, thread }: SessionRows): Promise<void> {
  const keys = (thread.team?.members ?? []).map(({ thread_id }) => threadKey(thread_id));
  if (keys.length === 0) return;
  for (const head of (await ports.table.getMany(keys)) as ThreadHead[]) {
    await keepTranscript(ports, config, head);
  }
}

/** What the session was to work for will not be judged any more. */
function endOutcome(thread: ThreadHead, at: string) {
  const { outcome } = thread;
  const same = (one: OutcomeEvaluation): OutcomeEvaluation => one;
  if (!isActive(outcome)) return { lines: [], writes: [], show: same };
  const explanation = 'The session was archived before the work was judged.';
  const show = (one: OutcomeEvaluation): OutcomeEvaluation =>
    one.outcome_id === outcome.outcome_id
      ? { ...one, result: 'interrupted', explanation, completed_at: at }
      : one;
  return { ...interruptedOutcome(thread, outcome, { at, explanation }), show };
}

function archiveHead({ session_id, version, updated_at }: SessionHead): Update {
  return {
    update: sessionKey(session_id),
    expression:
      'SET #status = :terminated, stop_reason = :null, stop_details = :null, archived_at = :at, updated_at = :at, #version = :next',
    condition: '#version = :read',
    names: { '#status': 'status', '#version': 'version' },
    values: {
      ':terminated': 'terminated',
      ':null': null,
      ':at': updated_at,
      ':next': version + 1,
      ':read': version,
    },
  };
}
