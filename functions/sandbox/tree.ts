import { limits } from '#shared/core/limits.ts';
import { isInside, memory_root, standing } from '#shared/files/path.ts';
import type { SentEntry } from '#shared/tools/sandbox.ts';

interface Common {
  /** Unique in the process: what `-ef` and `cp` take for the inode. */
  readonly id: number;
  mode: number;
  modified_ms: number;
}
export interface FileNode extends Common {
  readonly kind: 'file';
  size_bytes: number;
  /** Absent until it is read or written. */
  bytes: Uint8Array | undefined;
  /** The entry that holds the content while nothing was written. */
  origin: SentFile | undefined;
}
export interface FolderNode extends Common {
  readonly kind: 'folder';
  readonly children: Map<string, Node>;
}
export interface LinkNode extends Common {
  readonly kind: 'link';
  readonly target: string;
}
export type Node = FileNode | FolderNode | LinkNode;
export type SentFile = Extract<SentEntry, { kind: 'file' }>;

let last_id = 0;

export function newFile(bytes: Uint8Array, now_ms: number, mode = 0o644): FileNode {
  return {
    kind: 'file',
    ...common(mode, now_ms),
    size_bytes: bytes.length,
    bytes,
    origin: undefined,
  };
}
export function newFolder(now_ms: number, mode = 0o755): FolderNode {
  return { kind: 'folder', ...common(mode, now_ms), children: new Map() };
}
export function newLink(target: string, now_ms: number): LinkNode {
  return { kind: 'link', ...common(0o777, now_ms), target };
}
/** A copy with the same content; what was not loaded stays so. */
export function copyOf(node: Node, now_ms: number): Node {
  if (node.kind === 'file') return { ...node, ...common(node.mode, now_ms) };
  if (node.kind === 'link') return newLink(node.target, now_ms);
  const folder = newFolder(now_ms, node.mode);
  for (const [name, child] of node.children) folder.children.set(name, copyOf(child, now_ms));
  return folder;
}

function common(mode: number, modified_ms: number): Common {
  return { id: ++last_id, mode, modified_ms };
}

/** What a part of the tree holds. */
interface Sums {
  readonly files: number;
  readonly folders: number;
  readonly bytes: number;
}

/** A failure of the file system, in the words that the interpreter's commands look for. */
export class FsFault extends Error {
  readonly code: string;
  readonly text: string;

  constructor(code: string, text: string, where: string) {
    super(`${code}: ${text}, ${where}`);
    this.code = code;
    this.text = text;
  }
}

/** Where a path leads. */
export interface Place {
  /** The path without links on the way (and at its end, if it was followed). */
  readonly path: string;
  readonly name: string;
  /** Undefined when a folder on the way is missing; for the root itself, the root. */
  readonly parent: FolderNode | undefined;
  readonly node: Node | undefined;
}

/** As Linux has it. */
const LINKS_MAX = 40;

/** The nodes of one call's file system, and their sums. Knows no permissions. */
export class Tree {
  readonly root: FolderNode;
  #files = 0;
  #folders = 0;
  #bytes = 0;

  /** @param mounted Paths of mounts: folders also where they hold nothing. */
  constructor(entries: readonly SentEntry[], mounted: readonly string[], now_ms: number) {
    this.root = newFolder(now_ms);
    for (const path of [...standing, ...mounted]) this.folderAt(path, now_ms);
    for (const entry of entries) this.#plant(entry);
  }

  /** The folder at `path`, made with all folders on the way: what the session itself rests on. */
  folderAt(path: string, now_ms: number): FolderNode {
    let folder = this.root;
    for (const name of path.split('/').filter((part) => part !== '')) {
      const found = folder.children.get(name);
      if (found?.kind === 'folder') {
        folder = found;
        continue;
      }
      // Two threads made a file and a folder of one name: both are kept.
      if (found !== undefined) folder.children.set(`${name} (file)`, found);
      const made = newFolder(now_ms);
      folder.children.set(name, made);
      folder = made;
    }
    return folder;
  }

