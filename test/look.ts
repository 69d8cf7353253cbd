import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../infra/local/host.ts';

const LOOK_MS = 15;
const LOOKS_MAX = 1_500;
/** A write whose reply was lost is not counted: so often it is looked all the same. */
const ANYWAY = 20;

export interface LookOptions {
  /** What the host's clock jumps between two looks. @default 200 */
  readonly step_ms?: number;
  /** What is said when nothing comes. */
  readonly stuck: () => string | Promise<string>;
}

/**
 * Look until there is something, while waits of the platform pass quickly. What nobody can have written
 * to is not asked again: that takes the processor from what is waited for.
 *
 * @throws Error with what `stuck` says
 */
export async function lookUntil<T>(
  host: Host,
  found: () => Promise<T | undefined>,
  { step_ms = 200, stuck }: LookOptions,
): Promise<T> {
  let seen = -1;
  for (let look = 0; look < LOOKS_MAX; look++) {
    const written = unitsWritten(host);
    const result = written === seen && look % ANYWAY > 0 ? undefined : await found();
    if (result !== undefined) return result;
    seen = written;
    await sleep(LOOK_MS);
    await host.advance(step_ms);
  }
  throw new Error(await stuck());
}

function unitsWritten(host: Host): number {
  const { functions } = host.counters();
  return Object.values(functions).reduce((sum, { write_units }) => sum + write_units, 0);
}
