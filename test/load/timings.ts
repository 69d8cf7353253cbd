import { percentile } from '../bench/measure.ts';
import type { Result } from '../bench/result.ts';

/** Milliseconds of every operation, by its name. */
export class Timings {
  readonly #samples = new Map<string, number[]>();

  async of<T>(name: string, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    const result = await work();
    this.add(name, performance.now() - started);
    return result;
  }

  add(name: string, ms: number): void {
    const samples = this.#samples.get(name) ?? [];
    samples.push(ms);
    this.#samples.set(name, samples);
  }

  /** The value of a share, over all samples of an operation. */
  at(name: string, share: number): number {
    return percentile(this.#samples.get(name) ?? [], share);
  }

  results(prefix: string): Result[] {
    return [...this.#samples].flatMap(([name, samples]): Result[] => [
      { name: `${prefix}_${name}_p50_ms`, value: percentile(samples, 0.5), unit: 'ms' },
      { name: `${prefix}_${name}_p95_ms`, value: percentile(samples, 0.95), unit: 'ms' },
    ]);
  }
}
