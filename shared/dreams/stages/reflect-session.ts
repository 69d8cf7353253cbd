import { limits } from '../../core/limits.ts';
import { load } from '../../core/stored.ts';
import type { Row } from '../../core/table.ts';
import type { SessionEvent } from '../../events/event.ts';
import {
  configKey,
  sessionKey,
  type SessionConfig,
  type SessionHead,
} from '../../sessions/session.ts';
import { inTurn } from '../awaited.ts';
import { dreamKey, dreamObject, pieceKey, piecesBelow, readKey } from '../dream.ts';
import { linesOf } from '../lines.ts';
import type { Piece, SessionVerdict } from '../piece.ts';
import { Cutter } from '../pieces.ts';
import { reflect } from '../reflect.ts';
import { factsOf } from '../session-facts.ts';
import type { Reflection } from '../thinking.ts';
import { readSessions, readSnapshot, sessionGone, type GatheredSession } from './gather.ts';
import { tell } from './pipeline-session.ts';
import { eventsOf, readReports, rowsBetween, type ThreadEvent } from './session-log.ts';
import type { Work } from './work.ts';

/**
 * Read one session of the dream, piece after piece. Each piece's result is an object, then a row with
 * the line that tells of it: dies in between, the same object is written again, from an answer that
 * is remembered.
 *
 * @throws TimeUp, Elsewhere between two pieces; Awaited when all are registered; DreamFailed when the session is gone
 */
export async function reflectSession(work: Work, session_n: number): Promise<void> {
  const session = (await readSessions(work))[session_n];
  if (session === undefined) return;
  const reports = async (): Promise<SessionVerdict[]> =>
    await work.once(`pieces/${session_n}/reports`, async () => {
      return await readReports(work.ports, session.session_id);
    });
  const { dream_id, instructions } = work.head;
  const done = new Set((await piecesDone(work, piecesBelow(session_n))).map(({ sk }) => sk));
  const snapshot = await readSnapshot(work);
  await inTurn(readPieces(work, session, reports), async (piece) => {
    const key = pieceKey(dream_id, session_n, piece.n);
    if (done.has(key.sk)) return;
    await work.look();
    const reflection = await reflect(work.think, { piece, snapshot, instructions }, work.signal);
    const body = JSON.stringify(reflection);
    const object = dreamObject(dream_id, `pieces/${session_n}/${piece.n}.json`);
    await work.ports.blobs.put(object, body, 'application/json');
    const row = { put: { ...key }, condition: 'attribute_not_exists(pk)' };
    await tell(work, wordsOf(piece, reflection), [row]);
  });
  // Unconditional: a repeat writes the same.
  if (work.head.processing === 'batch')
    await work.ports.table.transact([{ put: { ...readKey(dream_id, session_n) } }]);
}

/** Numbers of the sessions of a dream by batches that have not been read to their end. */
export async function sessionsLeft({ ports, head }: Work): Promise<number[]> {
  const { pk } = dreamKey(head.dream_id);
  const read = new Set((await rowsBetween(ports.table, pk, 'R#')).map(({ sk }) => sk));
  return [...head.session_ids.keys()].filter((n) => !read.has(readKey(head.dream_id, n).sk));
}

function wordsOf({ session_id, n }: Piece, { candidates, skipped }: Reflection): string {
  const place = `Piece ${n + 1} of session ${session_id}`;
  if (skipped !== null) return `${place} was skipped: ${skipped.reason}`;
  if (candidates.length === 0) return `${place}: nothing to learn.`;
  const lessons = candidates.map(({ situation, advice }) => `- ${situation}: ${advice}`);
  return [`${place}:`, ...lessons].join('\n');
}

/** The rows of the pieces that have been read: of one session, or of all. */
export async function piecesDone(
  { ports, head }: Pick<Work, 'ports' | 'head'>,
  below = 'P#',
): Promise<Row[]> {
  return await rowsBetween(ports.table, dreamKey(head.dream_id).pk, below);
}

/**
 * A session's logs up to where they stood when the dream began, cut into pieces. Gone through twice: first
 * for how it went, which every piece is told, then piece by piece. A long one is read twice for it, so
 * that its size is no matter of memory.
 *
 * @param reportsOf Of its runs, the same for whoever asks again: a report that comes later would make another
 *   request of every piece, which then is asked, and paid for, once more.
 */
async function* readPieces(
  { ports }: Work,
  { session_id, threads, cost_microcents }: GatheredSession,
  reportsOf: () => Promise<SessionVerdict[]>,
): AsyncGenerator<Piece> {
  const [head, config] = (await ports.table.getMany([
    sessionKey(session_id),
    configKey(session_id),
  ])) as [SessionHead?, SessionConfig?];
  if (head === undefined || config === undefined || head.deleted_at !== null) {
    throw sessionGone(session_id);
  }
  const [{ slim, held }, reports] = await Promise.all([
    readOnce(ports, threads),
    config.has_outcome_model === true ? reportsOf() : [],
  ]);
  const count = threads.reduce((sum, { through }) => sum + through, 0);
  // Swept while it was read: a part must not pass for the whole.
  if (slim.length < count) throw sessionGone(session_id);
  const agent = await load(ports.blobs, config.agent);
  const known = {
    session_id,
    agent_id: config.agent_id,
    agent_version: config.agent_version,
    model_id: agent.model.id,
    created_at: config.created_at,
    cost_microcents,
  };
  const cutter = new Cutter(factsOf(known, slim, reports));
  let left = count;
  for await (const { thread_id, event } of held ?? eventsOf(ports, threads)) {
    left -= 1;
    for (const line of linesOf(thread_id, event)) {
      const piece = cutter.take(line);
      if (piece !== undefined) yield piece;
    }
  }
  if (left > 0) throw sessionGone(session_id);
  const last = cutter.rest();
  if (last !== undefined) yield last;
}

/** All events without what they say, and, of a session that is not long, the events themselves. */
async function readOnce(
  ports: Work['ports'],
  threads: GatheredSession['threads'],
): Promise<{ readonly slim: SessionEvent[]; readonly held: ThreadEvent[] | undefined }> {
  const slim: SessionEvent[] = [];
  let held: ThreadEvent[] | undefined = [];
  let chars = 0;
  for await (const one of eventsOf(ports, threads)) {
    slim.push(slimmed(one.event));
    if (held === undefined) continue;
    held.push(one);
    chars += JSON.stringify(one.event).length;
    if (chars > limits.dream_session_held_chars_max) held = undefined;
  }
  return { slim, held };
}

/** What facts are made of: all of a verdict, and of the rest everything but its content. */
function slimmed(event: SessionEvent): SessionEvent {
  if (event.type === 'span.outcome_evaluation_end') return event;
  const {
    content: _,
    input: __,
    ...slim
  } = event as SessionEvent & {
    readonly content?: unknown;
    readonly input?: unknown;
  };
  return slim as SessionEvent;
}
