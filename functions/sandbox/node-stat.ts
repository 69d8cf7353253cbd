import type { FileContent, FsStat, IFileSystem } from 'just-bash';
import type { Node } from './tree.ts';

export type Encoding = Parameters<IFileSystem['writeFile']>[2];

/** A node as the interpreter asks after it. */
export function statOf(node: Node): FsStat {
  return {
    isFile: node.kind === 'file',
    isDirectory: node.kind === 'folder',
    isSymbolicLink: node.kind === 'link',
    mode: node.mode,
    size: sizeOf(node),
    mtime: new Date(node.modified_ms),
    identity: `session:${node.id}`,
  };
}

/** A link is as long as what it says. */
function sizeOf(node: Node): number {
  if (node.kind === 'link') return Buffer.byteLength(node.target);
  return node.kind === 'file' ? node.size_bytes : 0;
}

/** What is written, as bytes. */
export function bytesFrom(content: FileContent, encoding: Encoding): Uint8Array {
  if (typeof content !== 'string') return content;
  const name = typeof encoding === 'string' ? encoding : encoding?.encoding;
  return Buffer.from(content, name ?? 'utf8');
}
