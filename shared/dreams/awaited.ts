/** A request has been registered for a batch: its answer comes later, and the stage is done again then. */
export class Awaited extends Error {
  override readonly name = 'Awaited';
}

/**
 * `Promise.all` for what asks a model: where one awaits a batch, the others come to asking too before
 * it is said, so that all of a stage goes into one batch. Any other failure is the first that is told.
 */
export async function together<Result>(work: readonly Promise<Result>[]): Promise<Result[]> {
  const settled = Promise.allSettled(work);
  try {
    return await Promise.all(work);
  } catch (error) {
    if (!(error instanceof Awaited)) throw error;
    for (const one of await settled) {
      if (one.status === 'rejected' && !(one.reason instanceof Awaited)) throw one.reason;
    }
    throw error;
  }
}

/** One after the other, likewise: one that awaits a batch does not keep the next from asking. */
export async function inTurn<Item, Result>(
  items: Iterable<Item> | AsyncIterable<Item>,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let awaited: Awaited | undefined;
  for await (const item of items) {
    try {
      results.push(await work(item));
    } catch (error) {
      if (!(error instanceof Awaited)) throw error;
      awaited = error;
    }
  }
  if (awaited !== undefined) throw awaited;
  return results;
}
