/** The value below which a share `p` of the samples lies, by nearest rank. */
export function percentile(samples: readonly number[], p: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? Number.NaN;
}

export const median = (samples: readonly number[]): number => percentile(samples, 0.5);

/** Milliseconds that something takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** Samples of the same work, one after the other, after some that warm up and are not counted. */
export async function samples(
  count: number,
  work: (n: number) => Promise<unknown>,
  warm_up = 50,
): Promise<number[]> {
  for (let n = 0; n < warm_up; n += 1) await work(-1 - n);
  const measured: number[] = [];
  for (let n = 0; n < count; n += 1) measured.push(await timed(() => work(n)));
  return measured;
}
