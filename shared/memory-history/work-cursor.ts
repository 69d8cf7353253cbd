import { Fault } from '../core/fault.ts';
import { decodeCursor, encodeCursor } from '../core/page.ts';

/** Work that takes several requests. */
type Work = 'memory_restore' | 'memory_import';

/** Where the next request goes on: opaque to clients, as the cursors of lists are. */
export function workCursor(kind: Work, position: string): string {
  return encodeCursor({ kind, order: 'asc', direction: 'next', position });
}

/**
 * The parts of a position, as `form` has them.
 *
 * @throws Fault `invalid` for whatever {@link workCursor} did not make of this work
 */
export function readWorkCursor(kind: Work, text: string, form: RegExp): string[] {
  let position = '';
  try {
    const cursor = decodeCursor(text);
    if (cursor.kind === kind) ({ position } = cursor);
  } catch (error) {
    // Its message is about a list.
    if (!(error instanceof Fault)) throw error;
  }
  const parts = form.exec(position)?.slice(1);
  if (parts === undefined) throw unknownCursor();
  return parts;
}

export function unknownCursor(): Fault {
  return new Fault(
    'invalid',
    'cursor: belongs to nothing that is under way here. Use next_cursor as it was given, or begin again without it.',
  );
}
