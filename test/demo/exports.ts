import { germanExport } from './german-export.ts';
import type { SpreadsheetExport } from './learn.ts';

/** The demo's records as files that a German spreadsheet has saved: temperatures, and two of energy. */
export function spreadsheetExports(temperatures: string, electricity: string): SpreadsheetExport[] {
  const ofSource = (name: string): string =>
    germanExport(electricity, ([, source]) => source === name);
  return [
    { name: 'temperatures.csv', text: germanExport(temperatures), last_value: [1, 1.5] },
    { name: 'fossil.csv', text: ofSource('Fossil Fuels'), last_value: [25_000, 45_000] },
    { name: 'renewables.csv', text: ofSource('Renewables'), last_value: [20_000, 25_000] },
  ];
}
