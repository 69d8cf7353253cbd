import type { FileContent, FsStat, IFileSystem } from 'just-bash';
import { limits } from '#shared/core/limits.ts';
import {
  excessOf,
  isInside,
  memory_root,
  mountAt,
  resolvePath,
  roots,
  type Mount,
} from '#shared/files/path.ts';
import type { Contents } from './contents.ts';
import { randoms, someRandom } from './devices.ts';
import type { Failures } from './failures.ts';
import { bytesFrom, statOf, type Encoding } from './node-stat.ts';
import { ANSWER_PATH, ASK_PATH, type PythonAsks } from './python-asks.ts';
import {
  FsFault,
  type Tree,
  copyOf,
  newFile,
  newFolder,
  newLink,
  type FolderNode,
  type Node,
  type Place,
} from './tree.ts';

/** What a tree needs to be a file system. */
export interface FsOptions {
  readonly tree: Tree;
  readonly contents: Contents;
  readonly mounts: readonly Mount[];
  readonly nowMs: () => number;
}

/**
 * The session's files as the interpreter sees them. Contents are loaded when a command touches
 * them. Only what lies below the session's roots can be written.
 */
export class SessionFs implements IFileSystem {
  readonly tree: Tree;
  /** While a shell runs. */
  failures: Failures | undefined;
  /** While a program of Python's runs. */
  asks: PythonAsks | undefined;
  readonly #options: FsOptions;
  #written_bytes = 0;

  constructor(options: FsOptions) {
    this.tree = options.tree;
    this.#options = options;
  }

  async readFile(path: string, options?: Parameters<IFileSystem['readFile']>[1]): Promise<string> {
    const encoding = typeof options === 'string' ? options : (options?.encoding ?? 'utf8');
    return Buffer.from(await this.readFileBuffer(path)).toString(encoding);
  }

  async readFileBuffer(path: string): Promise<Uint8Array> {
    if (path === ANSWER_PATH && this.asks !== undefined) return this.asks.answer;
    const { node, path: place } = this.#find(path, 'open');
    if (randoms.has(place)) return someRandom();
    if (node.kind !== 'file')
      throw new FsFault('EISDIR', 'illegal operation on a directory', `read '${path}'`);
    try {
      return await this.#options.contents.bytesOf(node);
    } catch (error) {
      // A command says of whatever it cannot read that it is not there.
      if (error instanceof FsFault) this.failures?.silent.add(`${path}: ${error.text}`);
      throw error;
    }
  }

