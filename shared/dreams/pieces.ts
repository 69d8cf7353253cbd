import { limits } from '../core/limits.ts';
import type { Piece, PieceLine, SessionFacts } from './piece.ts';

/**
 * Cut a session into pieces: every line stands in one at least, and each piece begins with the last
 * lines of the one before, so that nothing falls between two. The same for the same lines, whoever
 * asks again. Holds one piece at a time.
 */
export function* piecesOf(facts: SessionFacts, lines: Iterable<PieceLine>): Generator<Piece> {
  const { session_id } = facts;
  let held: PieceLine[] = [];
  let chars = 0;
  let is_fresh = false;
  let n = 0;
  for (const line of lines) {
    if (is_fresh && chars + sizeOf(line) > limits.piece_chars_max) {
      yield { session_id, n: n++, facts, lines: held };
      held = overlapOf(held);
      chars = held.reduce((sum, each) => sum + sizeOf(each), 0);
    }
    held.push(line);
    chars += sizeOf(line);
    is_fresh = true;
  }
  if (is_fresh) yield { session_id, n, facts, lines: held };
}

/** A line with what surrounds it: its ids, its time and its tags. */
const FRAME_CHARS = 200;

function sizeOf({ text }: PieceLine): number {
  return text.length + FRAME_CHARS;
}

function overlapOf(lines: readonly PieceLine[]): PieceLine[] {
  let left_chars: number = limits.piece_overlap_chars;
  const first = lines.findLastIndex((line) => (left_chars -= sizeOf(line)) < 0);
  return lines.slice(first + 1);
}

/** A piece as it goes to the model: strangers' words between tags that they cannot know. */
export function pieceText({ lines }: Piece, boundary: string): string {
  const events = lines.map(({ event_id, at, type, speaker, part, text }) => {
    const of = part === undefined ? '' : ` part="${part.n} of ${part.of}"`;
    const facts = `id="${event_id}" at="${at}" type="${type}" by="${speaker}"${of}`;
    return `<event-${boundary} ${facts}>\n${text}\n</event-${boundary}>`;
  });
  return `<transcript-${boundary}>\n${events.join('\n')}\n</transcript-${boundary}>`;
}
