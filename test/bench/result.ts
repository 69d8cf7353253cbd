import { median, percentile } from './measure.ts';

/** One measured figure. Its name is stable: a later run is compared by it. */
export interface Result {
  readonly name: string;
  readonly value: number;
  readonly unit: 'ms' | 'per_s' | 'MB' | 'kB' | 'usd' | 'count';
  /** Undefined where the issue sets none. */
  readonly target?: { readonly at_most: number } | { readonly at_least: number };
}

export function passes({ value, target }: Result): boolean | undefined {
  if (target === undefined) return undefined;
  return 'at_most' in target ? value <= target.at_most : value >= target.at_least;
}

export interface Bounds {
  readonly p50_ms?: number;
  readonly p95_ms?: number;
}

/** p50, p95 and the rate of one after the other, of samples in milliseconds. */
export function latency(
  name: string,
  samples_ms: readonly number[],
  bounds: Bounds = {},
): Result[] {
  const bound = (at_most: number | undefined) =>
    at_most === undefined ? {} : { target: { at_most } };
  const total_s = samples_ms.reduce((sum, ms) => sum + ms, 0) / 1_000;
  return [
    { name: `${name}_p50_ms`, value: median(samples_ms), unit: 'ms', ...bound(bounds.p50_ms) },
    {
      name: `${name}_p95_ms`,
      value: percentile(samples_ms, 0.95),
      unit: 'ms',
      ...bound(bounds.p95_ms),
    },
    { name: `${name}_per_s`, value: samples_ms.length / total_s, unit: 'per_s' },
  ];
}

/** The table that a person reads. */
export function tableOf(results: readonly Result[]): string {
  const rows = results.map((result) => [
    result.name,
    round(result.value),
    result.unit,
    targetOf(result),
    { true: 'pass', false: 'MISS', undefined: '' }[String(passes(result))] ?? '',
  ]);
  const head = ['name', 'value', 'unit', 'target', ''];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        column === 1 ? cell.padStart(widths[1] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [head, ...rows].map(line).join('\n');
}

/** The same for the README. */
export function markdownOf(results: readonly Result[]): string {
  const rows = results.map((result) => {
    const verdict = passes(result) === false ? ' (missed)' : '';
    return `| \`${result.name}\` | ${round(result.value)} | ${targetOf(result)}${verdict} |`;
  });
  return ['| what | figure | target |', '|---|--:|---|', ...rows].join('\n');
}

function targetOf({ target }: Result): string {
  if (target === undefined) return '';
  return 'at_most' in target ? `≤ ${round(target.at_most)}` : `≥ ${round(target.at_least)}`;
}

/** Four significant digits, without an exponent for what a bench shows. */
export function round(value: number): string {
  return String(Number(value.toPrecision(4)));
}
