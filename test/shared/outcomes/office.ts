import { crc32, deflateRawSync } from 'node:zlib';

/** A ZIP archive, packed as office programs do it. Content of a name may be given packed already. */
export function zip(files: Readonly<Record<string, string | Uint8Array>>): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let at = 0;
  for (const [name, content] of Object.entries(files)) {
    const bytes = Buffer.from(content);
    const packed = deflateRawSync(bytes);
    const head = Buffer.alloc(26);
    head.writeUInt16LE(20, 0);
    head.writeUInt16LE(8, 4);
    head.writeUInt32LE(crc32(bytes), 10);
    head.writeUInt32LE(packed.length, 14);
    head.writeUInt32LE(bytes.length, 18);
    head.writeUInt16LE(Buffer.byteLength(name), 22);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(at, 10);
    central.push(Buffer.from('504b01021400', 'hex'), head, tail, Buffer.from(name));
    const local = Buffer.concat([Buffer.from('504b0304', 'hex'), head, Buffer.from(name), packed]);
    locals.push(local);
    at += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write('504b0506', 0, 'hex');
  end.writeUInt16LE(Object.keys(files).length, 8);
  end.writeUInt16LE(Object.keys(files).length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...locals, directory, end]);
}

const HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const OFFICE = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006';

function types(...overrides: readonly (readonly [path: string, type: string])[]): string {
  const all = overrides.map(
    ([path, type]) =>
      `<Override PartName="/${path}" ContentType="application/vnd.openxmlformats-officedocument.${type}+xml"/>`,
  );
  return `${HEAD}<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>${all.join('')}</Types>`;
}

