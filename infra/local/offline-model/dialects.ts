import { usual_dialect, type Dialect } from './report.ts';

const SIGN = '`(.)`';
const SAID = new RegExp(
  `separator is ${SIGN}.*decimal sign is ${SIGN}.*thousands sign is ${SIGN}`,
  's',
);

/** How tables are written, where a text says so; whoever wrote it. */
export function dialectSaid(text: string): Dialect | undefined {
  const [, separator, decimal, thousands] = SAID.exec(text) ?? [];
  if (separator === undefined || decimal === undefined || thousands === undefined) return undefined;
  return { separator, decimal, thousands };
}

/** How a table is written, by its first lines. */
export function dialectSeen(lines: string): Dialect {
  const [header = ''] = lines.split('\n').filter((line) => /[;,|]/.test(line));
  const counted = [',', ';', '|'].map((sign) => ({ sign, count: header.split(sign).length }));
  const separator = counted.toSorted((a, b) => b.count - a.count)[0]?.sign ?? ',';
  const fields = lines.split('\n').flatMap((line) => line.trim().split(separator));
  const has_commas = separator !== ',' && fields.some((field) => /^-?\d+,\d+$/.test(field));
  const has_groups = fields.some((field) => /^-?\d{1,3}(?:\.\d{3})+$/.test(field));
  const is_german = separator !== ',' && (has_commas || has_groups);
  return is_german ? { separator, decimal: ',', thousands: '.' } : { ...usual_dialect, separator };
}

/** The same in words that {@link dialectSaid} reads. */
export function sayDialect({ separator, decimal, thousands }: Dialect): string {
  return `The separator is \`${separator}\`, the decimal sign is \`${decimal}\` and the thousands sign is \`${thousands}\`.`;
}
