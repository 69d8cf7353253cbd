// Goal: a reader without a shell sees what stands in office documents, and a hostile one costs
// nothing but its own answer. Method: small documents made here, read by the sandbox's own entry.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '#shared/core/limits.ts';
import { Converted, type ConvertCall } from '#shared/tools/convert.ts';
import { serve } from '../../../functions/sandbox/serve.ts';
import { createHash } from 'node:crypto';
import { docx, pptx, xlsx, zip } from '../../shared/outcomes/office.ts';
import { dialerTo } from '../../shared/tools/rig.ts';

const PATH = '/mnt/session/outputs/it';

async function ask(content: string | Uint8Array, call: Partial<ConvertCall> = {}) {
  const bytes = Buffer.from(content);
  const entry = {
    kind: 'file' as const,
    path: PATH,
    mode: 0o644,
    modified_at: '2026-11-20T00:00:00.000Z',
    size_bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    content: { base64: bytes.toString('base64') },
  };
  return await serve(
    { dialer: dialerTo(1), nowMs: Date.now },
    {
      session_id: 'sesn_1',
      event_id: 'sevt_1',
      call: { tool: 'convert', path: PATH, offset: 0, chars_max: 100_000, quotes: [], ...call },
      parts: [{ entries: [entry], objects: [] }],
      upload_url: '',
      mounts: [],
      networking: { type: 'limited', allowed_hosts: [] },
    },
  );
}

async function read(content: string | Uint8Array, call: Partial<ConvertCall> = {}) {
  const { content: blocks, is_error, changes } = await ask(content, call);
  const [block] = blocks;
  if (block?.type !== 'text') throw new Error('no text');
  if (is_error) throw new Error(block.text);
  expect(changes).toEqual([]);
  return Converted.parse(JSON.parse(block.text));
}

async function refusal(content: string | Uint8Array): Promise<string> {
  const { content: blocks, is_error } = await ask(content);
  expect(is_error).toBe(true);
  return blocks.map((block) => (block.type === 'text' ? block.text : block.type)).join('');
}

describe('a workbook', () => {
  const book = xlsx([
    {
      name: 'P&L',
      cells: {
        A1: 'Year',
        B1: 'Revenue, EUR',
        A2: 2026,
        B2: 1250.5,
        A4: 'Total',
        B4: { xml: '<f>SUM(B2:B3)</f><v>1250.5</v>' },
        C4: { xml: '<f>B4/0</f><v>#DIV/0!</v>', t: 'e' },
        D4: { xml: '<f>B4*2</f>' },
      },
    },
    { name: 'Assumptions', cells: { C3: 'Growth', D3: 0.04, AA3: 'far' } },
    { name: 'Scratch', state: 'hidden', cells: {} },
  ]);

  test('shows every sheet by its name, and each cell by its address with formula and error', async () => {
    const { kind, text, notes } = await read(book);
    expect(kind).toBe('xlsx');
    expect(text).toBe(
      [
        '## Sheet 1 of 3: P&L',
        'A1: Year | B1: Revenue, EUR',
        'A2: 2026 | B2: 1250.5',
        'A4: Total | B4: 1250.5 {=SUM(B2:B3)} | C4: #DIV/0! {=B4/0} | D4: (never calculated) {=B4*2}',
        '',
        '## Sheet 2 of 3: Assumptions',
        'C3: Growth | D3: 0.04 | AA3: far',
        '',
        '## Sheet 3 of 3, hidden: Scratch',
        '(empty)',
      ].join('\n'),
    );
    expect(notes.join(' ')).toContain('Charts, pictures, colours');
  });

  test('shows dates as dates and truth as words', async () => {
    const cells = {
      A1: { xml: '<v>45000</v>', s: 1 },
      B1: { xml: '<v>1</v>', t: 'b' },
      C1: { xml: '<is><t>in line</t></is>', t: 'inlineStr' },
    };
    const { text } = await read(xlsx([{ name: 'S', cells }]));
    expect(text).toContain('A1: 2023-03-15 | B1: TRUE | C1: in line');
  });

  test('with two cells at its far corners is refused before the library fills the gap', async () => {
    const vast = xlsx([{ name: 'Vast', cells: { A1: 1, XFD1048576: 2 } }]);
    const began = Date.now();
    expect(await refusal(vast)).toContain("sheet 'Vast' reaches over 1048576 rows and 16384");
    expect(Date.now() - began).toBeLessThan(8_000);
  });
});

describe('a Word document', () => {
  test('keeps headings, paragraphs and the rows of tables', async () => {
    const { kind, text } = await read(
      docx({
        heading: 'Findings',
        paragraphs: ['Costs < plan & falling.', '  '],
        table: [
          ['Item', 'EUR'],
          ['Rent', '900'],
        ],
      }),
    );
    expect(kind).toBe('docx');
    expect(text).toBe('# Findings\n\nCosts < plan & falling.\n\n| Item | EUR |\n| Rent | 900 |');
  });

  test.each([
    ['footnotes', 'A tachyon walks into a bar.'],
    ['simple-list', '- Apple\n- Banana'],
    ['comments', 'A tachyon walks into a bar.'],
    ['tiny-picture', '[picture]'],
    ['strict-format', 'Test'],
  ])('that Word itself wrote with %s is read', async (name, words) => {
    const path = `../../../node_modules/mammoth/test/test-data/${name}.docx`;
    const { text } = await read(readFileSync(fileURLToPath(new URL(path, import.meta.url))));
    expect(text).toContain(words);
  });
});

