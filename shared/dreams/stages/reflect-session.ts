import { load } from '../../core/stored.ts';
import type { Row } from '../../core/table.ts';
import { primaryThreadId } from '../../core/id.ts';
import type { SessionEvent } from '../../events/event.ts';
import {
  configKey,
  sessionKey,
  type SessionConfig,
  type SessionHead,
} from '../../sessions/session.ts';
import { dreamKey, dreamObject, pieceKey, piecesBelow } from '../dream.ts';
import { linesOf } from '../lines.ts';
import type { Piece } from '../piece.ts';
import { piecesOf } from '../pieces.ts';
import { reflect } from '../reflect.ts';
import { factsOf } from '../session-facts.ts';
import type { Reflection } from '../thinking.ts';
import { eventsOf } from './evidence-texts.ts';
import { readSessions, readSnapshot, sessionGone, type GatheredSession } from './gather.ts';
import { tell } from './pipeline-session.ts';
import type { Work } from './work.ts';

/**
 * Read one session of the dream, piece after piece. Each piece's result is an object, then a row with
 * the line that tells of it: dies in between, the same object is written again, from an answer that
 * is remembered.
 *
 * @throws TimeUp, Elsewhere between two pieces; DreamFailed when the session is gone
 */
export async function reflectSession(work: Work, session_n: number): Promise<void> {
  const session = (await readSessions(work))[session_n];
  if (session === undefined) return;
  const { dream_id } = work.head;
  const done = new Set((await piecesDone(work, piecesBelow(session_n))).map(({ sk }) => sk));
  const snapshot = await readSnapshot(work);
  for (const piece of await readPieces(work, session)) {
    const key = pieceKey(dream_id, session_n, piece.n);
    if (done.has(key.sk)) continue;
    await work.look();
    const reflection = await reflect(work.think, { piece, snapshot }, work.signal);
    const body = JSON.stringify(reflection);
    const object = dreamObject(dream_id, `pieces/${session_n}/${piece.n}.json`);
    await work.ports.blobs.put(object, body, 'application/json');
    const row = { put: { ...key }, condition: 'attribute_not_exists(pk)' };
    await tell(work, wordsOf(piece, reflection), [row]);
  }
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
  const { pk } = dreamKey(head.dream_id);
  const rows: Row[] = [];
  for (let from = below, more = true; more;) {
    const page = await ports.table.query({ pk, from, to: `${below}~` });
    rows.push(...page.rows);
    from = `${page.rows.at(-1)?.sk ?? below}!`;
    ({ more } = page);
  }
  return rows;
}

/** A session's log up to where it stood when the dream began, cut into pieces. */
async function readPieces(
  { ports }: Work,
  { session_id, through, cost_microcents }: GatheredSession,
): Promise<Piece[]> {
  const rows = await ports.table.getMany([sessionKey(session_id), configKey(session_id)]);
  const [head, config] = rows as [SessionHead?, SessionConfig?];
  if (head === undefined || config === undefined || head.deleted_at !== null) {
    throw sessionGone(session_id);
  }
  const thread_id = primaryThreadId(session_id);
  const events: SessionEvent[] = [];
  for await (const event of eventsOf(ports, session_id, through)) events.push(event);
  // Swept while it was read: a part must not pass for the whole.
  if (events.length < through) throw sessionGone(session_id);
  const agent = await load(ports.blobs, config.agent);
  const facts = factsOf(
    {
      session_id,
      agent_id: config.agent_id,
      agent_version: config.agent_version,
      model_id: agent.model.id,
      created_at: config.created_at,
      cost_microcents,
    },
    events,
  );
  return [
    ...piecesOf(
      facts,
      events.flatMap((event) => linesOf(thread_id, event)),
    ),
  ];
}
