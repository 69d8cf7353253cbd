import { both } from './join-additions.ts';
import { outputPath, pathsOf, type Operation } from './operation.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * The counts that move in a dream. Each memory has one operation, so where a model changes a playbook
 * whose counts move, both are one: it is shown the playbook with its new counts, and what it proposes
 * rests on the verdicts too.
 */
export class Counts {
  /** The store with the new counts. */
  readonly snapshot: Snapshot;
  readonly #moves: ReadonlyMap<string, Operation>;

  constructor(snapshot: Snapshot, decided: readonly Operation[]) {
    const moves = decided.filter((each) => each.op === 'revise' && each.source === 'counts');
    this.#moves = new Map(moves.map((move) => [outputPath(move) ?? '', move]));
    this.snapshot = {
      ...snapshot,
      memories: snapshot.memories.map((memory) => {
        const move = this.#moves.get(memory.path);
        return move?.op === 'revise' ? { ...memory, text: move.text } : memory;
      }),
    };
  }

  /** An operation of the model, with what has moved the counts of its memories. */
  within(operation: Operation): Operation {
    const moves = pathsOf(operation).flatMap((path) => this.#moves.get(path) ?? []);
    if (moves.length === 0) return operation;
    const verdicts = moves.flatMap((move) => move.evidence);
    return {
      ...operation,
      reason: [operation.reason, ...moves.map(({ reason }) => reason)].join(' '),
      evidence: both(operation.evidence, verdicts),
    };
  }

  /** The counts of playbooks on which there is no other operation. */
  besides(paths: ReadonlySet<string>): Operation[] {
    return [...this.#moves.values()].filter(
      (move) => !pathsOf(move).some((path) => paths.has(path)),
    );
  }
}
