import { limits } from '#shared/core/limits.ts';
import { normalPath, parentOf } from '#shared/files/path.ts';
import type { SandboxReply } from '#shared/tools/sandbox.ts';
import type { ToolInput } from '#shared/tools/toolset.ts';
import { globMatcher } from './glob.ts';
import { mediaTypeOf, textOf } from './media.ts';
import type { SessionFs } from './session-fs.ts';
import type { Node } from './tree.ts';

export type ReplyContent = SandboxReply['content'];

/** A tool's failure, in words for the model. */
export class ToolFailure extends Error {
  override readonly name = 'ToolFailure';
}

/** The text of a file that is no UTF-8, if it has one: see documents.ts. */
type PackedText = (
  path: string,
  bytes: Uint8Array,
) => Promise<{ readonly text: string; readonly notes: readonly string[] } | undefined>;

export async function readTool(
  fs: SessionFs,
  input: ToolInput<'read'>,
  packedText: PackedText,
): Promise<ReplyContent> {
  const bytes = await fileAt(fs, input.file_path);
  const media_type = mediaTypeOf(bytes);
  if (media_type !== undefined) return [mediaBlock(input.file_path, media_type, bytes)];
  const text = textOf(bytes);
  if (text !== undefined) return said(numberedLines(text, input));
  const packed = await packedText(input.file_path, bytes);
  if (packed === undefined) {
    throw new ToolFailure(
      `${input.file_path} is not text, an image or a PDF document (${bytes.length} bytes). Use bash to look into it.`,
    );
  }
  const notes = packed.notes.map((note) => `[${note}]`);
  return said([...notes, numberedLines(packed.text, input)].join('\n'));
}

export function mediaBlock(
  file_path: string,
  media_type: string,
  bytes: Uint8Array,
): ReplyContent[number] {
  if (bytes.length > limits.read_media_bytes_max) {
    throw new ToolFailure(
      `${file_path} has ${bytes.length} bytes; an image or document can have at most ${limits.read_media_bytes_max}.`,
    );
  }
  const data = Buffer.from(bytes).toString('base64');
  const source = { type: 'base64' as const, media_type, data };
  return media_type.startsWith('image/')
    ? { type: 'image', source }
    : { type: 'document', source, title: file_path.slice(file_path.lastIndexOf('/') + 1) };
}

function numberedLines(text: string, { file_path, view_range }: ToolInput<'read'>): string {
  if (text === '') return `${file_path} is empty.`;
  const lines = text.split('\n');
  // The end of the last line is not the beginning of another one.
  if (lines.at(-1) === '') lines.pop();
  const [first = 1, last = -1] = view_range ?? [];
  const start = Math.max(1, first);
  const end = last < 0 ? lines.length : Math.min(last, lines.length);
  if (start > end) {
    throw new ToolFailure(
      `view_range [${first}, ${last}] holds no line of ${file_path}, which has ${lines.length}.`,
    );
  }
  const wanted = lines.slice(start - 1, end);
  const bytes = Buffer.byteLength(wanted.join('\n'));
  if (bytes > limits.read_text_bytes_max) {
    throw new ToolFailure(
      `These ${wanted.length} lines of ${file_path} have ${bytes} bytes, more than ${limits.read_text_bytes_max}. ` +
        `Read fewer with view_range, e.g. [${start}, ${start + 200}]; the file has ${lines.length} lines.`,
    );
  }
  const width = Math.max(6, String(end).length);
  return wanted
    .map((line, index) => `${String(start + index).padStart(width)}\t${line}`)
    .join('\n');
}

export async function writeTool(fs: SessionFs, input: ToolInput<'write'>): Promise<ReplyContent> {
  const path = normalPath(input.file_path);
  await fs.mkdir(parentOf(path), { recursive: true });
  await fs.writeFile(path, input.content);
  return said(`Wrote ${Buffer.byteLength(input.content)} bytes to ${path}.`);
}

export async function editTool(fs: SessionFs, input: ToolInput<'edit'>): Promise<ReplyContent> {
  const path = normalPath(input.file_path);
  const text = textOf(await fileAt(fs, input.file_path));
  if (text === undefined) throw new ToolFailure(`${input.file_path} is not UTF-8 text.`);
  const { updated, count } = replaceIn(text, input);
  await fs.writeFile(path, updated);
  return said(`Edited ${path}: ${count} ${count === 1 ? 'replacement' : 'replacements'}.`);
}

/** @throws ToolFailure when `old_string` is not there, or more than once without `replace_all`. */
export function replaceIn(
  text: string,
  { file_path, old_string, new_string, replace_all }: ToolInput<'edit'>,
): { readonly updated: string; readonly count: number } {
  const parts = text.split(old_string);
  const count = parts.length - 1;
  if (count === 0)
    throw new ToolFailure(
      `old_string does not stand in ${file_path}. Read the file and use its exact text.`,
    );
  if (count > 1 && replace_all !== true) {
    throw new ToolFailure(
      `old_string stands in ${file_path} ${count} times. Add lines around it until it is unique, or set replace_all.`,
    );
  }
  return { updated: parts.join(new_string), count };
}

export async function globTool(fs: SessionFs, input: ToolInput<'glob'>): Promise<ReplyContent> {
  const root = normalPath(input.path ?? '.');
  const pattern = input.pattern.replace(/^(\.\/)+/, '');
  if (pattern.startsWith('/') || pattern.split(/[/{},]/).includes('..')) {
    throw new ToolFailure('pattern must be relative and without "..". Give the folder as path.');
  }
  const matches = globMatcher(pattern);
  const place = fs.tree.walk(root, true);
  if (place.node?.kind !== 'folder') throw new ToolFailure(`There is no folder ${root}.`);
  normalPath(place.path);
  const found = filesBelow(place.node, '').filter(({ path }) => matches(path));
  if (found.length === 0) return said('No files match.');
  const newest = found.toSorted(
    (a, b) => b.modified_ms - a.modified_ms || (a.path < b.path ? -1 : 1),
  );
  const shown = newest.slice(0, limits.glob_results_max).map(({ path }) => `${root}/${path}`);
  const rest = found.length - shown.length;
  return said(
    [...shown, ...(rest > 0 ? [`[${rest} more; use a narrower pattern]`] : [])].join('\n'),
  );
}

function filesBelow(folder: Node, path: string): { path: string; modified_ms: number }[] {
  if (folder.kind !== 'folder') return [];
  return [...folder.children].flatMap(([name, node]) => {
    if (name === '.git' || name === 'node_modules') return [];
    const here = path === '' ? name : `${path}/${name}`;
    if (node.kind === 'file') return [{ path: here, modified_ms: node.modified_ms }];
    // Links are not followed: each file is found once, under its own name.
    return filesBelow(node, here);
  });
}

/** The bytes of a file, through links. @throws ToolFailure, Fault: the sentence is for the model. */
export async function fileAt(fs: SessionFs, file_path: string): Promise<Uint8Array> {
  const place = fs.tree.walk(normalPath(file_path), true);
  if (place.node === undefined) throw new ToolFailure(`There is no file ${file_path}.`);
  if (place.node.kind !== 'file') throw new ToolFailure(`${file_path} is a folder.`);
  // A link must not show the interpreter's own files as the session's.
  normalPath(place.path);
  return await fs.readFileBuffer(place.path);
}

export function said(text: string): ReplyContent {
  return [{ type: 'text', text }];
}
