/** What a rubric's Markdown is made of, as far as criteria are told apart by it. */
export type Block =
  | { readonly kind: 'heading'; readonly level: number; readonly text: string }
  | { readonly kind: 'item'; readonly indent: number; readonly text: string }
  /** A row of a table, each cell behind its column's name. */
  | { readonly kind: 'row'; readonly text: string }
  | { readonly kind: 'paragraph'; readonly text: string };

interface Reading {
  readonly blocks: Block[];
  readonly lines: readonly string[];
  /** Whether an empty line stands before the line that is read. */
  after_blank: boolean;
}

/** Reads what begins at a line, if it is of its kind. @returns how many lines it took */
type Reader = (reading: Reading, at: number) => number;

/**
 * Blocks of a text in order. Words are never changed: only marks (bullets, numbers, boxes, hashes,
 * table frames) go. Written here, because criteria need a few line rules and not a document tree.
 */
export function blocksOf(markdown: string): Block[] {
  const lines = markdown.replaceAll(/\r\n?/g, '\n').split('\n');
  const reading: Reading = { blocks: [], lines, after_blank: true };
  for (let at = 0; at < lines.length;) {
    const line = lines[at] ?? '';
    if (line.trim() === '') {
      reading.after_blank = true;
      at += 1;
      continue;
    }
    at += readers.reduce((taken, read) => (taken > 0 ? taken : read(reading, at)), 0);
    reading.after_blank = false;
  }
  return reading.blocks;
}

const FENCE = /^\s*(`{3,}|~{3,})/;

/** Code keeps its lines, whatever they look like, and belongs to what it stands under. */
function readFence(reading: Reading, at: number): number {
  const { lines } = reading;
  const fence = FENCE.exec(lines[at] ?? '')?.[1];
  if (fence === undefined) return 0;
  const close = lines.findIndex(
    (line, index) => index > at && line.trim().startsWith(fence) && /^\s*[`~]+\s*$/.test(line),
  );
  const end = close === -1 ? lines.length : close + 1;
  const code = lines.slice(at, end).join('\n');
  const before = reading.blocks.at(-1);
  const introduced = before?.kind === 'paragraph' && before.text.trimEnd().endsWith(':');
  if (introduced || belongs(reading, lines[at] ?? '')) append(reading, code);
  else reading.blocks.push({ kind: 'paragraph', text: code });
  return end - at;
}

function readHeading({ blocks, lines }: Reading, at: number): number {
  const [all, marks] = /^ {0,3}(#{1,6})(?=\s|$)/.exec(lines[at] ?? '') ?? [];
  if (all === undefined || marks === undefined) return 0;
  const text = (lines[at] ?? '')
    .slice(all.length)
    .trim()
    .replace(/(?:^|\s)#+$/, '')
    .trim();
  if (text !== '') blocks.push({ kind: 'heading', level: marks.length, text });
  return 1;
}

/** A line of dashes makes the line before it a heading; alone it only parts what it stands between. */
function readRule(reading: Reading, at: number): number {
  const { blocks, lines } = reading;
  const line = (lines[at] ?? '').trim();
  const before = blocks.at(-1);
  const is_under = /^(=+|--+)$/.test(line) && !reading.after_blank;
  if (is_under && before?.kind === 'paragraph' && !before.text.includes('\n')) {
    blocks.pop();
    blocks.push({ kind: 'heading', level: line.startsWith('=') ? 1 : 2, text: before.text });
    return 1;
  }
  return /^([-*_])(\s*\1){2,}$/.test(line) ? 1 : 0;
}

/** Patterns here must not backtrack: a rubric may be one line of 262,144 characters. */
const DELIMITERS = /^[\s:|-]+$/;

function readTable({ blocks, lines }: Reading, at: number): number {
  const head = lines[at] ?? '';
  const under = lines[at + 1] ?? '';
  if (!head.includes('|') || !under.includes('|') || !under.includes('-')) return 0;
  if (!DELIMITERS.test(under)) return 0;
  const names = cellsOf(head);
  let end = at + 2;
  for (; (lines[end] ?? '').includes('|'); end++) {
    const cells = cellsOf(lines[end] ?? '').flatMap((cell, index) => {
      const name = names[index] ?? '';
      return cell === '' ? [] : [name === '' ? cell : `${name}: ${cell}`];
    });
    if (cells.length > 0) blocks.push({ kind: 'row', text: cells.join(' | ') });
  }
  return end - at;
}

function cellsOf(line: string): string[] {
  const inside = line.trim().replace(/^\|/, '').replace(/\|$/, '');
  return inside.split(/(?<!\\)\|/).map((cell) => cell.trim());
}

function readItem(reading: Reading, at: number): number {
  const [, space = '', mark, body = ''] =
    /^([ \t]*)([-*+]|\d{1,9}[.)])(?:[ \t]+(.*))?$/.exec(reading.lines[at] ?? '') ?? [];
  if (mark === undefined) return 0;
  // A line of a paragraph may begin with a number: "… in\n2026. Then".
  const in_paragraph = reading.blocks.at(-1)?.kind === 'paragraph' && !reading.after_blank;
  if (in_paragraph && /\d/.test(mark) && !/^1[.)]$/.test(mark)) return 0;
  const text = body.replace(/^\[[ xX]\](?:\s+|$)/, '');
  reading.blocks.push({ kind: 'item', indent: widthOf(space), text });
  return 1;
}

function readText(reading: Reading, at: number): number {
  const line = reading.lines[at] ?? '';
  const text = line.trim().replace(/^(?:>\s?)+/, '');
  if (belongs(reading, line)) append(reading, text);
  else if (text !== '') reading.blocks.push({ kind: 'paragraph', text });
  return 1;
}

const readers: readonly Reader[] = [
  readFence,
  readHeading,
  readRule,
  readTable,
  readItem,
  readText,
];

/** Whether a line goes on with the last block: behind an empty line only what is indented does. */
function belongs({ blocks, after_blank }: Reading, line: string): boolean {
  const last = blocks.at(-1);
  if (last === undefined || last.kind === 'heading' || last.kind === 'row') return false;
  if (!after_blank) return true;
  return last.kind === 'item' && widthOf(/^[ \t]*/.exec(line)?.[0] ?? '') > last.indent;
}

function append({ blocks }: Reading, text: string): void {
  const last = blocks.pop();
  if (last !== undefined) blocks.push({ ...last, text: `${last.text}\n${text}` });
}

function widthOf(space: string): number {
  return space.replaceAll('\t', '    ').length;
}
