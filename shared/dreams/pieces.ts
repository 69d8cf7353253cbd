import { primaryThreadId } from '../core/id.ts';
import { limits } from '../core/limits.ts';
import type { Piece, PieceLine, SessionFacts } from './piece.ts';

/**
 * Cut a session into pieces: every line stands in one at least, and each piece begins with the last
 * lines of the one before, so that nothing falls between two. The same for the same lines, whoever
 * asks again. Holds one piece at a time.
 */
export function* piecesOf(facts: SessionFacts, lines: Iterable<PieceLine>): Generator<Piece> {
  const cutter = new Cutter(facts);
  for (const line of lines) {
    const piece = cutter.take(line);
    if (piece !== undefined) yield piece;
  }
  const last = cutter.rest();
  if (last !== undefined) yield last;
}

/** The same for lines that are still being read. */
export class Cutter {
  readonly #facts: SessionFacts;
  #held: PieceLine[] = [];
  #chars = 0;
  #is_fresh = false;
  #n = 0;

  constructor(facts: SessionFacts) {
    this.#facts = facts;
  }

  /** @returns the piece that is whole now that this line does not fit into it any more */
  take(line: PieceLine): Piece | undefined {
    const is_full = this.#is_fresh && this.#chars + sizeOf(line) > limits.piece_chars_max;
    const whole = is_full ? this.#piece() : undefined;
    if (is_full) {
      this.#held = overlapOf(this.#held);
      this.#chars = this.#held.reduce((sum, each) => sum + sizeOf(each), 0);
    }
    this.#held.push(line);
    this.#chars += sizeOf(line);
    this.#is_fresh = true;
    return whole;
  }

  /** What is left at the end. */
  rest(): Piece | undefined {
    return this.#is_fresh ? this.#piece() : undefined;
  }

  #piece(): Piece {
    const { session_id } = this.#facts;
    return { session_id, n: this.#n++, facts: this.#facts, lines: this.#held };
  }
}

/** A line with what surrounds it: its name, its time and its tags. */
const FRAME_CHARS = 120;
/** `2026-11-20T08:00:00` of a time. */
const SECOND_CHARS = 19;

function sizeOf({ text }: PieceLine): number {
  return text.length + FRAME_CHARS;
}

function overlapOf(lines: readonly PieceLine[]): PieceLine[] {
  let left_chars: number = limits.piece_overlap_chars;
  const first = lines.findLastIndex((line) => (left_chars -= sizeOf(line)) < 0);
  return lines.slice(first + 1);
}

/** What the events of a piece are called in its request, `e1` and so on: an id would cost as much as a line. */
export function eventNames(lines: readonly Pick<PieceLine, 'event_id'>[]): Map<string, string> {
  const ids = [...new Set(lines.map(({ event_id }) => event_id))];
  return new Map(ids.map((id, n) => [id, `e${n + 1}`]));
}

/** A piece as it goes to the model: strangers' words between tags that they cannot know. */
export function pieceText(
  { session_id, lines }: Pick<Piece, 'session_id' | 'lines'>,
  boundary: string,
): string {
  const primary = primaryThreadId(session_id);
  const names = eventNames(lines);
  const events = lines.map(({ event_id, thread_id, at, type, speaker, call_id, part, text }) => {
    const thread = thread_id === primary ? '' : ` thread="${thread_id}"`;
    const call = call_id === undefined ? '' : ` call="${names.get(call_id) ?? 'before'}"`;
    const of = `${call}${thread}${part === undefined ? '' : ` part="${part.n} of ${part.of}"`}`;
    const facts = `id="${names.get(event_id) ?? ''}" at="${at.slice(0, SECOND_CHARS)}" type="${type}" by="${speaker}"${of}`;
    return `<event-${boundary} ${facts}>\n${text}\n</event-${boundary}>`;
  });
  return `<transcript-${boundary}>\n${events.join('\n')}\n</transcript-${boundary}>`;
}
