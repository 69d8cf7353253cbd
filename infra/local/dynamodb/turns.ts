import PQueue from 'p-queue';

/** The engine works on one at a time; the second is there when it asks for the next. */
const at_once = 2;
/** Who asks nothing for so long waits for something else: a model, a tool. */
const rest_ms = 100;
/** Nobody is served before all others for longer than this: a round of a turn takes about ten. */
const calls_max = 32;

interface Turn {
  readonly since_ms: number;
  readonly calls: number;
  readonly last_ms: number;
}

/**
 * Whose call the engine takes next: that of the invocation which began first and is still at it.
 *
 * Where 25 threads have their model's answers at the same moment, serving all of them alike would let
 * each wait until the last is done. One after the other, the first is with its model again while the
 * others are served.
 */
export class Turns {
  readonly #queue = new PQueue({ concurrency: at_once });
  readonly #turns = new Map<string, Turn>();

  /** @param caller The invocation that asks, by its trace. */
  async take<Result>(caller: string, call: () => Promise<Result>): Promise<Result> {
    return await this.#queue.add(call, { priority: -this.#since(caller) });
  }

  #since(caller: string): number {
    const now_ms = performance.now();
    for (const [other, { last_ms }] of this.#turns) {
      if (now_ms - last_ms > rest_ms) this.#turns.delete(other);
    }
    const turn = this.#turns.get(caller);
    const { since_ms, calls } =
      turn === undefined || turn.calls === calls_max ? { since_ms: now_ms, calls: 0 } : turn;
    this.#turns.set(caller, { since_ms, calls: calls + 1, last_ms: now_ms });
    return since_ms;
  }
}
