import type { FunctionPool } from './pool.ts';

/** @throws Error for a name that no function has */
export function poolNamed(pools: readonly FunctionPool[], name: string): FunctionPool {
  const pool = pools.find(({ settings }) => settings.short_name === name);
  if (pool !== undefined) return pool;
  const names = pools.map(({ settings }) => settings.short_name).join(', ');
  throw new Error(`There is no function ${name}, only ${names}.`);
}

/** What a first session needs, in the order in which it does; then the others. */
const first_needed = ['api', 'stream', 'step', 'sandbox'];

/** What most sessions never need is loaded when one does. */
const seldom_needed = ['steplarge'];

/**
 * One after the other: what is asked for before its turn is loaded at once, and shares the processor with
 * one other. All together they would take a second of each core from the first answers.
 */
export async function warm(pools: readonly FunctionPool[]): Promise<void> {
  const place = ({ settings }: FunctionPool): number => {
    const found = first_needed.indexOf(settings.short_name);
    return found === -1 ? first_needed.length : found;
  };
  const soon = pools.filter(({ settings }) => !seldom_needed.includes(settings.short_name));
  // oxlint-disable-next-line no-await-in-loop -- one after the other, as said above
  for (const pool of soon.toSorted((a, b) => place(a) - place(b))) await pool.warm();
}

/** Bytes that the largest environment of each function holds now. */
export async function memoryOfEach(
  pools: readonly FunctionPool[],
): Promise<Record<string, number>> {
  const each = pools.map(
    async (pool) => [pool.settings.short_name, await pool.memoryBytes()] as const,
  );
  return Object.fromEntries(await Promise.all(each));
}
