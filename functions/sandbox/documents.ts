import { limits } from '#shared/core/limits.ts';
import { normalPath } from '#shared/files/path.ts';
import { folded, type ConvertCall, type Converted } from '#shared/tools/convert.ts';
import { fileAt, mediaBlock, said, ToolFailure, type ReplyContent } from './file-tools.ts';
import { mediaTypeOf, textOf } from './media.ts';
import type { SessionFs } from './session-fs.ts';
import { slidesText } from './slides.ts';
import { wordText, type Text } from './word.ts';
import { workbookText } from './workbook.ts';
import { unpacked, type Parts } from './zip.ts';

export type Document = Text & { readonly kind: Converted['kind'] };

/** What an archive is by the part that it must have; its name can say anything. */
const offices: readonly (readonly [
  kind: Converted['kind'],
  part: string,
  convert: (parts: Parts) => Text | Promise<Text>,
])[] = [
  ['docx', 'word/document.xml', wordText],
  ['xlsx', 'xl/workbook.xml', workbookText],
  ['pptx', 'ppt/presentation.xml', slidesText],
];

/** Texts of documents by the bytes they came from: the pieces of one are asked for one after another. */
const converted = new WeakMap<Uint8Array, Promise<Document>>();

/**
 * A piece of a file's text and which quotes stand in the whole; or the image or PDF itself.
 * @throws ToolFailure, FsFault for what cannot be read; the sentence is for a model.
 */
export async function convert(fs: SessionFs, call: ConvertCall): Promise<ReplyContent> {
  const path = normalPath(call.path);
  const bytes = await fileAt(fs, path);
  const media_type = mediaTypeOf(bytes);
  if (media_type !== undefined && call.quotes.length === 0) {
    return [mediaBlock(path, media_type, bytes)];
  }
  const document: Document =
    media_type === undefined
      ? await documentOf(path, bytes)
      : { kind: 'media', text: '', notes: [] };
  return said(JSON.stringify(pieceOf(document, call)));
}

function pieceOf({ kind, text, notes }: Document, call: ConvertCall): Converted {
  const haystack = call.quotes.length === 0 ? '' : folded(text);
  return {
    kind,
    notes: [...notes],
    total_chars: text.length,
    text: wholeChars(text, call.offset, call.chars_max),
    found: call.quotes.map((quote) => haystack.includes(folded(quote))),
  };
}

/** A character that two units make is not cut apart: it goes with the next piece. */
function wholeChars(text: string, offset: number, chars_max: number): string {
  const piece = text.slice(offset, offset + chars_max);
  const is_cut = chars_max > 1 && /[\ud800-\udbff]$/.test(piece);
  return is_cut ? piece.slice(0, -1) : piece;
}

async function documentOf(path: string, bytes: Uint8Array): Promise<Document> {
  const known = converted.get(bytes) ?? parsed(path, bytes);
  converted.set(bytes, known);
  return await known;
}

async function parsed(path: string, bytes: Uint8Array): Promise<Document> {
  const text = textOf(bytes);
  const document: Document | undefined =
    text === undefined ? await packedText(path, bytes) : { kind: 'text', text, notes: [] };
  if (document !== undefined) return document;
  throw new ToolFailure(
    `${path} is not UTF-8 text, an image, a PDF or an office document (${bytes.length} bytes): it cannot be read.`,
  );
}

/**
 * The text of what holds one otherwise than as UTF-8: an office document, or UTF-16.
 * @returns undefined for anything else
 * @throws ToolFailure for an archive that is no office document, or a damaged one
 */
export async function packedText(path: string, bytes: Uint8Array): Promise<Document | undefined> {
  const is_archive = Buffer.from(bytes.subarray(0, 4)).toString('latin1') === 'PK\x03\x04';
  if (is_archive) return await office(path, bytes);
  const text = utf16Of(bytes);
  return text === undefined ? undefined : { kind: 'text', text, notes: [] };
}

/** Spreadsheets save "Unicode text" so, with a mark at the beginning. */
function utf16Of(bytes: Uint8Array): string | undefined {
  const mark = Buffer.from(bytes.subarray(0, 2)).toString('hex');
  if (mark === 'fffe') return new TextDecoder('utf-16le').decode(bytes);
  return mark === 'feff' ? new TextDecoder('utf-16be').decode(bytes) : undefined;
}

async function office(path: string, bytes: Uint8Array): Promise<Document> {
  if (bytes.length > limits.document_bytes_max) {
    throw new ToolFailure(
      `${path} has ${bytes.length} bytes; a document that is to be converted can have at most ${limits.document_bytes_max}.`,
    );
  }
  try {
    const parts = unpacked(bytes, (name) => /\.(xml|rels)$/i.test(name));
    const found = offices.find(([, part]) => parts.has(part));
    if (found === undefined) throw new ToolFailure('it is an archive, and no office document');
    const [kind, , toText] = found;
    return { kind, ...(await toText(parts)) };
  } catch (error) {
    // A parser's own failure is the document's: nothing of ours is in it.
    const why = error instanceof Error ? error.message : 'it is damaged';
    throw new ToolFailure(`${path} cannot be read as a document: ${why.slice(0, 300)}.`);
  }
}
