/** Where a function dies: at the n-th call that it makes, before it is done or once it is. */
export interface Death {
  readonly at: number;
  readonly side: 'before' | 'after';
}

/** All boundaries are two for each call: `npm run test:crash`. */
const all = process.env['CRASH'] === 'all';

/**
 * The boundaries that a run of the suite kills at. Calls that write, on both sides; calls that only
 * read, on one side each, in turn; the model when its request has arrived.
 *
 * @param places What was called, in order, as `service:action`.
 */
export function deathsAt(places: readonly string[]): Death[] {
  return places.flatMap((place, index) => {
    const at = index + 1;
    if (place === 'model:messages') return [{ at, side: 'before' } as const];
    const both = all || /Put|Post|Delete|Transact|Update|Start|Invoke/.test(place);
    if (both) return (['before', 'after'] as const).map((side) => ({ at, side }));
    return [{ at, side: index % 2 === 0 ? 'before' : 'after' } as const];
  });
}

/** Parallel calls and caches shift the numbers a little: a run that had no such call is made again. */
export const tries_max = 3;
