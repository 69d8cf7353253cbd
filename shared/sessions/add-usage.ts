import type { Usage } from '../threads/thread.ts';

/** Add to sums; a cost that is unknown makes the whole unknown. */
export function addUsage(usage: Usage, more: Partial<Usage>): Usage {
  const added = Object.entries(usage).map(([name, value]) => {
    const amount = more[name as keyof Usage];
    return [name, amount === undefined ? value : plus(value, amount)];
  });
  return Object.fromEntries(added) as Usage;
}

export function plus(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}
