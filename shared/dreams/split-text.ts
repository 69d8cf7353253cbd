import { limits } from '../core/limits.ts';

/** A text in as many memories as it needs; together they are the text, byte for byte. */
export function splitText(
  path: string,
  text: string,
  bytes_max: number = limits.memory_bytes_max,
): { readonly path: string; readonly text: string }[] {
  const parts: string[] = [];
  let rest = text;
  while (Buffer.byteLength(rest) > bytes_max) {
    const end = endOfPart(rest, bytes_max);
    parts.push(rest.slice(0, end));
    rest = rest.slice(end);
  }
  parts.push(rest);
  return parts.map((part, index) => ({ path: numbered(path, index), text: part }));
}

/** Before a heading, else after a paragraph, else after a line, else between two characters. */
function endOfPart(text: string, bytes_max: number): number {
  const fitting = fittingChars(text, bytes_max);
  const head = text.slice(0, fitting);
  const least = Math.floor(fitting / 2);
  const heading = head.lastIndexOf('\n#') + 1;
  if (heading > least) return heading;
  const paragraph = head.lastIndexOf('\n\n') + 2;
  if (paragraph > least) return paragraph;
  const line = head.lastIndexOf('\n') + 1;
  return line > least ? line : fitting;
}

/** The most characters that have no more bytes, without cutting one in two. */
function fittingChars(text: string, bytes_max: number): number {
  const head = Buffer.from(text.slice(0, bytes_max)).subarray(0, bytes_max);
  let end = head.length;
  // Continuation bytes of UTF-8 begin with the bits 10.
  const next = Buffer.from(text.slice(0, bytes_max))[end];
  if (next !== undefined && (next & 0xc0) === 0x80) {
    do end -= 1;
    while (((head[end] ?? 0) & 0xc0) === 0x80);
  }
  return head.subarray(0, end).toString().length;
}

function numbered(path: string, index: number): string {
  if (index === 0) return path;
  return path.replace(/(\.[^./]+)?$/, (ending) => `-${index + 1}${ending}`);
}