  async writeFile(path: string, content: FileContent, encoding?: Encoding): Promise<void> {
    if (path === ASK_PATH && this.asks !== undefined) {
      return await this.asks.ask(bytesFrom(content, encoding));
    }
    await this.#orNoted(path, async () => {
      this.#put(this.#writable(path, 'open'), bytesFrom(content, encoding), path);
    });
  }

  async appendFile(path: string, content: FileContent, encoding?: Encoding): Promise<void> {
    if (content.length === 0 && path !== '/dev/null') return this.#open(path);
    await this.#orNoted(path, async () => {
      const { node } = this.tree.walk(path, true);
      const { contents } = this.#options;
      const before = node?.kind === 'file' ? await contents.bytesOf(node) : new Uint8Array();
      const bytes = Buffer.concat([before, bytesFrom(content, encoding)]);
      this.#put(this.#writable(path, 'open'), bytes, path);
    });
  }

  /** How the interpreter looks whether it can write: see redirects.ts. */
  #open(path: string): void {
    try {
      const place = this.#writable(path, 'open');
      if (place.node?.kind !== 'file') this.#put(place, new Uint8Array(), path);
    } catch (error) {
      if (error instanceof FsFault) this.failures?.unopened(path, error);
      throw error;
    }
  }

  async #orNoted(path: string, write: () => Promise<void>): Promise<void> {
    if (path === '/dev/null') return;
    await (this.failures === undefined ? write() : this.failures.write(path, write));
  }

  #put(place: Place, bytes: Uint8Array, path: string): void {
    if (place.node !== undefined && place.node.kind !== 'file') {
      throw new FsFault('EISDIR', 'illegal operation on a directory', `open '${path}'`);
    }
    if (place.parent === undefined) throw missing('open', path);
    this.#written_bytes += bytes.length - (place.node?.bytes?.length ?? 0);
    if (this.#written_bytes > limits.call_contents_bytes_max) {
      throw new FsFault('ENOSPC', 'one command wrote too much', `open '${path}'`);
    }
    const now = this.#options.nowMs();
    const file = place.node ?? newFile(new Uint8Array(), now);
    if (place.node === undefined) this.tree.attach(place.parent, place.name, file);
    this.tree.fill(file, bytes, now);
  }

  async exists(path: string): Promise<boolean> {
    try {
      return this.tree.walk(path, true).node !== undefined;
    } catch {
      return false;
    }
  }

  async stat(path: string): Promise<FsStat> {
    return statOf(this.#find(path, 'stat').node);
  }

  async lstat(path: string): Promise<FsStat> {
    return statOf(this.#find(path, 'lstat', false).node);
  }

  async mkdir(path: string, options?: { recursive?: boolean }): Promise<void> {
    const is_there = this.tree.walk(path, true).node?.kind === 'folder';
    if (is_there && options?.recursive === true) return;
    const place = this.#writable(path, 'mkdir');
    if (place.node !== undefined)
      throw new FsFault('EEXIST', 'file already exists', `mkdir '${path}'`);
    if (place.parent === undefined && options?.recursive === true) {
      await this.mkdir(place.path, options);
      await this.mkdir(path, options);
      return;
    }
    this.tree.attach(parentOf(place, 'mkdir', path), place.name, newFolder(this.#options.nowMs()));
  }

  async readdir(path: string): Promise<string[]> {
    return [...this.#folder(path, 'scandir').children.keys()].toSorted();
  }

  async readdirWithFileTypes(path: string) {
    return [...this.#folder(path, 'scandir').children]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { kind }]) => ({
        name,
        isFile: kind === 'file',
        isDirectory: kind === 'folder',
        isSymbolicLink: kind === 'link',
      }));
  }

  async rm(path: string, options?: { recursive?: boolean; force?: boolean }): Promise<void> {
    const place = this.#removable(path, options?.force === true);
    if (place.node === undefined) {
      if (options?.force === true) return;
      throw missing('rm', path);
    }
    if (
      place.node.kind === 'folder' &&
      place.node.children.size > 0 &&
      options?.recursive !== true
    ) {
      throw new FsFault('ENOTEMPTY', 'directory not empty', `rm '${path}'`);
    }
    this.tree.detach(parentOf(place, 'rm', path), place.name);
  }

  /** `rm -f` says of no failure: that nothing was removed must be known all the same. */
  #removable(path: string, is_forced: boolean): Place {
    try {
      return this.#writable(path, 'rm', false);
    } catch (error) {
      if (is_forced && error instanceof FsFault) {
        this.failures?.silent.add(`rm: cannot remove '${path}': ${error.text}`);
      }
      throw error;
    }
  }

  async cp(src: string, dest: string, options?: { recursive?: boolean }): Promise<void> {
    const from = this.#find(src, 'cp');
    if (from.node.kind === 'folder' && options?.recursive !== true) {
      throw new FsFault('EISDIR', 'is a directory', `cp '${src}'`);
    }
    const place = this.#writable(dest, 'cp');
    if (from.node.kind === 'folder' && isInside(place.path, [from.path])) {
      throw new FsFault(
        'EINVAL',
        'cannot copy a directory into itself',
        `cp '${src}' -> '${dest}'`,
      );
    }
    const where = `cp '${src}' -> '${dest}'`;
    refuseExcess(place.path, from.node, where);
    this.#land(copyOf(from.node, this.#options.nowMs()), place, where);
  }

  async mv(src: string, dest: string): Promise<void> {
    const where = `mv '${src}' -> '${dest}'`;
    const from = this.#writable(src, 'mv', false);
    const to = this.#writable(dest, 'mv', false);
    if (from.node === undefined) throw missing('mv', src);
    if (from.node === to.node) return;
    if (isInside(to.path, [from.path])) throw new FsFault('EINVAL', 'invalid argument', where);
    if (to.node?.kind === 'folder' && to.node.children.size > 0) {
      throw new FsFault('ENOTEMPTY', 'directory not empty', where);
    }
    if (from.node.kind === 'folder' && to.node !== undefined && to.node.kind !== 'folder') {
      throw new FsFault('ENOTDIR', 'not a directory', where);
    }
    parentOf(to, 'mv', dest);
    refuseExcess(to.path, from.node, where);
    const node = this.tree.detach(parentOf(from, 'mv', src), from.name);
    if (node !== undefined) this.#land(node, { ...to, node: undefined }, where);
  }

  /** Put a node at a place: a folder there takes its children in, a file there is replaced. */
  #land(node: Node, place: Place, where: string): void {
    const parent = parentOf(place, where, '');
    if (place.node?.kind === 'folder' && node.kind === 'folder') {
      for (const [name, child] of node.children) {
        const inside = { path: `${place.path}/${name}`, name, parent: place.node };
        this.#land(child, { ...inside, node: place.node.children.get(name) }, where);
      }
      return;
    }
    if (place.node?.kind === 'folder') throw new FsFault('EISDIR', 'is a directory', where);
    this.tree.detach(parent, place.name);
    this.tree.attach(parent, place.name, node);
  }

  resolvePath(base: string, path: string): string {
    return resolvePath(base, path);
  }

  getAllPaths(): string[] {
    const paths: string[] = [];
    const visit = (node: Node, path: string): void => {
      paths.push(path === '' ? '/' : path);
      if (node.kind === 'folder') {
        for (const [name, child] of node.children) visit(child, `${path}/${name}`);
      }
    };
    visit(this.tree.root, '');
    return paths;
  }

  async chmod(path: string, mode: number): Promise<void> {
    this.#writableNode(path, 'chmod').mode = mode & 0o7777;
  }

  async symlink(target: string, linkPath: string): Promise<void> {
    const place = this.#writable(linkPath, 'symlink', false);
    if (place.node !== undefined)
      throw new FsFault('EEXIST', 'file already exists', `symlink '${linkPath}'`);
    if (isInside(place.path, [memory_root])) {
      throw new FsFault('ENOTSUP', 'a memory cannot be a link', `symlink '${linkPath}'`);
    }
    // Throws for what cannot stand in a path; where it leads is decided when it is followed.
    resolvePath('/', target);
    const link = newLink(target, this.#options.nowMs());
    this.tree.attach(parentOf(place, 'symlink', linkPath), place.name, link);
  }

  async link(existingPath: string, newPath: string): Promise<void> {
    const { node, path } = this.#find(existingPath, 'link');
    if (node.kind !== 'file')
      throw new FsFault('EPERM', 'operation not permitted', `link '${existingPath}'`);
    const place = this.#writable(newPath, 'link', false);
    if (place.node !== undefined)
      throw new FsFault('EEXIST', 'file already exists', `link '${newPath}'`);
    // One file under two names: who may write one of them would write the other.
    if (this.#mountAt(path) !== this.#mountAt(place.path)) {
      throw new FsFault('EXDEV', 'invalid cross-device link', `link '${newPath}'`);
    }
    this.tree.attach(parentOf(place, 'link', newPath), place.name, node);
  }

  async readlink(path: string): Promise<string> {
    const { node } = this.#find(path, 'readlink', false);
    if (node.kind !== 'link') throw new FsFault('EINVAL', 'invalid argument', `readlink '${path}'`);
    return node.target;
  }

  async realpath(path: string): Promise<string> {
    return this.#find(path, 'realpath').path;
  }

  async utimes(path: string, _atime: Date, mtime: Date): Promise<void> {
    this.#writableNode(path, 'utimes').modified_ms = mtime.getTime();
  }

  /** For the interpreter's own `/bin`, `/dev` and `/proc` only: no command reaches it. */
  mkdirSync(path: string): void {
    this.tree.folderAt(path, 0);
  }

  /** As {@link mkdirSync}. Its `/dev/zero` is empty, and what is random it has not at all. */
  writeFileSync(path: string, content: FileContent): void {
    if (path === '/dev/zero') return randoms.forEach((device) => this.writeFileSync(device, ''));
    const cut = path.lastIndexOf('/');
    const file = newFile(bytesFrom(content, 'utf8'), 0, 0o555);
    this.tree.folderAt(path.slice(0, cut), 0).children.set(path.slice(cut + 1), file);
  }

  #find(path: string, operation: string, follow = true): Place & { readonly node: Node } {
    const place = this.tree.walk(path, follow);
    if (place.node === undefined) throw missing(operation, path);
    return { ...place, node: place.node };
  }

  #folder(path: string, operation: string): FolderNode {
    const { node } = this.#find(path, operation);
    if (node.kind !== 'folder')
      throw new FsFault('ENOTDIR', 'not a directory', `${operation} '${path}'`);
    return node;
  }

  #writableNode(path: string, operation: string): Node {
    const { node } = this.#writable(path, operation);
    if (node === undefined) throw missing(operation, path);
    return node;
  }

  /** The one gate of every change: by the path that is left when all links are resolved. */
  #writable(path: string, operation: string, follow = true): Place {
    resolvePath('/', path);
    const place = this.tree.walk(path, follow);
    const where = `${operation} '${path}'`;
    if (descriptors.test(place.path)) return place;
    if (!isInside(place.path, roots)) throw new FsFault('EACCES', 'permission denied', where);
    const { mounts } = this.#options;
    const mount = this.#mountAt(place.path);
    if (mount?.access === 'read_only') throw readOnly(mount, where);
    // What a mount is, or what holds one, cannot be moved or removed; things can be put into it.
    const is_entered = operation === 'mkdir' || operation === 'cp';
    if (!is_entered && mounts.some(({ path: held }) => isInside(held, [place.path]))) {
      throw new FsFault('EBUSY', 'device or resource busy', where);
    }
    refuseExcess(place.path, undefined, where);
    return place;
  }

  /** The memory store that a path belongs to; undefined for the session's own files. */
  #mountAt(path: string): Mount | undefined {
    return mountAt(path, this.#options.mounts);
  }
}

/** What the interpreter keeps the ends of `<(…)` and `>(…)` in; nothing of it outlives the call. */
const descriptors = /^\/dev\/fd(\/\d+)?$/;

function readOnly({ reason }: Mount, where: string): FsFault {
  const why = reason === undefined ? '' : ` (${reason})`;
  return new FsFault('EROFS', `read-only file system${why}`, where);
}

/** A link can lead to where a path is too long to be kept, and a folder can be moved there. */
function refuseExcess(path: string, moved: Node | undefined, where: string): void {
  if (excessOf(path) !== undefined) throw new FsFault('ENAMETOOLONG', 'file name too long', where);
  if (moved?.kind !== 'folder') return;
  for (const [name, child] of moved.children) refuseExcess(`${path}/${name}`, child, where);
}

function parentOf(place: Place, operation: string, path: string): FolderNode {
  if (place.parent === undefined) throw missing(operation, path);
  return place.parent;
}

function missing(operation: string, path: string): FsFault {
  return new FsFault('ENOENT', 'no such file or directory', `${operation} '${path}'`);
}
