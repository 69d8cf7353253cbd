import { Fault } from '../core/fault.ts';
import { limits } from '../core/limits.ts';

/** Where tools start: relative paths of file tools are below it, and so is a new shell. */
export const workdir = '/workspace';
export const homedir = '/home/user';
/** What an agent hands over: see outputs.ts. */
export const outputs = '/mnt/session/outputs';
export const tool_outputs = '/mnt/session/tool_outputs';
/** Memory stores are mounted below it; beside them nothing can be written there. */
export const memory_root = '/mnt/memory';

/** Folders that every session has without a row of their own. */
export const standing = [
  workdir,
  homedir,
  '/tmp',
  '/mnt/session',
  '/mnt/session/uploads',
  outputs,
  tool_outputs,
  memory_root,
] as const;

/** What a session may write. Everything else (`/bin`, `/dev`, `/proc`) belongs to the interpreter. */
export const roots = [workdir, homedir, '/tmp', '/mnt/session', memory_root] as const;

/** A part of the file system with rules of its own, e.g. a memory store. */
export interface Mount {
  readonly path: string;
  readonly access: 'read_only' | 'read_write';
  /** Why a mount that could be written cannot be now, for the model. */
  readonly reason?: string | undefined;
}

/**
 * The one form of a path: absolute, without `.`, `..`, empty parts and trailing slash.
 *
 * @param path As a tool or a caller wrote it; a relative one is below {@link workdir}.
 * @returns A path at or below one of {@link roots}, within the bounds of what it is below.
 * @throws Fault `invalid`: the sentence is shown to the model.
 */
export function normalPath(path: string): string {
  const normal = resolvePath(workdir, path);
  if (!isInside(normal, roots)) {
    throw new Fault(
      'invalid',
      `${quote(path)} is outside of the session's files. Use a path below ${roots.join(', ')}.`,
    );
  }
  const excess = excessOf(normal);
  if (excess !== undefined) throw new Fault('invalid', excess);
  return normal;
}

/**
 * Whether a path (in normal form) is too long for a row of the session. Memories have their store's
 * bounds, which are checked where they are written.
 *
 * @returns a sentence with the bound; undefined when the path is within it.
 */
export function excessOf(path: string): string | undefined {
  const { path_bytes_max, tool_path_bytes_max, file_name_bytes_max } = limits;
  const is_memory = isInside(path, [memory_root]);
  const bytes_max = is_memory ? tool_path_bytes_max : path_bytes_max;
  if (Buffer.byteLength(path) > bytes_max) return `A path must have at most ${bytes_max} bytes.`;
  const is_named = path.split('/').every((part) => Buffer.byteLength(part) <= file_name_bytes_max);
  if (is_memory || is_named) return undefined;
  return `A file name must have at most ${file_name_bytes_max} bytes.`;
}

/** Resolve `.` and `..` by text alone, as a shell's `cd` does; `..` at the root stays there. */
export function resolvePath(base: string, path: string): string {
  refuseOddPath(path);
  const parts: string[] = [];
  for (const part of (path.startsWith('/') ? path : `${base}/${path}`).split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return `/${parts.join('/')}`;
}

function refuseOddPath(path: string): void {
  if (path === '') throw new Fault('invalid', 'A path must not be empty.');
  // A lone surrogate has no UTF-8 form: two such names would fall together in storage.
  if (path.includes('\0') || !path.isWellFormed()) {
    throw new Fault('invalid', `${quote(path)} holds a character that no file name can have.`);
  }
  // Before the work of resolving it.
  if (Buffer.byteLength(path) > limits.tool_path_bytes_max) {
    throw new Fault('invalid', `A path must have at most ${limits.tool_path_bytes_max} bytes.`);
  }
}

/** Whether `path` (in normal form) is one of `folders` or below one. */
export function isInside(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => path === folder || path.startsWith(`${folder}/`));
}

/** The mount that `path` belongs to: the innermost one. */
export function mountAt<M extends Mount>(path: string, mounts: readonly M[]): M | undefined {
  return mounts
    .filter((mount) => isInside(path, [mount.path]))
    .toSorted((a, b) => b.path.length - a.path.length)[0];
}

/** The folder that holds `path`. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

/** What a path may be long, and the folder to use where another leaves no room for a name. */
export interface PathBounds {
  readonly name_bytes_max: number;
  readonly path_bytes_max: number;
  /** Without a trailing slash. */
  readonly spare: string;
}

/** `path` with a suffix behind its name, which is cut where it would be too long with it. */
export function besidePath(path: string, suffix: string, bounds: PathBounds): string {
  const cut = path.lastIndexOf('/');
  const roomIn = (folder: string) =>
    Math.min(bounds.name_bytes_max, bounds.path_bytes_max - Buffer.byteLength(folder) - 1) -
    Buffer.byteLength(suffix);
  const folder = roomIn(path.slice(0, cut)) > 0 ? path.slice(0, cut) : bounds.spare;
  const name = Buffer.from(path.slice(cut + 1)).subarray(0, roomIn(folder));
  // Without the replacement of a character that was cut in half.
  return `${folder}/${name.toString('utf8').replace(/\ufffd$/, '')}${suffix}`;
}

function quote(path: string): string {
  return `'${path.slice(0, 200)}'`;
}
