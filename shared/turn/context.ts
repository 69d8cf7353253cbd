import type { Blobs } from '../core/blobs.ts';
import { Fault } from '../core/fault.ts';
import { limits } from '../core/limits.ts';
import type { Table } from '../core/table.ts';
import type { LoggedEvent } from '../events/event.ts';
import { loadLine, newestLines, walkLog, type PlacedLine } from '../threads/log.ts';
import type { ThreadHead } from '../threads/thread.ts';
import { fold, newConversation, type Conversation } from './messages.ts';

interface Known {
  seq: number;
  chars_count: number;
  readonly context_from: number;
  readonly conversation: Conversation;
}

/**
 * A thread's conversation up to some event of its log. It follows the log: what this function has
 * appended itself is folded in at once, what others have appended is read when it is needed.
 */
export class Context {
  readonly #thread_id: string;
  #known: Known;

  private constructor(thread_id: string, known: Known) {
    this.#thread_id = thread_id;
    this.#known = known;
  }

  /**
   * Begin from what `cache` knows of this thread, else from the start of its context. It is taken
   * out of the cache: two invocations must never fold into one conversation.
   */
  static of(cache: ContextCache, head: ThreadHead): Context {
    const known = cache.get(head.thread_id);
    cache.delete(head.thread_id);
    const usable = known !== undefined && known.context_from === head.context_from;
    return new Context(head.thread_id, usable && known.seq <= head.seq ? known : fresh(head));
  }

  get conversation(): Conversation {
    return this.#known.conversation;
  }

  /** About what the conversation weighs: its events as JSON. */
  get chars_count(): number {
    return this.#known.chars_count;
  }

  /** Take in events that follow directly on the known ones; a gap is left for {@link sync}. */
  take(lines: readonly LoggedEvent[]): void {
    for (const line of lines) {
      if (line.seq !== this.#known.seq + 1) continue;
      fold(this.#known.conversation, line);
      this.#known.seq = line.seq;
      this.#known.chars_count += JSON.stringify(line.event).length;
    }
  }

  /**
   * Begin anew behind the last known event, whose place a compaction takes: as whoever reads the log
   * from there. What others have written since is no part of its summary.
   * @returns where the context begins now
   */
  restart(): number {
    const context_from = this.#known.seq + 1;
    this.#known = fresh({ context_from });
    return context_from;
  }

  /**
   * Read what is missing up to the head.
   * @returns it, where it was one append
   * @throws Fault `busy`: a request must not leave out what was said
   */
  async sync(store: { table: Table; blobs: Blobs }, head: ThreadHead): Promise<PlacedLine[]> {
    if (this.#known.seq >= head.seq) return [];
    const range = { after: this.#known.seq, through: head.seq };
    const newest = await newestLines(store.table, this.#thread_id, range);
    const pages = newest === undefined ? walkLog(store.table, this.#thread_id, range) : [newest];
    for await (const page of pages) {
      this.take(await Promise.all(page.map(async (line) => await loadLine(store.blobs, line))));
    }
    if (this.#known.seq >= head.seq) return newest ?? [];
    throw new Fault('busy', 'The log is still being written.');
  }

  /** Leave what is known to later invocations; the oldest go when they weigh too much together. */
  keep(cache: ContextCache): void {
    cache.set(this.#thread_id, this.#known);
    let chars_count = [...cache.values()].reduce((sum, known) => sum + known.chars_count, 0);
    for (const [thread_id, known] of cache) {
      if (chars_count <= limits.contexts_chars_max) return;
      cache.delete(thread_id);
      chars_count -= known.chars_count;
    }
  }
}

export type ContextCache = Map<string, Known>;

function fresh(head: Pick<ThreadHead, 'context_from'>): Known {
  return {
    // The context begins behind what its compaction has summarised; that event is the first, or nearly.
    seq: Math.max(0, head.context_from - 1),
    chars_count: 0,
    context_from: head.context_from,
    conversation: newConversation(),
  };
}
