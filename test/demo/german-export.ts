/**
 * A table of the demo's records as a German spreadsheet saves it: semicolons between the fields, a
 * comma before the decimals, a point after the thousands. Years and dates stay as they are.
 *
 * @param keep Which of its rows, by their fields. @default - all
 */
export function germanExport(
  csv: string,
  keep: (fields: string[]) => boolean = () => true,
): string {
  const [header = '', ...lines] = csv.trim().split(/\r?\n/);
  const rows = lines.map((line) => line.split(',')).filter(keep);
  const written = rows.map((fields) =>
    fields.map((field, n) => (n === fields.length - 1 ? germanNumber(field) : field)).join(';'),
  );
  return `${[header.replaceAll(',', ';'), ...written].join('\r\n')}\r\n`;
}

/** `-1234.5` as `-1.234,5`. */
function germanNumber(number: string): string {
  const [whole = '', decimals] = number.split('.');
  const grouped = whole.replaceAll(/\B(?=(?:\d{3})+$)/g, '.');
  return decimals === undefined ? grouped : `${grouped},${decimals}`;
}
