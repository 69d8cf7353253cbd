const BASE_MS = 20;
const CAP_MS = 1_000;

/** Full jitter (AWS Architecture Blog, 2015): anything up to 20 ms × 2^attempt, at most 1 s. */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  return Math.round(random() * Math.min(CAP_MS, BASE_MS * 2 ** attempt));
}
