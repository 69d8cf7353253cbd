import type { CellValue } from 'read-excel-file/universal';
import { limits } from '#shared/core/limits.ts';
import { ToolFailure } from './file-tools.ts';
import { relationsOf } from './slides.ts';
import type { Text } from './word.ts';
import { attributeOf, decoded, elementsOf, xmlOf } from './xml.ts';
import { stored, type Parts } from './zip.ts';

/** What the library leaves out of a cell. */
interface Beside {
  readonly formula?: string;
  /** As `#DIV/0!`. */
  readonly error?: string;
}

interface SheetFacts {
  readonly is_hidden: boolean;
  readonly beside: ReadonlyMap<string, Beside>;
}

const BOOK = 'xl/workbook.xml';

/** The cells of every sheet of an .xlsx with their addresses, values, formulas and errors. */
export async function workbookText(parts: Parts): Promise<Text> {
  const facts = factsOf(parts);
  const { default: readSheets } = await import('read-excel-file/universal');
  const sheets = await readSheets(new Blob([new Uint8Array(stored(parts))]));
  const texts = sheets.map(({ sheet, data }, index) => {
    const known = facts.get(sheet);
    const hidden = known?.is_hidden === true ? ', hidden' : '';
    const lines = rowsOf(data as readonly Row[], known?.beside ?? new Map());
    const title = `## Sheet ${index + 1} of ${sheets.length}${hidden}: ${sheet}`;
    return [title, ...(lines.length === 0 ? ['(empty)'] : lines)].join('\n');
  });
  return {
    text: texts.join('\n\n'),
    notes: [
      `Converted from a workbook of ${sheets.length} sheets, one line a row, each cell as "address: value".`,
      'A formula stands in braces behind the value that it had when the file was last saved; "(never calculated)" has none. Charts, pictures, colours, widths and comments are not shown; numbers are shown without their format.',
    ],
  };
}

/** A cell; dates come as Date, though the library's own type names their class. */
type Cell = Exclude<CellValue, typeof Date> | Date | null;
type Row = readonly Cell[];

/** Every line from the cells of the library and what it leaves out. */
function rowsOf(data: readonly Row[], beside: ReadonlyMap<string, Beside>): string[] {
  const texts = new Map<number, Map<number, string>>();
  const put = (row: number, column: number, text: string): void => {
    const cells = texts.get(row) ?? new Map<number, string>();
    texts.set(row, cells.set(column, text));
  };
  for (const [row, cells] of data.entries()) {
    for (const [column, cell] of cells.entries()) {
      if (cell !== null) put(row, column, shown(cell));
    }
  }
  for (const [address, { formula, error }] of beside) {
    const { row, column } = placeOf(address);
    const value = error ?? texts.get(row)?.get(column) ?? '(never calculated)';
    put(row, column, formula === undefined ? value : `${value} {=${formula}}`);
  }
  return [...texts]
    .toSorted(([a], [b]) => a - b)
    .map(([row, cells]) =>
      [...cells]
        .toSorted(([a], [b]) => a - b)
        .map(([column, text]) => `${nameOf(column)}${row + 1}: ${text}`)
        .join(' | '),
    );
}

function shown(cell: Exclude<Cell, null>): string {
  if (cell instanceof Date) return cell.toISOString().replace(/T00:00:00\.000Z$/, '');
  return typeof cell === 'boolean'
    ? String(cell).toUpperCase()
    : String(cell).replaceAll('\n', ' ');
}

/** By a sheet's name. @throws ToolFailure for a sheet whose cells lie too far apart. */
function factsOf(parts: Parts): ReadonlyMap<string, SheetFacts> {
  const rels = relationsOf(parts, BOOK);
  return new Map(
    [...elementsOf(xmlOf(parts.get(BOOK)), 'sheet')].map((element) => {
      const name = attributeOf(element, 'name') ?? '';
      const id = /:id\s*=\s*["']([^"']+)/.exec(element.attributes)?.[1] ?? '';
      const xml = xmlOf(parts.get(rels.get(id) ?? ''));
      refuseVast(xml, name);
      const is_hidden = (attributeOf(element, 'state') ?? 'visible') !== 'visible';
      return [name, { is_hidden, beside: besideOf(xml) }];
    }),
  );
}

/** The library fills every gap between two cells: one cell at the far corner would take all memory. */
function refuseVast(xml: string, name: string): void {
  let rows = 1;
  let columns = 1;
  for (const element of elementsOf(xml, 'row')) {
    rows = Math.max(rows, Number(attributeOf(element, 'r') ?? 1));
  }
  for (const element of elementsOf(xml, 'c')) {
    const place = placeOf(attributeOf(element, 'r') ?? '');
    rows = Math.max(rows, place.row + 1);
    columns = Math.max(columns, place.column + 1);
  }
  if (rows * columns <= limits.document_cells_max) return;
  throw new ToolFailure(
    `its sheet '${name}' reaches over ${rows} rows and ${columns} columns, more than ${limits.document_cells_max} cells`,
  );
}

function besideOf(xml: string): Map<string, Beside> {
  const beside = new Map<string, Beside>();
  for (const element of elementsOf(xml, 'c')) {
    const address = attributeOf(element, 'r');
    if (address === undefined || !/^[A-Z]{1,3}\d{1,7}$/.test(address)) continue;
    const [formula] = elementsOf(element.body, 'f');
    const [value] = elementsOf(element.body, 'v');
    const is_error = attributeOf(element, 't') === 'e';
    if (formula === undefined && !is_error) continue;
    beside.set(address, {
      // Cells that share a formula have it at their first one only.
      ...(formula === undefined ? {} : { formula: decoded(formula.body) || 'as shared' }),
      ...(is_error ? { error: decoded(value?.body ?? '#ERROR!') } : {}),
    });
  }
  return beside;
}

/** `C7` → row 6, column 2. */
function placeOf(address: string): { readonly row: number; readonly column: number } {
  const [, letters = '', digits = '1'] = /^([A-Z]+)(\d+)$/.exec(address) ?? [];
  const column = Array.from(letters).reduce(
    (sum, letter) => sum * 26 + letter.charCodeAt(0) - 64,
    0,
  );
  return { row: Number(digits) - 1, column: column - 1 };
}

/** 2 → `C`. */
function nameOf(column: number): string {
  const letter = String.fromCharCode(65 + (column % 26));
  return column < 26 ? letter : nameOf(Math.floor(column / 26) - 1) + letter;
}