  #plant(entry: SentEntry): void {
    const at = Date.parse(entry.modified_at);
    if (entry.kind === 'folder') {
      const folder = this.folderAt(entry.path, at);
      folder.mode = entry.mode;
      folder.modified_ms = at;
      this.#folders += 1;
      return;
    }
    const cut = entry.path.lastIndexOf('/');
    const parent = this.folderAt(entry.path.slice(0, cut), at);
    const name = entry.path.slice(cut + 1);
    const node = entry.kind === 'link' ? newLink(entry.target, at) : fileOf(entry, at);
    // Memories have the bounds of their store and not those of the session.
    if (isInside(entry.path, [memory_root])) parent.children.set(name, node);
    else this.attach(parent, parent.children.has(name) ? `${name} (file)` : name, node);
  }

  /**
   * Follow a path through the tree. Links are resolved here and nowhere else, by nodes of this tree
   * only: there is no way out.
   * @throws FsFault ELOOP, ENOTDIR
   */
  walk(path: string, follow_last: boolean): Place {
    const cursor = new Cursor(this.root);
    const ahead = partsOf(path);
    let links = 0;
    for (let part = ahead.pop(); part !== undefined; part = ahead.pop()) {
      if (part === '..') {
        cursor.leave();
        continue;
      }
      const node = cursor.here.children.get(part);
      const is_last = ahead.length === 0;
      if (node?.kind === 'link' && (follow_last || !is_last)) {
        if (++links > LINKS_MAX) throw new FsFault('ELOOP', 'too many symbolic links', `'${path}'`);
        if (node.target.startsWith('/')) cursor.restart();
        ahead.push(...partsOf(node.target));
        continue;
      }
      if (is_last || node === undefined) return cursor.placeOf(part, node, is_last);
      if (node.kind !== 'folder') throw new FsFault('ENOTDIR', 'not a directory', `'${path}'`);
      cursor.enter(part, node);
    }
    return cursor.place();
  }

  /** Put a node into a folder. @throws FsFault ENOSPC, EFBIG */
  attach(parent: FolderNode, name: string, node: Node): void {
    this.#grow(sumsOf(node), name);
    parent.children.set(name, node);
  }

  detach(parent: FolderNode, name: string): Node | undefined {
    const node = parent.children.get(name);
    if (node === undefined) return undefined;
    const sums = sumsOf(node);
    this.#grow({ files: -sums.files, folders: -sums.folders, bytes: -sums.bytes }, name);
    parent.children.delete(name);
    return node;
  }

  /** Give a file new content. @throws FsFault ENOSPC, EFBIG */
  fill(file: FileNode, bytes: Uint8Array, now_ms: number): void {
    if (bytes.length > limits.file_bytes_max) {
      throw new FsFault('EFBIG', 'file too large', `at most ${limits.file_bytes_max} bytes`);
    }
    this.#grow({ files: 0, folders: 0, bytes: bytes.length - file.size_bytes }, 'write');
    file.bytes = bytes;
    file.size_bytes = bytes.length;
    file.origin = undefined;
    file.modified_ms = now_ms;
  }

  #grow(by: Sums, where: string): void {
    const files = this.#files + by.files;
    const folders = this.#folders + by.folders;
    const bytes = this.#bytes + by.bytes;
    const is_over =
      (by.files > 0 && files > limits.session_files_max) ||
      (by.folders > 0 && folders > limits.session_folders_max) ||
      (by.bytes > 0 && bytes > limits.session_bytes_max);
    if (is_over) throw new FsFault('ENOSPC', 'no space left in the session', `'${where}'`);
    [this.#files, this.#folders, this.#bytes] = [files, folders, bytes];
  }
}

function fileOf(entry: SentFile, modified_ms: number): FileNode {
  return {
    kind: 'file',
    ...common(entry.mode, modified_ms),
    size_bytes: entry.size_bytes,
    bytes: undefined,
    origin: entry,
  };
}

/** The parts of a path, the next one last. */
function partsOf(path: string): string[] {
  return path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .toReversed();
}

/** A folder, and the way to it. */
class Cursor {
  here: FolderNode;
  readonly #root: FolderNode;
  readonly #names: string[] = [];
  readonly #above: FolderNode[] = [];

  constructor(root: FolderNode) {
    this.#root = root;
    this.here = root;
  }

  enter(name: string, folder: FolderNode): void {
    this.#names.push(name);
    this.#above.push(this.here);
    this.here = folder;
  }

  leave(): void {
    this.#names.pop();
    this.here = this.#above.pop() ?? this.#root;
  }

  restart(): void {
    this.#names.length = 0;
    this.#above.length = 0;
    this.here = this.#root;
  }

  /** The folder itself. */
  place(): Place {
    const parent = this.#above.at(-1) ?? this.#root;
    return {
      path: `/${this.#names.join('/')}`,
      name: this.#names.at(-1) ?? '',
      parent,
      node: this.here,
    };
  }

  /** A name in the folder; when the path goes on behind a name that is free, it has no parent. */
  placeOf(name: string, node: Node | undefined, is_last: boolean): Place {
    const path = `/${[...this.#names, name].join('/')}`;
    return { path, name, parent: is_last ? this.here : undefined, node };
  }
}

function sumsOf(node: Node): Sums {
  if (node.kind === 'file') return { files: 1, folders: 0, bytes: node.size_bytes };
  if (node.kind === 'link') return { files: 0, folders: 1, bytes: 0 };
  return [...node.children.values()].map(sumsOf).reduce(
    (a, b) => ({
      files: a.files + b.files,
      folders: a.folders + b.folders,
      bytes: a.bytes + b.bytes,
    }),
    { files: 0, folders: 1, bytes: 0 },
  );
}