function rels(...targets: readonly (readonly [kind: string, target: string])[]): string {
  const all = targets.map(
    ([kind, target], n) =>
      `<Relationship Id="rId${n + 1}" Type="${OFFICE}/${kind}" Target="${target}"/>`,
  );
  return `${HEAD}<Relationships xmlns="${PACKAGE}/relationships">${all.join('')}</Relationships>`;
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** A Word document of a heading, paragraphs and a table. */
export function docx(content: {
  readonly heading?: string;
  readonly paragraphs?: readonly string[];
  readonly table?: readonly (readonly string[])[];
}): Buffer {
  const p = (text: string, style = ''): string =>
    `<w:p>${style === '' ? '' : `<w:pPr><w:pStyle w:val="${style}"/></w:pPr>`}<w:r><w:t xml:space="preserve">${escaped(text)}</w:t></w:r></w:p>`;
  const rows = (content.table ?? []).map(
    (cells) => `<w:tr>${cells.map((cell) => `<w:tc>${p(cell)}</w:tc>`).join('')}</w:tr>`,
  );
  const body = [
    ...(content.heading === undefined ? [] : [p(content.heading, 'Heading1')]),
    ...(content.paragraphs ?? []).map((text) => p(text)),
    ...(rows.length === 0 ? [] : [`<w:tbl>${rows.join('')}</w:tbl>`]),
  ].join('');
  const styles =
    '<w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/></w:style>';
  const ns = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"';
  return zip({
    '[Content_Types].xml': types(
      ['word/document.xml', 'wordprocessingml.document.main'],
      ['word/styles.xml', 'wordprocessingml.styles'],
    ),
    '_rels/.rels': rels(['officeDocument', 'word/document.xml']),
    'word/_rels/document.xml.rels': rels(['styles', 'styles.xml']),
    'word/styles.xml': `${HEAD}<w:styles ${ns}>${styles}</w:styles>`,
    'word/document.xml': `${HEAD}<w:document ${ns}><w:body>${body}</w:body></w:document>`,
  });
}

/** A cell: a text, a number, or the inside of its element. */
export type Cell =
  | string
  | number
  /** `t` is its type, `s` its style: 1 is a date. */
  | { readonly xml: string; readonly t?: string; readonly s?: number };

export interface Sheet {
  readonly name: string;
  readonly state?: 'hidden' | 'veryHidden';
  readonly cells: Readonly<Record<string, Cell>>;
}

/** A workbook; texts stand once in the shared strings, as Excel writes them. */
export function xlsx(sheets: readonly Sheet[]): Buffer {
  const strings: string[] = [];
  const paths = sheets.map((_, n) => `worksheets/sheet${n + 1}.xml`);
  const parts = sheets.map(({ cells }, n): [string, string] => [
    `xl/${paths[n]}`,
    `${HEAD}<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>${rowsXml(cells, strings)}</sheetData></worksheet>`,
  ]);
  const list = sheets.map(
    ({ name, state }, n) =>
      `<sheet name="${escaped(name)}" sheetId="${n + 1}"${state === undefined ? '' : ` state="${state}"`} r:id="rId${n + 1}"/>`,
  );
  const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
  return zip({
    '[Content_Types].xml': types(
      ['xl/workbook.xml', 'spreadsheetml.sheet.main'],
      ...paths.map((path) => [`xl/${path}`, 'spreadsheetml.worksheet'] as const),
      ['xl/sharedStrings.xml', 'spreadsheetml.sharedStrings'],
      ['xl/styles.xml', 'spreadsheetml.styles'],
    ),
    '_rels/.rels': rels(['officeDocument', 'xl/workbook.xml']),
    'xl/_rels/workbook.xml.rels': rels(
      ...paths.map((path) => ['worksheet', path] as const),
      ['sharedStrings', 'sharedStrings.xml'],
      ['styles', 'styles.xml'],
    ),
    'xl/workbook.xml': `${HEAD}<workbook xmlns="${main}" xmlns:r="${OFFICE}"><sheets>${list.join('')}</sheets></workbook>`,
    ...Object.fromEntries(parts),
    'xl/styles.xml': `${HEAD}<styleSheet xmlns="${main}"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>`,
    'xl/sharedStrings.xml': `${HEAD}<sst xmlns="${main}">${strings.map((text) => `<si><t xml:space="preserve">${escaped(text)}</t></si>`).join('')}</sst>`,
  });
}

function rowsXml(cells: Sheet['cells'], strings: string[]): string {
  const rows = new Map<number, string[]>();
  for (const [address, cell] of Object.entries(cells)) {
    const row = Number(/\d+$/.exec(address)?.[0]);
    rows.set(row, [...(rows.get(row) ?? []), cellXml(address, cell, strings)]);
  }
  return [...rows].map(([n, inside]) => `<row r="${n}">${inside.join('')}</row>`).join('');
}

function cellXml(address: string, cell: Cell, strings: string[]): string {
  if (typeof cell === 'number') return `<c r="${address}"><v>${cell}</v></c>`;
  if (typeof cell === 'string') {
    return `<c r="${address}" t="s"><v>${strings.push(cell) - 1}</v></c>`;
  }
  const style = cell.s === undefined ? '' : ` s="${cell.s}"`;
  return `<c r="${address}"${style}${cell.t === undefined ? '' : ` t="${cell.t}"`}>${cell.xml}</c>`;
}

/** Slides of paragraphs, in an order that is not that of their files; the first has notes. */
export function pptx(slides: readonly (readonly string[])[], notes?: string): Buffer {
  const a = 'http://schemas.openxmlformats.org/drawingml/2006/main';
  const p = 'http://schemas.openxmlformats.org/presentationml/2006/main';
  const last = slides.length;
  const tree = (texts: readonly string[]): string =>
    `<p:cSld><p:spTree>${texts.map((text) => `<p:sp><p:txBody><a:p><a:r><a:t>${escaped(text)}</a:t></a:r></a:p></p:txBody></p:sp>`).join('')}</p:spTree></p:cSld>`;
  const parts = slides.flatMap((texts, n): [string, string][] => [
    [
      // The last slide shown stands in slide1.xml.
      `ppt/slides/slide${last - n}.xml`,
      `${HEAD}<p:sld xmlns:a="${a}" xmlns:p="${p}">${tree(texts)}</p:sld>`,
    ],
  ]);
  return zip({
    '[Content_Types].xml': types(['ppt/presentation.xml', 'presentationml.presentation.main']),
    '_rels/.rels': rels(['officeDocument', 'ppt/presentation.xml']),
    'ppt/_rels/presentation.xml.rels': rels(
      ...slides.map((_, n) => ['slide', `slides/slide${last - n}.xml`] as const),
    ),
    'ppt/presentation.xml': `${HEAD}<p:presentation xmlns:p="${p}" xmlns:r="${OFFICE}"><p:sldIdLst>${slides.map((_, n) => `<p:sldId id="${256 + n}" r:id="rId${n + 1}"/>`).join('')}</p:sldIdLst></p:presentation>`,
    ...Object.fromEntries(parts),
    ...(notes === undefined
      ? {}
      : {
          [`ppt/slides/_rels/slide${last}.xml.rels`]: rels([
            'notesSlide',
            '../notesSlides/notesSlide1.xml',
          ]),
          'ppt/notesSlides/notesSlide1.xml': `${HEAD}<p:notes xmlns:a="${a}" xmlns:p="${p}">${tree([notes])}</p:notes>`,
        }),
  });
}
