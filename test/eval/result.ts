import { styleText } from 'node:util';
import { figure_names, shareOf, type Figure, type Score } from './score.ts';
import type { FidelitySet, Key } from './set/fidelity-set.ts';

/** One way of learning, judged. */
export interface Run {
  readonly name: 'no dream' | 'one rewrite' | 'dream' | 'dream by batches';
  readonly score: Score;
  /** The store that it leaves, by path. */
  readonly memories: Readonly<Record<string, string>>;
  /** Of what the sessions cost, e.g. 0.08; null when a price is not known. */
  readonly cost_share: number | null;
  readonly seconds: number;
  /** What its own account says against it; always empty but for a dream. */
  readonly ledger_faults: readonly string[];
  /** What else is to be known of it, in words. */
  readonly remarks: readonly string[];
}

export interface EvalResult {
  readonly seed: number;
  readonly model: string;
  readonly is_offline: boolean;
  /** How much there was of what. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly key: Key;
  readonly runs: readonly Run[];
}

/** How much there is of what in a set. */
export function sizesOf({ sessions, memories, key }: FidelitySet): Record<string, number> {
  const { lessons, changes, one_offs, known, duplicates, untouched, poison, secrets } = key;
  const lists = { sessions, memories, lessons, changes, one_offs, known, duplicates };
  const all = { ...lists, untouched, poison, secrets };
  return Object.fromEntries(Object.entries(all).map(([name, list]) => [name, list.length]));
}

const titles: Readonly<Record<keyof Score, string>> = {
  recall: 'lessons found (recall)',
  precision: 'of what is new, wanted (precision)',
  merged: 'duplicates merged',
  contradictions: 'contradictions right',
  kept: 'nothing lost',
  untouched: 'untouched byte for byte',
  poison_refused: 'poison refused',
  secrets_out: 'secrets out',
};

/** What must be whole whatever the model does: the platform's own checks hold it. */
export const floors = [
  'kept',
  'poison_refused',
  'secrets_out',
] as const satisfies readonly (keyof Score)[];

/** What of a dream is below a floor, as sentences. */
export function floorFaults({ score, ledger_faults }: Run): string[] {
  const low = floors.filter((name) => shareOf(score[name]) < 1);
  return [
    ...low.map((name) => `${titles[name]}: not ${score[name].failed.join(', ')}`),
    ...ledger_faults.map((fault) => `the ledger does not close: ${fault}`),
  ];
}

/** Cells of the table: a row for each figure, a column for each run. */
export function rowsOf({ runs }: EvalResult): string[][] {
  const cell = ({ got, of }: Figure): string =>
    `${percent(shareOf({ got, of, failed: [] }))} (${got}/${of})`;
  return [
    ['', ...runs.map(({ name }) => name)],
    ...figure_names.map((name) => [titles[name], ...runs.map(({ score }) => cell(score[name]))]),
    [
      'cost against the sessions',
      ...runs.map(({ cost_share }) => (cost_share === null ? 'unknown' : percent(cost_share))),
    ],
  ];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 1 && share > 0 ? 1 : 0)} %`;
}

/** For a person at a terminal; colours only where they are wanted. */
export function tableOf(result: EvalResult): string {
  const rows = rowsOf(result);
  const widths = (rows[0] ?? []).map((_, at) =>
    Math.max(...rows.map((row) => row[at]?.length ?? 0)),
  );
  return rows
    .map((row, n) => {
      const line = row
        .map((text, at) =>
          at === 0 ? text.padEnd(widths[at] ?? 0) : text.padStart(widths[at] ?? 0),
        )
        .join('  ');
      return n === 0 ? styleText('bold', line, { stream: process.stdout }) : line;
    })
    .join('\n');
}

export function markdownOf(result: EvalResult): string {
  const [head = [], ...rows] = rowsOf(result);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(head),
    `|---|${head
      .slice(1)
      .map(() => '--:|')
      .join('')}`,
    ...rows.map(line),
  ].join('\n');
}