test('slides come in the order in which they are shown, with the notes of the speaker', async () => {
  const { kind, text } = await read(pptx([['Plan', 'Ünder <50 %'], ['Thanks']], 'Say hello'));
  expect(kind).toBe('pptx');
  expect(text).toBe('## Slide 1\nPlan\nÜnder <50 %\nNotes:\nSay hello\n\n## Slide 2\nThanks');
});

test.each([
  ['text', 'a,b\n1,2\n', 'a,b\n1,2\n'],
  ['HTML with its comments', '<p>x</p><!-- y -->', '<p>x</p><!-- y -->'],
  ['UTF-16', Buffer.from('\ufeffGröße', 'utf16le'), 'Größe'],
  ['an empty file', '', ''],
])('%s is read as it stands', async (_, content, text) => {
  expect(await read(content)).toMatchObject({ kind: 'text', text, total_chars: text.length });
});

test('an image and a PDF come as themselves, and their text is unknown to a quote', async () => {
  const png = Buffer.from('89504e470d0a1a0a00', 'hex');
  expect((await ask(png)).content[0]?.type).toBe('image');
  expect((await ask('%PDF-1.7 x')).content[0]?.type).toBe('document');
  expect(await read('%PDF-1.7 x', { quotes: ['x'] })).toMatchObject({
    kind: 'media',
    found: [false],
  });
});

test('a long text comes in pieces that join to the whole, without a character cut apart', async () => {
  const whole = 'a😀b\n'.repeat(50);
  let joined = '';
  for (let offset = 0; offset < whole.length;) {
    const piece = await read(whole, { offset, chars_max: 7 });
    expect(piece.total_chars).toBe(whole.length);
    expect(piece.text.isWellFormed()).toBe(true);
    joined += piece.text;
    offset += piece.text.length;
  }
  expect(joined).toBe(whole);
});

test.each([
  ['stands there', 'the net margin', true],
  ['over a line’s end and more spaces', 'net  margin\tis 4 %', true],
  ['with other quotation marks and dashes', '"sure" - yes', true],
  ['with a character nobody sees', 'net mar\u200bgin', true],
  ['in another case', 'THE NET MARGIN', false],
  ['in parts', 'the margin', false],
])('a quote that %s: found is %s', async (_, quote, found) => {
  const text = 'So the net\nmargin is\u00a04 %. “sure” – yes';
  expect((await read(text, { quotes: [quote] })).found).toEqual([found]);
});

const zeros = Buffer.alloc(limits.document_unpacked_bytes_max + 1);
const half = Buffer.alloc(limits.document_unpacked_bytes_max / 2 + 1);

test.each([
  ['binary data', Buffer.from([1, 0, 2, 255, 254]), 'not UTF-8 text'],
  ['an archive that is no document', zip({ 'a.xml': 'x' }), 'no office document'],
  ['half an archive', docx({ heading: 'x' }).subarray(0, 300), 'damaged'],
  [
    'a bomb',
    zip({ 'word/document.xml': zeros }),
    `unpack to more than ${limits.document_unpacked_bytes_max} bytes`,
  ],
  [
    'a bomb in two halves',
    zip({ 'word/document.xml': half, 'word/styles.xml': half }),
    `unpack to more than ${limits.document_unpacked_bytes_max} bytes`,
  ],
  [
    'a document that is too large',
    Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.alloc(limits.document_bytes_max)]),
    `at most ${limits.document_bytes_max}`,
  ],
  ['a document without its parts', zip({ 'word/document.xml': '<broken' }), 'cannot be read'],
  ['a workbook without its parts', zip({ 'xl/workbook.xml': '<broken' }), 'cannot be read'],
  [
    'XML that nests without end',
    zip({
      '_rels/.rels': '<Relationships/>',
      'word/document.xml': '<w:p>'.repeat(100_000),
    }),
    'nested too deeply',
  ],
])('%s is refused in words', async (_, content, words) => {
  expect(await refusal(content)).toContain(words);
});

test('a damaged document is an answer in words, never a failure of the sandbox', async () => {
  const whole = [
    docx({ heading: 'x', table: [['a', 'b']] }),
    xlsx([{ name: 'S', cells: { A1: 1, B2: { xml: '<f>A1</f>' } } }]),
    pptx([['a']], 'b'),
  ];
  const damage = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...whole), damage, async (bytes, places) => {
      const damaged = Buffer.from(bytes);
      for (const [at, byte] of places) damaged[at % damaged.length] = byte;
      const { content } = await ask(damaged);
      expect(content).toHaveLength(1);
    }),
    { numRuns: 150 },
  );
});

test('a bomb of parts that nobody asked for is never unpacked', async () => {
  const archive = zip({ 'ppt/presentation.xml': '<p:presentation/>', 'ppt/media/a.bin': zeros });
  expect((await read(archive)).kind).toBe('pptx');
});

test('entities that grow are not resolved', async () => {
  const lol = `<!DOCTYPE x [<!ENTITY a "${'lol'.repeat(1_000)}"><!ENTITY b "${'&a;'.repeat(1_000)}"><!ENTITY c "${'&b;'.repeat(1_000)}">]>`;
  const bomb = zip({
    'ppt/presentation.xml': `${lol}<p:presentation xmlns:r="r"><p:sldIdLst><p:sldId id="256" r:id="rId1"/></p:sldIdLst></p:presentation>`,
    'ppt/_rels/presentation.xml.rels':
      '<Relationships><Relationship Id="rId1" Target="slides/slide1.xml"/></Relationships>',
    'ppt/slides/slide1.xml': `${lol}<p:sld><a:p><a:r><a:t>&c;</a:t></a:r></a:p></p:sld>`,
  });
  expect((await read(bomb)).text).toBe('## Slide 1\n&c;');
});
